"""Nothing becomes of the frames: for measuring."""

from realtime_bokeh.frame import Frame, Sink


class Discard(Sink):
    """Takes frames and drops them."""

    def describe(self) -> str:
        return "none (measuring only)"

    def write(self, frame: Frame) -> None:
        pass

    def close(self, complete: bool) -> None:
        pass
