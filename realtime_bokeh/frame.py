"""Frames, and the contracts of what gives them and what takes them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from realtime_bokeh.sizes import Size

Image = NDArray[Any]  # uint8 [H, W, 3] BGR, contiguous
DeepImage = NDArray[Any]  # uint16 [H, W, 3] BGR, contiguous: FFmpeg's numbers in 16 bits

# how swscale turns video into pictures and back: BILINEAR, ACCURATE_RND and FULL_CHR_H_INT; its
# faster ways darken every colour by 2 of 255
EXACT = 0x2 | 0x40000 | 0x2000


@dataclass(frozen=True)
class Frame:
    """A picture and its time.

    image: uint8 [H, W, 3] BGR; [H, W, 4] with its opacity, where that is written.
    index: counts from 0 at the source.
    captured_at: seconds on the monotonic clock when it was read, for latency.
    pts: presentation time in units of the source's time base; None for live sources.
    duration: in the same units; 0 if that is not known.
    deep: the picture before anything was rendered, uint16 [H, W, 3] BGR, if its high dynamic range
        is kept; `image` is then what a usual screen shows of it.
    """

    image: Image
    index: int
    captured_at: float
    pts: int | None = None
    duration: int = 0
    deep: DeepImage | None = None


class Stopped(Exception):
    """A sink says that the user wants to stop: what was written is complete."""


class Source(ABC):
    """Gives frames one after the other; read from one thread.

    size: of every frame; a camera may change it later, as when a phone is turned.
    fps: frames a second, nominal.
    live: whether frames come at their own pace, so that only the newest counts.
    noisy: whether no two of its pictures are alike, as with a sensor.
    total: how many frames there are, as far as is known.
    time_base: seconds per unit of a frame's pts; None for live sources.
    """

    size: Size
    fps: float
    live: bool = False
    noisy: bool = False
    total: int | None = None
    time_base: Fraction | None = None

    @abstractmethod
    def describe(self) -> str:
        """What is read, in one line."""

    @abstractmethod
    def read(self) -> Frame | None:
        """The next frame, waiting for it; None at the end.

        Raises:
            SourceError: when frames stop coming.
        """

    def cancel(self) -> None:  # noqa: B027 - most sources wait for nothing but their device
        """Say from another thread that no more frames are wanted: a read that only waits gives None
        soon."""

    @abstractmethod
    def close(self) -> None:
        """Release the device or file; safe to call twice, and from another thread."""


class Sink(ABC):
    """Takes frames one after the other; used from the thread that opened it.

    live: whether somebody watches now: it is shown the card while nothing is rendered.
    """

    live: bool = False

    @abstractmethod
    def describe(self) -> str:
        """Where frames go, in one line."""

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Take a frame.

        Raises:
            SinkError: when it cannot be delivered.
            Stopped: when the user asks to stop.
        """

    def idle(self) -> None:  # noqa: B027 - most sinks have nothing to do
        """Called several times a second while no frame comes, so that a window stays alive.

        Raises:
            Stopped: when the user asks to stop.
        """

    @abstractmethod
    def close(self, complete: bool) -> None:
        """Finish; safe to call twice.

        Args:
            complete: False when the run failed: a file is then not left behind.

        Raises:
            SinkError: when what was taken cannot be kept.
        """
