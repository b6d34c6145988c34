"""What people wear on their heads, drawn over their photographs: headphones, headbands, caps.

All of it is in focus with the person, so their mask grows by it.
"""

import math
import random
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from training.data.drawing import Colour, Drawing, draw_colour, rounded
from training.data.pictures import Pixels
from training.data.subjects import MASKED, Subject, bounding_box

_ROUNDNESS = 0.62  # depth of a head's widest row below its top, over its width there
_SHOULDERS = 1.5  # least width of somebody's shoulders over that of the head
_WIDTHS = (0.12, 0.7)  # of heads that can be dressed, over the picture's width


class Crown(NamedTuple):
    """The upper half of a head, from above the ears, in pixels."""

    across: float  # its middle
    top: float
    down: float  # the row where it is widest, about that of the ears
    half: float  # of its width there


def find_crown(subject: Subject) -> Crown | None:
    """That of somebody whose head is the highest part of them, seen whole, over their shoulders."""
    mask = subject.pixels[3].cpu().numpy()
    width = mask.shape[1]
    _, top, _, bottom = subject.box
    if top < 2:
        return None
    middle = int(np.median(np.nonzero(mask[top] > MASKED)[0]))
    crown: Crown | None = None
    for row in range(top + 1, bottom + 1):
        outside = np.nonzero(mask[row] <= MASKED)[0]
        split = int(np.searchsorted(outside, middle))
        left = int(outside[split - 1]) if split > 0 else -1
        right = int(outside[split]) if split < len(outside) else width
        span = right - left - 1
        if crown is None and row - top >= _ROUNDNESS * span:
            if left < 0 or right == width or not _WIDTHS[0] < span / width < _WIDTHS[1]:
                return None
            crown = Crown((left + right) / 2, top, row, span / 2)
        if crown and span > 2 * _SHOULDERS * crown.half:
            return crown
        middle = (left + right) // 2
    return None


def dress(subject: Subject, rng: random.Random) -> Subject:
    """Somebody with headphones, a headband or a cap; as they are where no head is found.

    Args:
        subject: with room around the head: in their own photo, not cut out of it.
    """
    crown = find_crown(subject)
    if crown is None:
        return subject
    draw = rng.choices((draw_headphones, draw_headband, draw_cap), (0.35, 0.15, 0.5))[0]
    return draw(subject, crown, rng)


def draw_headphones(subject: Subject, crown: Crown, rng: random.Random) -> Subject:
    """A band over the hair and two cups at its edge."""
    drawing = _over(subject)
    colour, cushion = _tone(rng), _tone(rng)
    thickness = crown.half * rng.uniform(0.1, 0.3)
    lift = rng.uniform(-0.02, 0.1) * crown.half  # over the hair
    axes = crown.half * rng.uniform(1, 1.1), crown.down - crown.top + lift + thickness / 2
    centre = crown.across, crown.down
    band = drawing.ellipse(centre, axes, 180, 360, thickness)
    drawing.paint(band, _cloth(drawing, colour, crown))
    if rng.random() < 0.5:  # padded inside
        inner = axes[0] - thickness * 0.4, axes[1] - thickness * 0.4
        padding = drawing.ellipse(centre, inner, 200, 340, thickness * 0.4)
        drawing.paint(padding, _cloth(drawing, cushion, crown))
    size = crown.half * rng.uniform(0.25, 0.45)
    for side in (-1, 1):
        place = crown.across + side * axes[0], crown.down + size * rng.uniform(0.4, 0.7)
        turn = side * rng.uniform(0, 10)
        inside = place[0] - side * size * 0.35, place[1]
        padding = drawing.ellipse(inside, (size * 0.5, size * 1.2), turn=turn)
        drawing.paint(padding, _cloth(drawing, cushion, crown))
        cup = drawing.ellipse(place, (size * rng.uniform(0.4, 0.7), size * 1.15), turn=turn)
        drawing.paint(cup, _cloth(drawing, colour, crown))
    if rng.random() < 0.25:
        side = rng.choice((-1, 1))
        start = crown.across + side * axes[0], crown.down + size
        reach = crown.half * rng.uniform(0.6, 0.9), crown.half * rng.uniform(0.3, 0.6)
        middle = start[0] - side * reach[0], start[1]
        ends = (0, 80) if side > 0 else (100, 180)
        microphone = drawing.ellipse(middle, reach, *ends, thickness=crown.half * 0.06)
        drawing.paint(microphone, _cloth(drawing, colour, crown))
    return _worn(subject, drawing)


