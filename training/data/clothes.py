"""Other clothes on people: plain and bright ones are rare in photographs and common in calls."""

import random

import cv2
import numpy as np

from training.data.drawing import Colour, draw_colour
from training.data.hands import find_skin
from training.data.pictures import Pixels
from training.data.subjects import MASKED, Subject

_CHIN = 1.05  # heads below the top of one from which on there are clothes
_SKIN = 9  # pixels around skin that stay as they are: its shadows are not told from cloth
_LIGHTEST = 0.75  # of a colour: cloth is never quite white
_PRINT = 0.12  # of a person's height: what varies within it is a print, beyond it the light
_FEW = 6.0  # pixels of a sigma: more would only take more time
_PLAIN = 0.5  # of clothes: the print is lost too


def recolour(subject: Subject, rng: random.Random) -> Subject:
    """Somebody in clothes of one random colour, with the old ones' light, and half the time with
    their print and folds; skin stays as it is. As they are where no clothes are seen."""
    _, top, _, bottom = subject.box
    image = subject.image
    mask = subject.pixels[3].cpu().numpy()
    chin = round(subject.head.top + _CHIN * subject.head.height)
    clothes = mask.copy()
    clothes[:chin] = 0
    clothes[cv2.dilate(find_skin(image), np.ones((_SKIN, _SKIN))) > 0] = 0
    clothes = np.asarray(cv2.GaussianBlur(clothes, (0, 0), 1.5))
    clothes = np.minimum(clothes, mask)
    if np.count_nonzero(clothes > MASKED) < 0.1 * np.count_nonzero(mask > MASKED):
        return subject
    cloth = _cloth(image, clothes, draw_colour(rng), _PRINT * (bottom - top), rng)
    share = clothes[..., None] / np.float32(255)
    mixed = (image + (cloth - image) * share).round().clip(0, 255)
    return subject.painted(np.asarray(mixed, np.uint8))


def _cloth(
    image: Pixels, clothes: Pixels, colour: Colour, size: float, rng: random.Random
) -> Pixels:
    """A colour in the light that falls on the clothes, float32 [h, w, 3]."""
    level = image.mean(2, dtype=np.float32) + 8  # black cloth shows its light too
    weight = clothes.astype(np.float32) / 255
    if rng.random() < _PLAIN:
        blurred, share = cv2.split(_smooth(cv2.merge([level * weight, weight]), size / 2))
        level = np.asarray(blurred / (share + 1e-3))
    mean = float((level * weight).sum() / weight.sum())
    light = np.clip(level / mean, 0.4, 1.8)[..., None]
    return np.asarray(np.array(colour, np.float32) * _LIGHTEST * light)


def _smooth(planes: cv2.typing.MatLike, sigma: float) -> cv2.typing.MatLike:
    """A Gaussian mean, at a size at which sigma is a few pixels."""
    scale = min(1.0, _FEW / sigma)
    small = cv2.resize(planes, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma * scale)
    return cv2.resize(blurred, planes.shape[1::-1])
