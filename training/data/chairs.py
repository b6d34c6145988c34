"""Chairs' backs, drawn: they stand behind shoulders and are background."""

import random

import numpy as np
from numpy.typing import NDArray

from training.data.drawing import Colour, Drawing, lit_from_a_side, rounded, shaded
from training.data.pictures import Pixels
from training.data.subjects import Subject

_SIDE = 280  # pixels, of the drawing
_WOODS: tuple[Colour, ...] = ((120, 80, 45), (165, 120, 75), (70, 45, 30), (200, 170, 130))


def draw_chair(rng: random.Random) -> Subject:
    """The back of an office chair (padded or mesh, perhaps with a headrest), of a gaming chair, or
    of a wooden one, to its seat; about upright.
    """
    draw = rng.choices((_office_chair, _gaming_chair, _wooden_chair), (0.5, 0.25, 0.25))[0]
    chair = Drawing.empty(_SIDE, _SIDE)
    draw(chair, rng)
    chair.image = lit_from_a_side(chair.image, rng)
    return chair.subject()


def _office_chair(chair: Drawing, rng: random.Random) -> None:
    middle, colour = _SIDE / 2, _cover(rng)
    top, wide, narrow = _SIDE * rng.uniform(0.2, 0.35), rng.uniform(70, 105), rng.uniform(0.7, 1)
    back = rounded(-wide, top, wide, _SIDE + 40, wide * rng.uniform(0.25, 0.6))
    height = (back[:, 1] - top) / (_SIDE - top)
    back[:, 0] = middle + back[:, 0] * (narrow + (1 - narrow) * np.clip(height * 2, 0, 1))
    if rng.random() < 0.45:
        post = rounded(middle - 8, top - 25, middle + 8, top + 20, 3)
        chair.paint(chair.polygon(post), (35, 35, 38))
        half, lift = wide * rng.uniform(0.4, 0.6), top * rng.uniform(0.2, 0.4)
        rest = rounded(middle - half, top - 12 - lift, middle + half, top - 10, lift * 0.45)
        chair.paint(chair.polygon(rest), shaded(_plain(colour), _bulge(middle, half)))
    shape, frame = chair.polygon(back), rng.uniform(0.86, 0.94)
    if rng.random() < 0.5:
        chair.paint(shape, shaded(_plain(colour), _bulge(middle, wide)))
        return
    chair.paint(shape, (30, 30, 34) if rng.random() < 0.7 else (190, 190, 195))
    inside = chair.polygon((back - (middle, top)) * frame + (middle, top + wide * (1 - frame)))
    chair.paint(inside, _plain(colour))
    # a mesh lets some of the room through
    seen = 1 - inside / 255 * rng.uniform(0.1, 0.5)
    chair.alpha = np.asarray(chair.alpha * seen, np.uint8)


def _gaming_chair(chair: Drawing, rng: random.Random) -> None:
    middle, top = _SIDE / 2, _SIDE * rng.uniform(0.03, 0.12)
    head, waist, hip = rng.uniform(45, 60), rng.uniform(62, 80), rng.uniform(85, 110)
    rows = top + np.array((0, 0.06, 0.3, 0.42, 0.62, 1.1)) * (_SIDE - top)
    halves = np.array((head * 0.8, head, head * 0.95, waist, hip, hip * 0.85))
    colour, stripe = _cover(rng), (rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255))
    for share, paint in ((1.0, stripe), (0.93, colour), (0.55, stripe), (0.45, colour)):
        right = np.stack([middle + halves * share, rows], 1)
        left = np.stack([middle - halves * share, rows], 1)[::-1]
        shape = chair.polygon(np.concatenate([right, left]))
        chair.paint(shape, shaded(_plain(paint), _bulge(middle, hip)))
    for side in (-1, 1):  # the openings for a belt
        place = middle + side * head * 0.55, top + 0.2 * (_SIDE - top)
        chair.paint(chair.ellipse(place, (head * 0.2, head * 0.1), turn=side * 20), (10, 10, 10))


def _wooden_chair(chair: Drawing, rng: random.Random) -> None:
    middle, top, wood = _SIDE / 2, _SIDE * rng.uniform(0.25, 0.45), rng.choice(_WOODS)
    half, post = rng.uniform(60, 95), rng.uniform(8, 16)
    grain = 1 + 0.1 * np.sin(np.arange(_SIDE)[:, None] / rng.uniform(2, 6))
    image = shaded(_plain(wood), grain)
    slats, upright = rng.randint(2, 5), rng.random() < 0.5
    for number in range(slats):
        if upright:
            x = middle - half + (number + 0.5) * 2 * half / slats
            part = rounded(x - post * 0.4, top, x + post * 0.4, _SIDE + 20, 2)
        else:
            y = top + 20 + number * (_SIDE - top) / slats
            part = rounded(middle - half, y, middle + half, y + post * 1.3, 3)
        chair.paint(chair.polygon(part), image)
    rail = rounded(middle - half - post, top, middle + half + post, top + post * 2, post * 0.8)
    chair.paint(chair.polygon(rail), image)
    for side in (-1, 1):
        x = middle + side * (half + post * 0.3)
        leg = rounded(x - post / 2, top + post / 2, x + post / 2, _SIDE + 20, 2)
        chair.paint(chair.polygon(leg), shaded(image, np.full((1, 1), rng.uniform(0.85, 1))))


def _cover(rng: random.Random) -> Colour:
    """Leather or cloth: mostly black or grey."""
    if rng.random() < 0.2:
        brown = rng.randint(40, 130)
        return brown, brown // 2, brown // 3
    level = rng.choice((rng.randint(12, 45), rng.randint(12, 45), rng.randint(60, 130), 225))
    return level + rng.randint(-8, 8), level + rng.randint(-8, 8), level + rng.randint(-8, 8)


def _plain(colour: Colour) -> Pixels:
    return np.full((_SIDE, _SIDE, 3), colour, np.uint8)


def _bulge(middle: float, half: float) -> NDArray[np.float64]:
    """The gain of what is round across, [1, w]."""
    across = (np.arange(_SIDE)[None] - middle) / (1.2 * half)
    return np.asarray(0.65 + 0.5 * np.sqrt(np.clip(1 - across**2, 0, 1)))
