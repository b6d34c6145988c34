"""Shrink and recompose with OpenCV, for engines whose frames are on the CPU.

What `network.core` does by `Shrink` and `recompose`, in the form that is fastest here.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size, padded_size

Levels = NDArray[np.uint8]

_END = 0.01  # see `network.core.enlarge_focus`


def _tables() -> tuple[Levels, Levels]:
    """From focus to its logit and back, each in levels of 255."""
    share = np.linspace(_END, 1 - _END, 256)
    logit = np.log(share / (1 - share))
    even = np.linspace(logit[0], logit[-1], 256)
    return _levels(logit), _levels(1 / (1 + np.exp(-even)))


def _levels(rising: NDArray[np.float64]) -> Levels:
    low, high = rising[0], rising[-1]
    return np.asarray((255 * (rising - low) / (high - low)).round(), np.uint8)


_TO_LOGIT, _FROM_LOGIT = _tables()


def enlarge_focus(focus: NDArray[Any], size: Size, out: Levels | None = None) -> Levels:
    """A focus map at another size, as `network.core.enlarge_focus`.

    Args:
        focus: float32 [h, w] in [0, 1], 1 in focus.
        size: (H, W).
        out: uint8 [H, W] that may be written to.

    Returns:
        uint8 [H, W], 255 in focus.
    """
    levels = cv2.convertScaleAbs(np.ascontiguousarray(focus), alpha=255)
    if focus.shape != size:
        logit = cv2.resize(cv2.LUT(levels, _TO_LOGIT), size[::-1], dst=out)
        levels = cv2.LUT(logit, _FROM_LOGIT, dst=out)
    return np.asarray(levels, np.uint8)


def shrink(frame: Image, content: Size, finer: int = 1) -> Image:
    """Resize a frame to what the network sees of it and reflect it up to the padded size.

    Args:
        frame: uint8 [H, W, 3] BGR.
        content: (h, w) at which it is rendered, each at least 16.
        finer: how many times finer, across, the network sees it.

    Returns:
        uint8 [finer h', finer w', 3] BGR with h' and w' multiples of 16.
    """
    height, width = content.times(finer)
    if frame.shape[:2] != (height, width):
        enlarging = frame.shape[0] < height or frame.shape[1] < width
        method = cv2.INTER_LINEAR if enlarging else cv2.INTER_AREA
        frame = np.asarray(cv2.resize(frame, (width, height), interpolation=method))
    padded = padded_size(content).times(finer)
    below, right = padded.height - height, padded.width - width
    if not below and not right:
        return frame
    return np.asarray(cv2.copyMakeBorder(frame, 0, below, 0, right, cv2.BORDER_REFLECT_101))


class Recomposer:
    """up(bokeh) + up(focus) * (frame - up(bokeh)), for one frame after another; the rendering is
    enlarged bilinearly, focus by `enlarge_focus`.

    In whole numbers, which OpenCV multiplies several times as fast as it blends by floats: a pixel
    is within 3 of the exact one, and nearly always within 1. Buffers are kept, since memory given
    back to the system after every frame costs more to get again than the arithmetic. Beyond the box
    around all that has focus, the rendering is the result as it is.
    """

    def __init__(self) -> None:
        self._size = Size(0, 0)

    def __call__(self, frame: Image, bokeh: Image, focus: Image, content: Size) -> Image:
        """Recompose one frame.

        Args:
            frame: uint8 [H, W, 3] BGR.
            bokeh: uint8 [h', w', 3] BGR, at the padded size.
            focus: float32 [h', w'] in [0, 1].
            content: (h, w), the part of both that belongs to the frame.

        Returns:
            uint8 [H, W, 3] BGR, a new array.
        """
        size = Size.of(frame)
        if size != self._size:
            self._size = size
            self._share = np.empty(size, np.uint8)
            self._shares, self._focused = (np.empty((*size, 3), np.uint8) for _ in range(2))
        height, width = content
        large = size[::-1]
        share = enlarge_focus(focus[:height, :width], size, self._share)
        result = np.asarray(cv2.resize(bokeh[:height, :width], large))
        x, y, across, down = cv2.boundingRect(share)
        if across:
            box = np.s_[y : y + down, x : x + across]
            shares, focused, blended = self._shares[box], self._focused[box], result[box]
            cv2.cvtColor(share[box], cv2.COLOR_GRAY2BGR, dst=shares)
            cv2.multiply(frame[box], shares, dst=focused, scale=1 / 255)
            cv2.bitwise_not(shares, dst=shares)
            cv2.multiply(blended, shares, dst=blended, scale=1 / 255)
            cv2.add(focused, blended, dst=blended)
        return result
