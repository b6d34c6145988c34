"""Sinks of frames: the virtual camera, a video file, a window, nothing."""

from typing import Protocol

from realtime_bokeh.frame import Frame


class Sink(Protocol):
    """Takes rendered frames one after the other, from one thread."""

    live: bool
    """Whether somebody watches, so that a card is shown while there is no picture."""

    def describe(self) -> str:
        """Where frames go, in one line."""
        ...

    def write(self, frame: Frame) -> None:
        """Deliver a frame.

        Raises:
            SinkError: when it cannot be delivered.
            Stopped: when the user has closed the window.
        """
        ...

    def close(self, complete: bool) -> None:
        """Finish; a second call does nothing.

        Args:
            complete: false when the run failed: a file is then not left behind.
        """
        ...


class Null:
    """Takes frames and does nothing: for measuring."""

    live = False

    def describe(self) -> str:
        return "nothing (measuring)"

    def write(self, frame: Frame) -> None:
        pass

    def close(self, complete: bool) -> None:
        pass
