"""What the panel shows of the run: before above after, as one JPEG."""

import cv2
import numpy as np

from realtime_bokeh.frame import Image

_WIDEST = 640
_QUALITY = 80  # of 100


def jpeg(pair: tuple[Image, Image]) -> bytes:
    """Two images of one size, the first above the second, each at most 640 pixels wide."""
    height, width = pair[0].shape[:2]
    scale = min(1.0, _WIDEST / width)
    size = round(width * scale), max(1, round(height * scale))
    small = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in pair]
    done, data = cv2.imencode(".jpg", np.vstack(small), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done, "a JPEG of this size can always be written"
    return data.tobytes()