def draw_headband(subject: Subject, crown: Crown, rng: random.Random) -> Subject:
    """A band around the hair above the forehead, plain or striped."""
    drawing = _over(subject)
    share = rng.uniform(0.3, 0.55)  # of the way down from the top
    middle = crown.top + share * (crown.down - crown.top)
    sag = crown.half * rng.uniform(-0.25, 0.25)
    thickness = crown.half * rng.uniform(0.12, 0.35)
    half = crown.half * math.sqrt(1 - (1 - share) ** 2) * 1.04 + 2
    across = np.linspace(-1, 1, 40)
    row = middle + sag * (1 - across**2)
    places = np.stack([crown.across + across * half, row], 1)
    down = np.array((0, thickness / 2))
    band = drawing.polygon(np.concatenate([places - down, (places + down)[::-1]]))
    near = cv2.dilate(drawing.alpha, np.ones((5, 5)))  # it lies on the hair
    band = np.asarray(np.minimum(band, near))
    drawing.paint(band, _cloth(drawing, _tone(rng), crown))
    if rng.random() < 0.4:
        inner = drawing.polygon(np.concatenate([places - down * 0.4, (places + down * 0.4)[::-1]]))
        stripe = np.asarray(np.minimum(inner, near))
        drawing.paint(stripe, _cloth(drawing, _tone(rng), crown))
    return _worn(subject, drawing)


def draw_cap(subject: Subject, crown: Crown, rng: random.Random) -> Subject:
    """A knitted cap, a cap with a peak or a hat with a brim, from the forehead up."""
    drawing = _over(subject)
    colour, kind = _tone(rng), rng.choice(("knitted", "peak", "brim"))
    rim = crown.top + rng.uniform(0.45, 0.7) * (crown.down - crown.top)
    half = crown.half * rng.uniform(1.02, 1.12)
    height = rim - crown.top + crown.half * rng.uniform(0.08, 0.6 if kind == "brim" else 0.35)
    columns = np.arange(drawing.alpha.shape[1])
    knit = 1 + 0.12 * np.sin(columns * 2 * np.pi / max(3, crown.half * 0.1))
    woven = kind == "knitted" or (kind == "brim" and rng.random() < 0.4)
    texture = knit if woven else np.ones_like(knit)
    dome = drawing.ellipse((crown.across, rim), (half, height), 180, 360)
    drawing.paint(dome, _cloth(drawing, colour, crown, texture))
    band = crown.half * rng.uniform(0.15, 0.3)
    if kind == "knitted":
        wide = half * 1.03
        fold = rounded(
            crown.across - wide, rim - band, crown.across + wide, rim + 0.6 * band, 0.4 * band
        )
        shape = drawing.polygon(fold)
    elif kind == "peak":
        aside = crown.across + crown.half * rng.uniform(-0.3, 0.3)
        shape = drawing.ellipse((aside, rim), (crown.half * rng.uniform(0.8, 1), band))
    else:
        if rng.random() < 0.6:
            ribbon = drawing.polygon(
                rounded(crown.across - half, rim - 1.8 * band, crown.across + half, rim, 1)
            )
            drawing.paint(np.minimum(ribbon, dome), _cloth(drawing, _tone(rng), crown))
        wide = half * rng.uniform(1.3, 1.9)
        shape = drawing.ellipse((crown.across, rim), (wide, band * 0.8), turn=rng.gauss(0, 4))
    trim = _tone(rng) if rng.random() < 0.4 else colour
    drawing.paint(shape, _cloth(drawing, trim, crown, texture * rng.uniform(0.7, 0.95)))
    return _worn(subject, drawing)


def _tone(rng: random.Random) -> Colour:
    """A colour as clothes have them, with little of it."""
    red, green, blue = draw_colour(rng)
    grey = (red + green + blue) // 3
    return (red + grey) // 2, (green + grey) // 2, (blue + grey) // 2


def _over(subject: Subject) -> Drawing:
    return Drawing(subject.image, subject.pixels[3].cpu().numpy())


def _cloth(drawing: Drawing, colour: Colour, crown: Crown,
           texture: NDArray[np.float64] | float = 1.0) -> Pixels:  # fmt: skip
    """A colour as bright as the head is lit and darker at its sides, as large as the drawing.

    Args:
        texture: gain of each column.
    """
    rows, columns = (
        slice(max(0, int(middle - crown.half)), int(middle + crown.half) + 1)
        for middle in (crown.down, crown.across)
    )
    bright = float(np.percentile(drawing.image[rows, columns], 80))
    across = (np.arange(drawing.alpha.shape[1]) - crown.across) / (1.4 * crown.half)
    round_ = 0.6 + 0.5 * np.sqrt(np.clip(1 - across**2, 0, 1))
    gain = np.clip(bright / 170, 0.15, 1.2) * round_ * texture
    row = np.clip(np.outer(gain, colour), 0, 255).astype(np.uint8)
    return np.broadcast_to(row, drawing.image.shape)


def _worn(subject: Subject, drawing: Drawing) -> Subject:
    """The subject as drawn over; what was added is as near as they are."""
    disparity = subject.pixels[4].cpu().numpy()
    old = subject.pixels[3].cpu().numpy() > MASKED
    near = np.median(disparity[old])
    disparity = np.where((drawing.alpha > MASKED) & ~old, near, disparity).astype(np.uint8)
    planes = np.dstack([drawing.image, drawing.alpha, disparity]).transpose(2, 0, 1)
    pixels = torch.from_numpy(planes.copy())
    return replace(subject, pixels=pixels, box=bounding_box(drawing.alpha))
