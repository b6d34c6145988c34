"""The still card that a virtual camera shows instead of a picture."""

import textwrap

import cv2
import numpy as np

from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BACK, _INK = (46, 38, 34), (210, 205, 200)
_LINE = 38  # characters


def card(size: Size, text: str) -> Image:
    """A dark card, uint8 [H, W, 3] BGR, with a text in its middle; all but ASCII becomes "?"."""
    height, width = size
    image = np.full((height, width, 3), _BACK, np.uint8)
    lines = textwrap.wrap(text.encode("ascii", "replace").decode(), _LINE)[:5]
    (across, tall), _ = cv2.getTextSize("n" * _LINE, _FONT, 1.0, 1)
    scale = min(0.9 * width / across, 0.12 * height / tall)
    thickness = max(1, round(scale * 1.5))
    step = round(2.2 * tall * scale)
    top = (height - step * (len(lines) - 1) + round(tall * scale)) // 2
    for number, line in enumerate(lines):
        (across, _), _ = cv2.getTextSize(line, _FONT, scale, thickness)
        place = ((width - across) // 2, top + number * step)
        cv2.putText(image, line, place, _FONT, scale, _INK, thickness, cv2.LINE_AA)
    return image
