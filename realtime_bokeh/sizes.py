"""Which size the network runs at for a frame, without ever distorting it."""

import math
from typing import Literal

Size = tuple[int, int]  # (height, width) in pixels
InferenceSize = Size | Literal["full"]

MULTIPLE = 16  # the network's height and width are multiples of this
LARGEST_FULL = (1024, 1536)  # at which the paper runs; beyond it "full" is this area


def content_size(frame: Size, inference: InferenceSize) -> Size:
    """The size to which a frame is shrunk (or enlarged) for the network, before padding.

    It has the frame's shape and about the area of `inference`, with the longer side a multiple of
    16 so that common shapes need no padding on it; "full" is the frame's own size, up to the area
    at which the paper runs. Neither side is under 16 pixels, whatever the frame's shape.
    """
    height, width = frame
    if inference == "full":
        if height * width > LARGEST_FULL[0] * LARGEST_FULL[1]:
            return content_size(frame, LARGEST_FULL)
        scale = max(1.0, MULTIPLE / min(frame))
        return round(height * scale), round(width * scale)
    area = inference[0] * inference[1]
    long, short = max(frame), min(frame)
    side = max(MULTIPLE, MULTIPLE * round(math.sqrt(area * long / short) / MULTIPLE))
    other = round(side * short / long)
    if other < MULTIPLE:  # a ribbon
        side, other = round(MULTIPLE * long / short), MULTIPLE
    return (other, side) if width >= height else (side, other)


def padded_size(content: Size) -> Size:
    """The network's size for a content: both sides rounded up to multiples of 16."""
    height, width = (MULTIPLE * math.ceil(side / MULTIPLE) for side in content)
    return height, width
