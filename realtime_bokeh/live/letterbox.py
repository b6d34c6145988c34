"""Fits a picture into another size."""

import cv2

from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size


def letterbox(image: Image, size: Size) -> Image:
    """An image at a size, its shape kept, with black bars; the same object if it has that size.

    Args:
        image: uint8 [H, W, 3] BGR.
    """
    height, width = image.shape[:2]
    if (height, width) == size:
        return image
    scale = min(size.height / height, size.width / width)
    inner = Size(max(1, round(height * scale)), max(1, round(width * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(image, (inner.width, inner.height), interpolation=way)
    top, left = (size.height - inner.height) // 2, (size.width - inner.width) // 2
    bottom, right = size.height - inner.height - top, size.width - inner.width - left
    return cv2.copyMakeBorder(resized, top, bottom, left, right, cv2.BORDER_CONSTANT)
