"""Pictures as Linux's virtual camera takes them: I420, colour at half the size."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size

Planes = NDArray[
    Any
]  # uint8 [H * 3 / 2, W], H and W even: Y of the frame, then U and V of its half

# U and V of blue, green and red in [0, 255]: BT.601 in limited range, which is what programs take a
# camera's video for
_CHROMA = np.array(
    [[112, -74.203, -37.797, 128 * 255], [-18.214, -93.786, 112, 128 * 255]], np.float32
) / np.float32(255)


def even(size: Size) -> Size:
    """The size with a pixel more where a side is odd, which halves of colour cannot have."""
    return Size(size.height + size.height % 2, size.width + size.width % 2)


def to_i420(image: Image, planes: Planes) -> None:
    """Convert an image of even sides, or of one pixel less, into planes of the even size."""
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    below, right = height - image.shape[0], width - image.shape[1]
    if below or right:
        image = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
    cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420, dst=planes)
    # OpenCV takes the colour of one pixel in four; edges look smooth with the mean of all four
    half = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    planes[height:] = cv2.transform(half, _CHROMA).transpose(2, 0, 1).reshape(height // 2, width)
