"""Monitors, drawn: they stand beside somebody at a desk, near the camera, and are background."""

import random

import cv2
import numpy as np

from training.data.drawing import Drawing, askew, draw_print, lit_from_a_side, rounded, shaded
from training.data.subjects import Subject

_HEIGHT = 180  # pixels, of the drawing


def draw_monitor(rng: random.Random) -> Subject:
    """A monitor or a laptop's lid from the front, its screen lit or off, or from behind; it is
    seen askew."""
    width = round(_HEIGHT * rng.uniform(0.6, 1.8))
    case = Drawing.empty(_HEIGHT, width)
    level = rng.choice((rng.randint(8, 40), rng.randint(8, 40), rng.randint(130, 220)))
    case.paint(case.polygon(rounded(1, 1, width - 1, _HEIGHT - 1, 5)), (level, level, level))
    edge = rng.uniform(3, 12)
    screen = case.polygon(rounded(edge, edge, width - edge, _HEIGHT - 1.5 * edge, 2))
    chance = rng.random()
    if chance < 0.35:
        glow = np.full((_HEIGHT, 1), rng.uniform(0.6, 1.1))
        case.paint(screen, shaded(draw_print(rng, _HEIGHT, width), glow))
    elif chance < 0.75:  # it is off, and mirrors the room a little
        dark = rng.randint(3, 25)
        case.paint(screen, (dark, dark, dark))
    image = lit_from_a_side(case.image, rng)
    image, alpha = askew(np.asarray(cv2.GaussianBlur(image, (0, 0), 0.6)), case.alpha, rng)
    return Subject.cutout(image, alpha)
