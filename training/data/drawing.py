"""Drawing things that there are few photographs of: flat shapes with a little shading and print."""

import math
import random
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.pictures import Pixels
from training.data.subjects import Subject

Colour = tuple[int, int, int]
Point = tuple[float, float]  # across and down, in pixels

_MARGIN = 0.2  # of a thing's sides, around it
_LETTERS = "ABCDEFGHIKLMNOPRSTUVWabcdefghiklmnoprstuvw0123456789"
_FRACTION = 4  # bits of a pixel that shapes are placed by


class Drawing:
    """A picture with alpha that shapes are painted on, uint8.

    Args:
        image: RGB [h, w, 3] to paint over; a copy is made.
        alpha: [h, w], of what is there already; by default nothing is.
    """

    def __init__(self, image: Pixels, alpha: Pixels | None = None) -> None:
        self.image = image.copy()
        self.alpha = np.zeros(image.shape[:2], np.uint8) if alpha is None else alpha.copy()

    @staticmethod
    def empty(height: int, width: int) -> "Drawing":
        return Drawing(np.zeros((height, width, 3), np.uint8))

    def paint(self, shape: Pixels, paint: Pixels | Colour) -> None:
        """Cover a shape, uint8 [h, w], with a colour or with an image of the drawing's size."""
        x, y, width, height = cv2.boundingRect(shape)
        part = slice(y, y + height), slice(x, x + width)
        paint = paint[part] if isinstance(paint, np.ndarray) else np.array(paint, np.uint8)
        cover = shape[part][..., None].astype(np.float32) / 255
        # where there is nothing yet the colour is the paint's: no rim of black
        before = np.where(self.alpha[part][..., None] > 0, self.image[part], paint)
        mixed = (before + (paint - before.astype(np.float32)) * cover).round().astype(np.uint8)
        self.image[part] = np.where(cover > 0, mixed, self.image[part])
        self.alpha = np.maximum(self.alpha, shape)

    def polygon(self, points: Sequence[Point] | NDArray[np.float64]) -> Pixels:
        """A filled polygon as a shape, with soft edges."""
        shape = np.zeros_like(self.alpha)
        places = np.rint(np.asarray(points) * 2**_FRACTION).astype(np.int32)
        return np.asarray(cv2.fillPoly(shape, [places], (255,), cv2.LINE_AA, _FRACTION))

    def ellipse(self, centre: Point, axes: Point, start: float = 0, end: float = 360,
                thickness: float = 0, turn: float = 0) -> Pixels:  # fmt: skip
        """An ellipse or an arc of one as a shape, with soft edges.

        Args:
            axes: half of them, across and down.
            start, end: in degrees, clockwise from the right.
            thickness: of its line; it is filled at 0.
            turn: in degrees, clockwise.
        """
        angle = np.radians(np.linspace(start, end, 90))
        out, into = ([a + s * thickness / 2 for a in axes] for s in (1, -1))
        ring = np.stack([np.cos(angle) * out[0], np.sin(angle) * out[1]], 1)
        if thickness:
            inner = np.stack([np.cos(angle) * into[0], np.sin(angle) * into[1]], 1)
            ring = np.concatenate([ring, inner[::-1]])
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        return self.polygon(ring @ np.array([(cos, sin), (-sin, cos)]) + centre)

    def subject(self) -> Subject:
        return Subject.cutout(self.image, self.alpha)


def rounded(left: float, top: float, right: float, bottom: float,
            radius: float) -> NDArray[np.float64]:  # fmt: skip
    """A rectangle with round corners as a polygon, [n, 2]."""
    quarter = np.radians(np.linspace(0, 90, 10))
    arc = np.stack([np.cos(quarter), np.sin(quarter)], 1) * radius
    corners = [(right - radius, bottom - radius), (left + radius, bottom - radius),
               (left + radius, top + radius), (right - radius, top + radius)]  # fmt: skip
    turns = [((1, 0), (0, 1)), ((0, 1), (-1, 0)), ((-1, 0), (0, -1)), ((0, -1), (1, 0))]
    return np.concatenate(
        [arc @ np.array(turn) + corner for turn, corner in zip(turns, corners, strict=True)]
    )


def draw_colour(rng: random.Random) -> Colour:
    """Any colour; often bright or dark with little of it, as paper and plastic are."""
    if rng.random() < 0.4:
        level = rng.choice((rng.randint(200, 255), rng.randint(10, 60)))
        return (level, level - rng.randint(0, 10), level - rng.randint(0, 10))
    return (rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255))


def draw_print(rng: random.Random, height: int, width: int) -> Pixels:
    """Text and shapes on one colour, RGB [height, width, 3]."""
    face = np.full((height, width, 3), draw_colour(rng), np.uint8)
    for _ in range(rng.randint(0, 3)):
        corner = rng.randint(0, width), rng.randint(0, height)
        if rng.random() < 0.5:
            size = rng.randint(10, width // 2 + 10), rng.randint(5, height // 2 + 5)
            cv2.rectangle(face, (*corner, *size), draw_colour(rng), -1, cv2.LINE_AA)
        else:
            radius = rng.randint(5, height // 3 + 5)
            cv2.circle(face, corner, radius, draw_colour(rng), -1, cv2.LINE_AA)
    y = rng.randint(10, max(11, height // 2))
    ink, scale = draw_colour(rng), rng.uniform(0.3, 1.6)
    for _ in range(rng.randint(0, 7)):
        text = "".join(rng.choice(_LETTERS) for _ in range(rng.randint(3, 24)))
        cv2.putText(face, text, (rng.randint(4, max(5, width // 4)), y), cv2.FONT_HERSHEY_SIMPLEX,
                    scale, ink, max(1, round(scale * 2)), cv2.LINE_AA)  # fmt: skip
        y += round(30 * scale) + 4
    return face


def shaded(image: Pixels, gain: NDArray[np.float64]) -> Pixels:
    """An image times a gain that broadcasts to [h, w]."""
    return np.asarray(np.clip(image * gain[..., None], 0, 255), np.uint8)


def lit_from_a_side(image: Pixels, rng: random.Random) -> Pixels:
    """Light that grows or falls from left to right."""
    gain = np.linspace(rng.uniform(0.7, 1.2), rng.uniform(0.7, 1.2), image.shape[1])
    return shaded(image, gain[None])


def askew(face: Pixels, mask: Pixels, rng: random.Random) -> tuple[Pixels, Pixels]:
    """Turned by about 12 degrees and seen in perspective, with a margin: image and mask."""
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
