"""Sizes of pictures, and the one at which the network runs for a frame, without distorting it."""

import contextlib
import math
import operator
import re
import textwrap
from typing import Literal, NamedTuple, Protocol

from realtime_bokeh.errors import UsageError


class _Shaped(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...


class Size(NamedTuple):
    """The height and width of a picture in pixels.

    The order is that of arrays; people read and write WIDTHxHEIGHT, which is what `str` gives and
    `parse_size` takes.
    """

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def of(cls, image: _Shaped) -> "Size":
        """The size of an array [height, width, ...]."""
        return cls(image.shape[0], image.shape[1])

    @property
    def area(self) -> int:
        return self.height * self.width

    def times(self, factor: int) -> "Size":
        """The size of a picture with so many times as many rows and columns."""
        return Size(factor * self.height, factor * self.width)


InferenceSize = Size | Literal["full"]

MULTIPLE = 16  # the network's height and width are multiples of this
LARGEST_FULL = Size(1024, 1536)  # at which the paper runs; beyond it "full" is this area
_SIDES = (16, 16384)  # the shortest and the longest side that anybody may ask for


def parse_size(option: str, text: str, example: str = "1280x720") -> Size:
    """A size that a person wrote: WIDTHxHEIGHT.

    Args:
        option: where it was written, for the sentence.
        example: what to write instead.

    Raises:
        UsageError: when it is no size, or a side is not within 16 to 16384 pixels.
    """
    match = re.fullmatch(r"(\d{1,6})x(\d{1,6})", text)
    if not match:
        raise UsageError(f"{option} {text!r} is not a size; write it like {example}")
    size = Size(height=int(match[2]), width=int(match[1]))
    low, high = _SIDES
    if not all(low <= side <= high for side in size):
        raise UsageError(f"{option} {size} is out of range; sides are {low} to {high} pixels")
    return size


def parse_inference_size(option: str, text: str) -> InferenceSize:
    """An inference size that a person wrote: WIDTHxHEIGHT, or full.

    Raises:
        UsageError: as `parse_size`.
    """
    return "full" if text == "full" else parse_size(option, text, "256x144, or full")


def check_size(name: str, value: object) -> Size:
    """A size that a program gave: a Size, or a tuple (height, width).

    Args:
        name: of the argument, for the sentence.

    Raises:
        UsageError: when it is something else, or a side is not within 16 to 16384 pixels.
    """
    low, high = _SIDES
    if isinstance(value, tuple) and len(value) == 2:
        with contextlib.suppress(TypeError):
            size = Size(*map(operator.index, value))
            if all(low <= side <= high for side in size):
                return size
    shown = textwrap.shorten(repr(value), 60, placeholder="...")  # arrays have many lines
    raise UsageError(f"{name} {shown} is no size; give (height, width), each {low} to {high}")


def check_inference_size(value: object) -> InferenceSize:
    """An inference size that a program gave: as `check_size`, or "full".

    Raises:
        UsageError: as `check_size`.
    """
    try:
        if isinstance(value, str) and value == "full":
            return "full"
        return check_size("inference", value)
    except UsageError as error:
        raise UsageError(f'{error}, or "full"') from error


def content_size(frame: Size, inference: InferenceSize) -> Size:
    """The size to which a frame is shrunk (or enlarged) for the network, before padding.

    It has the frame's shape and about the area of `inference`, with the longer side a multiple of
    16 so that common shapes need no padding on it; "full" is the frame's own size, up to the area
    at which the paper runs. Neither side is under 16 pixels, whatever the frame's shape.
    """
    height, width = frame
    if inference == "full":
        if frame.area > LARGEST_FULL.area:
            return content_size(frame, LARGEST_FULL)
        scale = max(1.0, MULTIPLE / min(frame))
        return Size(round(height * scale), round(width * scale))
    long, short = max(frame), min(frame)
    side = MULTIPLE * round(math.sqrt(inference.area * long / short) / MULTIPLE)
    side = max(MULTIPLE, side)
    other = round(side * short / long)
    if other < MULTIPLE:  # a ribbon
        side, other = round(MULTIPLE * long / short), MULTIPLE
    return Size(other, side) if width >= height else Size(side, other)


def padded_size(content: Size) -> Size:
    """The network's size for a content: both sides rounded up to multiples of 16."""
    return Size(*(MULTIPLE * math.ceil(side / MULTIPLE) for side in content))
