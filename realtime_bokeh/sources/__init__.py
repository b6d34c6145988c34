"""Sources of frames: a camera, a video file, the built-in scene."""

from fractions import Fraction
from typing import Protocol

from realtime_bokeh.frame import Frame
from realtime_bokeh.sizes import Size


class Source(Protocol):
    """Gives frames one after the other, from one thread."""

    size: Size
    """(height, width) of every frame."""
    fps: float
    """Frames a second, nominal."""
    live: bool
    """Whether frames come at their own pace, so that only the newest counts."""
    total: int | None
    """How many frames there are, as far as is known."""
    time_base: Fraction | None
    """Seconds per unit of a frame's pts; None for live sources."""

    def describe(self) -> str:
        """What is read, in one line."""
        ...

    def read(self) -> Frame | None:
        """The next frame, waiting for it; None at the end.

        Raises:
            SourceError: when frames stop coming.
        """
        ...

    def close(self) -> None:
        """Release the device or file; safe to call twice, and from another thread."""
        ...
