"""Things that people hold up to a camera, drawn: cards, books, screens, plates, phones, cups.

There are few photographs of objects with their outline, so these are flat or round shapes, seen
askew, printed with a part of a photograph or with lines of text.
"""

import math
import random

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.drawing import (
    Colour,
    Drawing,
    askew,
    draw_colour,
    draw_print,
    lit_from_a_side,
    rounded,
    shaded,
)
from training.data.pictures import Pixels
from training.data.pool import Pool
from training.data.subjects import Subject

_SIDE = 240  # pixels, of a thing's longer side before it is turned
_DRINKS: tuple[Colour, ...] = ((60, 38, 22), (95, 60, 35), (190, 180, 165))


def draw_held(pool: Pool, rng: random.Random) -> Subject:
    """Something that a hand may hold: half cards, else phones and cups."""
    chance = rng.random()
    if chance < 0.5:
        return draw_card(pool, rng)
    return draw_phone(pool, rng) if chance < 0.75 else draw_cup(pool, rng)


def draw_card(pool: Pool, rng: random.Random) -> Subject:
    """A random card, upright within about 30 degrees.

    Args:
        pool: whose photographs may be printed on it.
    """
    longest, aspect = _SIDE, rng.uniform(0.45, 1)
    height, width = (longest, round(longest * aspect))
    if rng.random() < 0.6:
        height, width = width, height
    image, mask = askew(_face(pool, rng, height, width), _outline(rng, height, width), rng)
    return Subject.cutout(lit_from_a_side(image, rng), mask)


def draw_phone(pool: Pool, rng: random.Random) -> Subject:
    """A phone that shows its screen or its back, upright or lying.

    Args:
        pool: whose photographs may be on its screen.
    """
    height, width = _SIDE, round(_SIDE * rng.uniform(0.44, 0.52))
    phone = Drawing.empty(height, width)
    radius = width * rng.uniform(0.08, 0.18)
    phone.paint(phone.polygon(rounded(0, 0, width, height, radius)), _frame(rng))
    edge = width * rng.uniform(0.02, 0.06)
    inside = phone.polygon(rounded(edge, edge, width - edge, height - edge, radius - edge / 2))
    if rng.random() < 0.4:
        phone.paint(inside, _face(pool, rng, height, width))
    else:
        sheen = np.linspace(rng.uniform(0.7, 1.1), rng.uniform(0.9, 1.3), height)
        back = np.full((height, width, 3), draw_colour(rng), np.uint8)
        phone.paint(inside, shaded(back, sheen[:, None]))
        _camera(phone, rng, width)
    image, mask = phone.image, phone.alpha
    if rng.random() < 0.3:
        image, mask = np.rot90(image), np.rot90(mask)
    image, mask = askew(np.ascontiguousarray(image), np.ascontiguousarray(mask), rng)
    return Subject.cutout(lit_from_a_side(image, rng), mask)


