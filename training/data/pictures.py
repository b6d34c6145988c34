"""Pictures as networks have them, float RGB in [0, 1], and as the program has them, uint8 BGR."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from realtime_bokeh.frame import Image

Pixels = NDArray[np.uint8]  # [h, w] or [h, w, channels]


def to_images(batch: Tensor) -> list[Image]:
    """Float [n, 3, h, w] RGB in [0, 1] as images, uint8 [h, w, 3] BGR; the rest is clipped."""
    levels = (batch.clamp(0, 1) * 255).round().byte().flip(1).permute(0, 2, 3, 1)
    return list(np.ascontiguousarray(levels.cpu().numpy()))
