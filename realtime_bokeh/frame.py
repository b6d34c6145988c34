"""One picture on its way from a source to a sink."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Image = NDArray[Any]  # uint8 [H, W, 3] BGR, contiguous

# how swscale turns video into pictures and back: BILINEAR, ACCURATE_RND and FULL_CHR_H_INT; its
# faster ways darken every colour by 2 of 255
EXACT = 0x2 | 0x40000 | 0x2000


@dataclass(frozen=True)
class Frame:
    """A picture and when it is from.

    image: uint8 [H, W, 3] BGR.
    index: counts from 0 at the source.
    captured_at: seconds on the monotonic clock when it was read, for latency.
    pts: presentation time in units of the source's time base; None for live sources.
    duration: in the same units; 0 if that is not known.
    """

    image: Image
    index: int
    captured_at: float
    pts: int | None = None
    duration: int = 0
