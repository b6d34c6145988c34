"""One picture on its way from a source to a sink."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Image = NDArray[Any]  # uint8 [H, W, 3] BGR, contiguous


@dataclass(frozen=True)
class Frame:
    """A picture and when it is from.

    image: uint8 [H, W, 3] BGR.
    index: counts from 0 at the source.
    captured_at: seconds on the monotonic clock when it was read, for latency.
    pts: presentation time in units of the source's time base; None for live sources.
    """

    image: Image
    index: int
    captured_at: float
    pts: int | None = None
