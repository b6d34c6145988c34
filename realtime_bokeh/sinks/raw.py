"""Raw frames on standard output, for other programs: bgr24, one after the other."""

from realtime_bokeh.frame import Frame, Sink
from realtime_bokeh.pipes import StandardOutput, interruptible


class RawFrames(Sink):
    """Writes the pixels of every frame, uint8 [H, W, 3] BGR.

    Raises:
        UsageError: as `StandardOutput`.
    """

    def __init__(self) -> None:
        self._output = StandardOutput()

    def describe(self) -> str:
        return "raw bgr24 frames on standard output"

    def write(self, frame: Frame) -> None:
        with interruptible():
            self._output.write(frame.image.data)

    def close(self, complete: bool) -> None:
        pass
