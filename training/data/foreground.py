"""The colours of a person or thing alone, without the background that shows through at its edge.

A pixel at the edge of a soft mask is a mixture: image = mask * foreground + (1 - mask) *
background. Put over another scene as it is, it brings a rim of the old background along.
"""

import cv2
import numpy as np
import torch

from training.data.optics import infill
from training.data.pictures import Pixels

_SURE = 0.9  # a mask above it is the foreground alone, below 1 - it the background alone
_RELIABILITY = 0.4  # of colours that were filled in, against the mixture that is seen


def estimate_foreground(image: Pixels, mask: Pixels) -> Pixels:
    """The colours of what a soft mask covers.

    Foreground and background are filled in, each from where it surely is, then corrected by as
    little as explains the mixture, as in blur fusion (Forte, "Approximate Fast Foreground Colour
    Estimation", ICIP 2021) with a pyramid in place of its two windows. Beyond the mask the nearest
    colours of the foreground go on.

    Args:
        image: uint8 [h, w, 3].
        mask: uint8 [h, w], 255 inside.

    Returns:
        uint8 [h, w, 3]; the image itself where the mask is sure.
    """
    # A pixel at the border of what is sure is often mixed too.
    sure = torch.from_numpy(np.stack([cv2.erode(m, np.ones((3, 3))) for m in (mask, 255 - mask)]))
    known = ((sure[:, None] / 255 - _SURE) / (1 - _SURE)).clamp(0, 1)
    if not bool(known[0].any()):
        return image
    mixture = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    foreground, background = infill(mixture.expand(2, -1, -1, -1), known).chunk(2)
    alpha = torch.from_numpy(mask) / 255
    missing = mixture - alpha * foreground - (1 - alpha) * background
    doubt = _RELIABILITY * (1 - known[0])
    foreground = foreground + missing * (alpha / (alpha**2 + (1 - alpha) ** 2 + doubt))
    levels = (foreground[0].clamp(0, 1) * 255).round().byte()
    return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())
