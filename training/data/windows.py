"""Where a camera sees somebody: the part of a photo that fills the picture, in units of the head.

In a call a head and shoulders fill the picture, at a desk's distance. Now and then somebody leans
in or out of the picture, sits too high or stands further off.
"""

import random
from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor

from training.data.subjects import Subject

Window = tuple[float, float, float, float]  # left, top, width, height in a photo's pixels
Range = tuple[float, float]
_LOWEST = 0.5  # top of a head over the picture's height, of somebody who is cut below


class Framing(NamedTuple):
    """Where the head is.

    size: its height over the picture's.
    room: between the picture's upper edge and its top, over its height; negative cuts it.
    middle: its place across the picture, from 0 at one side to 1 at the other, either way round.
    """

    size: Range
    room: Range
    middle: Range


CALL = Framing((0.24, 0.5), (0.05, 0.6), (0.3, 0.5))
FAR = Framing((0.1, 0.24), (0.1, 1.2), (0.12, 0.5))
HEAD_CUT = Framing((0.3, 0.75), (-0.65, -0.03), (0.25, 0.5))
LEANING_OUT = Framing((0.3, 0.8), (-0.2, 0.6), (-0.02, 0.16))
FACE = Framing((0.7, 1.5), (-0.35, 0.15), (0.2, 0.5))
WHOLE_FIGURE = Framing((0.09, 0.13), (0.1, 0.8), (0.2, 0.5))  # down to the feet in upright pictures
HALF_FIGURE = Framing((0.13, 0.24), (0.1, 0.8), (0.3, 0.5))
FRAMINGS = {CALL: 0.42, FAR: 0.2, HEAD_CUT: 0.12, LEANING_OUT: 0.12, FACE: 0.14}


def draw_framing(rng: random.Random, framings: Mapping[Framing, float]) -> Framing | None:
    """One of these, by their weights; None of none."""
    return rng.choices(list(framings), list(framings.values()))[0] if framings else None


def _placed(framing: Framing, rng: random.Random) -> tuple[float, float, float]:
    """Size, middle and room of a head (see `Framing`)."""
    size = rng.uniform(*framing.size)
    middle = rng.uniform(*framing.middle)
    if rng.random() < 0.5:
        middle = 1 - middle
    return size, middle, rng.uniform(*framing.room)


def window_inside(
    subject: Subject, framing: Framing, rng: random.Random, shape: float, least: float
) -> Window:
    """A window inside the subject's own photo, as near to the framing as the photo allows.

    Args:
        shape: the picture's height over its width.
        least: pixels of the window's width that are enough for the picture.
    """
    rows, columns = subject.pixels.shape[1:]
    head = subject.head
    size, middle, room = _placed(framing, rng)
    fit = min(columns, rows / shape)
    # with the head in this place across, the window must not reach beyond the photo's sides
    sides = [head.middle / middle] if middle > 0 else []
    sides += [(columns - head.middle) / (1 - middle)] if middle < 1 else []
    width = min(fit, max(min(head.height / size / shape, *sides), min(least, fit)))
    height = width * shape
    return within((head.middle - middle * width, head.top - room * head.height, width, height),
                  subject.pixels)  # fmt: skip


def window_over(subject: Subject, framing: Framing, rng: random.Random, shape: float) -> Window:
    """A window of somebody who is put over another scene; it may reach beyond their cutout.

    Args:
        shape: the picture's height over its width.
    """
    size, middle, room = _placed(framing, rng)
    return window_at(subject, size, middle, room * size, shape)


def window_at(subject: Subject, size: float, middle: float, top: float, shape: float) -> Window:
    """A window with the head in this place: its height and top over the picture's height, its
    middle over the width.

    Where the photo's lower edge cuts the subject, the head is as low as brings that edge to the
    picture's lower edge, and so large that it is not too low; where a side does, that side is the
    picture's, or beyond it.
    """
    rows, columns = subject.pixels.shape[1:]
    head = subject.head
    if subject.close:
        size = max(size, (1 - _LOWEST) * head.height / (rows - head.top))
    height = head.height / size
    width = height / shape
    x, y = head.middle - middle * width, head.top - top * height
    left, right = subject.cut
    if left and not (right and middle > 0.5):
        x = max(x, 0.0)
    elif right:
        x = min(x, columns - width)
    if subject.close:
        y = min(y, rows - height)
    return x, y, width, height


def window_anywhere(subject: Subject, rng: random.Random, shape: float, least: float) -> Window:
    """A window anywhere inside the subject's own photo, at least this share of the largest."""
    rows, columns = subject.pixels.shape[1:]
    width = min(columns, rows / shape) * rng.uniform(least, 1)
    height = width * shape
    return rng.uniform(0, columns - width), rng.uniform(0, rows - height), width, height


def within(window: Window, pixels: Tensor) -> Window:
    """The window shifted into a photo [c, h, w], which is no smaller."""
    x, y, width, height = window
    rows, columns = pixels.shape[1:]
    return min(max(x, 0.0), columns - width), min(max(y, 0.0), rows - height), width, height
