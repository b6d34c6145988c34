"""Shrink and recompose with OpenCV, for engines whose frames are on the CPU.

The same arithmetic as `network.core.shrink` and `recompose`, in the form that is fastest here.
"""

import cv2
import numpy as np

from realtime_bokeh.frame import Image
from realtime_bokeh.geometry import Size, padded_size


def shrink(frame: Image, content: Size) -> Image:
    """Resize a frame to the network's content size and reflect it up to the padded size.

    Args:
        frame: uint8 [H, W, 3] BGR.
        content: (h, w), each at least 16.

    Returns:
        uint8 [h', w', 3] BGR with h' and w' multiples of 16.
    """
    height, width = content
    if frame.shape[:2] != content:
        enlarging = frame.shape[0] < height or frame.shape[1] < width
        method = cv2.INTER_LINEAR if enlarging else cv2.INTER_AREA
        frame = np.asarray(cv2.resize(frame, (width, height), interpolation=method))
    padded = padded_size(content)
    if padded == content:
        return frame
    below, right = padded[0] - height, padded[1] - width
    return np.asarray(cv2.copyMakeBorder(frame, 0, below, 0, right, cv2.BORDER_REFLECT_101))


def recompose(frame: Image, bokeh: Image, focus: Image, content: Size) -> Image:
    """up(bokeh) + up(focus) * (frame - up(bokeh)).

    Args:
        frame: uint8 [H, W, 3] BGR.
        bokeh: uint8 [h', w', 3] BGR, at the padded size.
        focus: float32 [h', w'] in [0, 1].
        content: (h, w), the part of both that belongs to the frame.

    Returns:
        uint8 [H, W, 3] BGR, a new array.
    """
    height, width = content
    size = (frame.shape[1], frame.shape[0])
    share = np.ascontiguousarray(focus[:height, :width])
    rendering = cv2.resize(bokeh[:height, :width], size, interpolation=cv2.INTER_LINEAR)
    ours = cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
    theirs = cv2.resize(1 - share, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.blendLinear(frame, rendering, ours, theirs))
