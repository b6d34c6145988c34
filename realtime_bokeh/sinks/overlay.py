"""Draws the preview's picture: before and after, and what is written over it."""

import textwrap
from collections.abc import Sequence

import cv2
import numpy as np

from realtime_bokeh.frame import Image
from realtime_bokeh.look import Look

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK, _DARK, _RED = (240, 240, 240), (24, 20, 18), (40, 40, 200)
_SMALLEST = 0.4  # of OpenCV's font that can be read
_COVER = 0.8  # of a plate, over the picture
_GAP = "   "  # between a key and what it does


def draw(pictures: Sequence[Image], look: Look, line: float) -> Image:
    """The window's picture, a new one.

    Args:
        pictures: the run's, and the camera's where there is one; uint8 [H, W, 3] BGR, of one size.
        line: where the two meet if they are split, from 0 (left) to 1.
    """
    seen = [cv2.flip(picture, 1) if look.mirror else picture for picture in pictures]
    image = np.array(seen[0])
    if look.split and len(seen) > 1:
        _split(image, seen[1], line)
    scale = max(_SMALLEST, 0.65 * image.shape[0] / 720)
    if look.keys:
        _list(image, look.keys, 1.2 * scale)
    else:
        _plate(image, look.figures, scale, (0.0, 0.0))
    _plate(image, look.marks, 1.3 * scale, (1.0, 0.0), _RED)
    _plate(image, [look.message] if look.message else [], scale, (0.5, 1.0))
    return image


def _split(image: Image, before: Image, line: float) -> None:
    """Put the camera's picture left of a line."""
    height, width = image.shape[:2]
    at = min(width, max(0, round(line * width)))
    image[:, :at] = before[:, :at]
    thick = max(1, round(height / 480))
    image[:, max(0, at - 2 * thick) : at + 2 * thick] //= 2  # so that it is seen on white too
    image[:, max(0, at - thick) : at + thick] = 255


def _plate(
    image: Image, texts: Sequence[str], scale: float, place: tuple[float, float],
    back: tuple[int, int, int] = _DARK,
) -> None:  # fmt: skip
    """Write lines on a plate.

    Args:
        scale: of the font; smaller where a line's longest word has no room.
        place: of the plate, across and down, from 0 to 1: (0.5, 1) is the middle below.
    """
    lines = [line for text in texts for line in _wrapped(text, scale, image.shape[1])]
    if not lines:
        return
    pad = _pad(scale)
    width = max(_width(line, scale) for line in lines) + 2 * pad
    left, top, step = _cover(image, width, len(lines), scale, place, back)
    for number, line in enumerate(lines):
        _write(image, line, left + pad, top + number * step, scale)


def _list(image: Image, keys: Sequence[tuple[str, str]], scale: float) -> None:
    """Write what keys do, in two columns, in the picture's middle."""
    height, width = image.shape[:2]

    def columns(scale: float) -> tuple[int, int]:
        return (
            max(_width(key + _GAP, scale) for key, _ in keys),
            max(_width(what, scale) for _, what in keys),
        )

    wide = sum(columns(1.0)) + 4 * _pad(1.0)
    tall = _step(1.0) * len(keys) + 4 * _pad(1.0)
    scale = min(scale, width / wide, height / tall)
    (first, second), pad = columns(scale), _pad(scale)
    size = first + second + 2 * pad
    left, top, step = _cover(image, size, len(keys), scale, (0.5, 0.5), _DARK)
    for number, (key, what) in enumerate(keys):
        _write(image, key, left + pad, top + number * step, scale)
        _write(image, what, left + pad + first, top + number * step, scale)


def _cover(
    image: Image, width: int, lines: int, scale: float, place: tuple[float, float],
    back: tuple[int, int, int],
) -> tuple[int, int, int]:  # fmt: skip
    """Darken where lines shall be; gives the plate's left edge, its first base line, and the
    distance between base lines, all in pixels."""
    margin, pad, step = _pad(scale), _pad(scale), _step(scale)
    height = lines * step + pad
    left = margin + max(0, round(place[0] * (image.shape[1] - width - 2 * margin)))
    top = margin + max(0, round(place[1] * (image.shape[0] - height - 2 * margin)))
    plate = image[top : top + height, left : left + width]
    colour = np.full_like(plate, back)
    plate[:] = cv2.addWeighted(plate, 1 - _COVER, colour, _COVER, 0.0)
    return left, top + pad // 2 + round(0.75 * step), step


def _write(image: Image, text: str, left: int, base: int, scale: float) -> None:
    cv2.putText(image, text, (left, base), _FONT, scale, _INK, _thickness(scale), cv2.LINE_AA)


def _wrapped(text: str, scale: float, width: int) -> list[str]:
    """A text in lines that have room; all but ASCII becomes "?", as the font has no more."""
    plain = text.encode("ascii", "replace").decode()
    room = (width - 4 * _pad(scale)) / (_width("n" * 20, scale) / 20)
    return textwrap.wrap(plain, max(8, int(room)), break_on_hyphens=False)


def _width(text: str, scale: float) -> int:
    (across, _), _ = cv2.getTextSize(text, _FONT, scale, _thickness(scale))
    return across


def _thickness(scale: float) -> int:
    return max(1, round(1.6 * scale))


def _step(scale: float) -> int:
    """Pixels from line to line."""
    return round(36 * scale)


def _pad(scale: float) -> int:
    """Pixels around what is written."""
    return max(3, round(14 * scale))
