"""What the panel shows of the run: before above after, as one JPEG."""

import time
import weakref
from collections.abc import Callable

import cv2
import numpy as np

from realtime_bokeh.frame import Image

_WIDEST = 512  # pixels: the page shows them somewhat larger
_QUALITY = 80  # of 100
_AGE = 0.1  # seconds for which a picture is new enough for whoever else asks; pages ask after 0.125

Pair = tuple[Image, Image]


class View:
    """The newest pair of images as a JPEG, made when it is asked for, and once for all who ask.

    Args:
        pair: gives two images of one size, which are not written to; None while there are none.
        clock: in seconds.
    """

    def __init__(
        self, pair: Callable[[], Pair | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pair, self._clock = pair, clock
        self._data: bytes | None = None
        self._of: Callable[[], Image | None] = lambda: None  # weak: the image may go
        self._made = 0.0

    def jpeg(self) -> bytes | None:
        """The first image above the second, each at most 512 pixels wide; None: there is none."""
        pair = self._pair()
        if pair is None:
            self._data = None  # what is blanked is not shown once more
            return None
        now = self._clock()
        if self._data is None or (self._of() is not pair[1] and now - self._made >= _AGE):
            self._data, self._of, self._made = _jpeg(pair), weakref.ref(pair[1]), now
        return self._data


def _jpeg(pair: Pair) -> bytes:
    height, width = pair[0].shape[:2]
    scale = min(1.0, _WIDEST / width)
    width, height = round(width * scale), max(1, round(height * scale))
    both = np.empty((2 * height, width, 3), np.uint8)
    for image, half in zip(pair, np.split(both, 2), strict=True):
        # by area would be finer, and take five times as long
        cv2.resize(image, (width, height), dst=half, interpolation=cv2.INTER_LINEAR)
    done, data = cv2.imencode(".jpg", both, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done, "a JPEG of this size can always be written"
    return data.tobytes()
