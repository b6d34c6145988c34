"""Things that people hold up to a camera, drawn: cards, books, screens, plates, toys.

There are few photographs of objects with their outline, so these are flat shapes, seen askew,
printed with a part of a photograph or with lines of text.
"""

import math
import random

import cv2
import numpy as np

from training.data.pictures import Pixels
from training.data.pool import Pool
from training.data.subjects import Subject

Colour = tuple[int, int, int]

_SIDE = 240  # pixels, of a card's longer side before it is turned
_MARGIN = 0.2  # of its sides, around it
_LETTERS = "ABCDEFGHIKLMNOPRSTUVWabcdefghiklmnoprstuvw0123456789"


def draw_card(pool: Pool, rng: random.Random) -> Subject:
    """A random card, upright within about 30 degrees.

    Args:
        pool: whose photographs may be printed on it.
    """
    longest, aspect = _SIDE, rng.uniform(0.45, 1)
    height, width = (longest, round(longest * aspect))
    if rng.random() < 0.6:
        height, width = width, height
    face = (
        _photograph(pool, rng, height, width) if rng.random() < 0.5 else _print(rng, height, width)
    )
    image, mask = _askew(face, _outline(rng, height, width), rng)
    light = np.linspace(rng.uniform(0.7, 1.2), rng.uniform(0.7, 1.2), image.shape[1])
    image = np.clip(image * light[None, :, None], 0, 255).astype(np.uint8)
    return Subject.cutout(image, mask, pool.device)


def _photograph(pool: Pool, rng: random.Random, height: int, width: int) -> Pixels:
    """A part of a photograph."""
    source = rng.choice(pool.scenes) if rng.random() < 0.6 else rng.choice(pool.people).pixels
    rows, columns = source.shape[1:]
    share = rng.uniform(0.3, 1) * min(rows / height, columns / width)
    h, w = max(2, int(height * share)), max(2, int(width * share))
    y, x = rng.randint(0, rows - h), rng.randint(0, columns - w)
    part = source[:3, y : y + h, x : x + w].permute(1, 2, 0).cpu().numpy()
    return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))


def _colour(rng: random.Random) -> Colour:
    if rng.random() < 0.4:  # paper and plastic are mostly bright or dark, with little colour
        level = rng.choice((rng.randint(200, 255), rng.randint(10, 60)))
        return (level, level - rng.randint(0, 10), level - rng.randint(0, 10))
    return (rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255))


def _print(rng: random.Random, height: int, width: int) -> Pixels:
    """Text and shapes on one colour."""
    face = np.full((height, width, 3), _colour(rng), np.uint8)
    for _ in range(rng.randint(0, 3)):
        corner = rng.randint(0, width), rng.randint(0, height)
        if rng.random() < 0.5:
            size = rng.randint(10, width // 2 + 10), rng.randint(5, height // 2 + 5)
            cv2.rectangle(face, (*corner, *size), _colour(rng), -1, cv2.LINE_AA)
        else:
            cv2.circle(face, corner, rng.randint(5, height // 3 + 5), _colour(rng), -1, cv2.LINE_AA)
    y = rng.randint(10, max(11, height // 2))
    ink, scale = _colour(rng), rng.uniform(0.3, 1.6)
    for _ in range(rng.randint(0, 7)):
        text = "".join(rng.choice(_LETTERS) for _ in range(rng.randint(3, 24)))
        cv2.putText(face, text, (rng.randint(4, width // 4), y), cv2.FONT_HERSHEY_SIMPLEX, scale,
                    ink, max(1, round(scale * 2)), cv2.LINE_AA)  # fmt: skip
        y += round(30 * scale) + 4
    return face


def _outline(rng: random.Random, height: int, width: int) -> Pixels:
    """Uint8 [height, width], 255 inside: a rectangle, an ellipse or something rounder or odder."""
    mask = np.zeros((height, width), np.uint8)
    chance = rng.random()
    if chance < 0.6:
        mask[:] = 255
        return mask
    angle = np.linspace(0, 2 * math.pi, 120, endpoint=False)
    radius = np.full_like(angle, 0.98)
    if chance > 0.75:
        for waves in range(2, 6):
            amplitude, phase = rng.uniform(0, 0.35 / waves), rng.uniform(0, 2 * math.pi)
            radius = radius + amplitude * (np.cos(waves * angle + phase) - 1)
    points = np.stack([np.cos(angle) * width, np.sin(angle) * height], 1) * radius[:, None] / 2
    points += (width / 2, height / 2)
    cv2.fillPoly(mask, [np.rint(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask


def _askew(face: Pixels, mask: Pixels, rng: random.Random) -> tuple[Pixels, Pixels]:
    """Turned and seen in perspective, with a margin."""
    height, width = mask.shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    turn = math.radians(rng.gauss(0, 12))
    centred = corners - (width / 2, height / 2)
    cos, sin = math.cos(turn), math.sin(turn)
    moved = centred @ np.array([(cos, sin), (-sin, cos)])
    moved *= np.array([[rng.uniform(0.85, 1), rng.uniform(0.85, 1)] for _ in range(4)])
    margin = _MARGIN * np.array((width, height))
    moved -= moved.min(0) - margin
    size = np.ceil(moved.max(0) + margin).astype(int).tolist()
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    image = cv2.warpPerspective(face, matrix, size, flags=cv2.INTER_LINEAR,
                                borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return np.asarray(image), np.asarray(cv2.warpPerspective(mask, matrix, size))