def draw_cup(pool: Pool, rng: random.Random) -> Subject:
    """A mug with a handle, or a paper cup with a lid.

    Args:
        pool: whose photographs may be printed on it.
    """
    size, height = _SIDE, _SIDE * 0.8
    paper = rng.random() < 0.4
    top = height * rng.uniform(0.34, 0.45)  # half the width there
    bottom = top * (rng.uniform(0.68, 0.8) if paper else rng.uniform(0.85, 1))
    depth = top * rng.uniform(0.08, 0.3)  # of the opening's ellipse, as seen from above
    middle, low = size / 2, height - depth
    cup = Drawing.empty(size, size)
    body = draw_colour(rng)
    if not paper:
        side = rng.choice((-1, 1))
        place = middle + side * (top + bottom) * 0.5, (low + depth) * 0.52
        axes = top * rng.uniform(0.35, 0.5), height * rng.uniform(0.22, 0.3)
        cup.paint(cup.ellipse(place, axes, thickness=height * rng.uniform(0.07, 0.11)), body)
    wall = np.concatenate([
        np.array([(middle - top, depth), (middle + top, depth)]),
        np.array([middle, low]) + _half_ellipse(bottom, depth * bottom / top),
    ])  # fmt: skip
    across = (np.arange(size) - middle) / top
    round_ = 0.55 + 0.5 * np.sqrt(np.clip(1 - (across * 0.95) ** 2, 0, 1))
    round_ = round_ * (1 + rng.uniform(-0.3, 0.3) * across)  # lit from a side
    face = np.full((size, size, 3), body, np.uint8)
    if rng.random() < 0.6:
        sleeve = slice(round(height * rng.uniform(0.2, 0.4)), round(height * rng.uniform(0.6, 0.9)))
        face[sleeve] = _face(pool, rng, size, size)[sleeve]
    cup.paint(cup.polygon(wall), shaded(face, round_[None]))
    if paper:
        wide = top * 1.06
        lid = cup.polygon(rounded(middle - wide, 0, middle + wide, depth * 1.6, depth * 0.6))
        cup.paint(lid, shaded(np.full_like(face, draw_colour(rng)), round_[None]))
    else:
        opening = cup.ellipse((middle, depth), (top, depth))
        cup.paint(opening, shaded(face, round_[None, ::-1] * 0.6))
        drink = cup.ellipse((middle, depth * 1.25), (top * 0.88, depth * 0.7))
        cup.paint(np.minimum(drink, opening), rng.choice(_DRINKS))
        cup.paint(cup.ellipse((middle, depth), (top, depth), thickness=3), body)
    image, mask = askew(cup.image, cup.alpha, rng)
    return Subject.cutout(image, mask)


def _half_ellipse(across: float, down: float) -> NDArray[np.float64]:
    angle = np.radians(np.linspace(0, 180, 30))
    return np.stack([np.cos(angle) * across, np.sin(angle) * down], 1)


def _frame(rng: random.Random) -> Colour:
    level = rng.choice((20, 35, 150, 200))
    return level, level, level + rng.randint(-5, 10)


def _camera(phone: Drawing, rng: random.Random, width: float) -> None:
    """One to three lenses on a bump."""
    size = width * rng.uniform(0.28, 0.42)
    corner = width * 0.08
    bump = phone.polygon(rounded(corner, corner, corner + size, corner + size, size * 0.25))
    phone.paint(bump, _frame(rng))
    for across, down in rng.sample([(0.3, 0.3), (0.3, 0.72), (0.72, 0.5)], rng.randint(1, 3)):
        place = corner + size * across, corner + size * down
        for radius, colour in ((0.2, (12, 12, 16)), (0.1, (30, 35, 60))):
            phone.paint(phone.ellipse(place, (size * radius, size * radius)), colour)


def _face(pool: Pool, rng: random.Random, height: int, width: int) -> Pixels:
    """A part of a photograph, or print."""
    if rng.random() < 0.5:
        return draw_print(rng, height, width)
    source = rng.choice(pool.scenes) if rng.random() < 0.6 else rng.choice(pool.people).pixels
    rows, columns = source.shape[1:]
    share = rng.uniform(0.3, 1) * min(rows / height, columns / width)
    h, w = max(2, int(height * share)), max(2, int(width * share))
    y, x = rng.randint(0, rows - h), rng.randint(0, columns - w)
    part = source[:3, y : y + h, x : x + w].permute(1, 2, 0).cpu().numpy()
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))


def _outline(rng: random.Random, height: int, width: int) -> Pixels:
    """Uint8 [height, width], 255 inside: a rectangle, an ellipse or something rounder or odder."""
    card = Drawing.empty(height, width)
    chance = rng.random()
    if chance < 0.6:
        card.alpha[:] = 255
        return card.alpha
    angle = np.linspace(0, 2 * math.pi, 120, endpoint=False)
    radius = np.full_like(angle, 0.98)
    if chance > 0.75:
        for waves in range(2, 6):
            amplitude, phase = rng.uniform(0, 0.35 / waves), rng.uniform(0, 2 * math.pi)
            radius = radius + amplitude * (np.cos(waves * angle + phase) - 1)
    points = np.stack([np.cos(angle) * width, np.sin(angle) * height], 1) * radius[:, None] / 2
    return card.polygon(points + np.array((width / 2, height / 2)))
