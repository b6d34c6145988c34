"""The still card that a virtual camera shows instead of a picture."""

import cv2
import numpy as np

from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size


def holding_card(size: Size, text: str) -> Image:
    """A dark card, uint8 [H, W, 3] BGR, with one line of (ASCII) text in its middle."""
    height, width = size
    card = np.full((height, width, 3), (46, 38, 34), np.uint8)
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 1.0
    (across, _), _ = cv2.getTextSize(text, font, scale, 1)
    scale = 0.6 * width / across
    (across, tall), _ = cv2.getTextSize(text, font, scale, 1)
    place = ((width - across) // 2, (height + tall) // 2)
    line = max(1, round(scale * 1.5))
    cv2.putText(card, text, place, font, scale, (210, 205, 200), line, cv2.LINE_AA)
    return card
