"""Images as the numbers that video stores, and what those mean."""

from dataclasses import dataclass

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from realtime_bokeh.frame import EXACT, Image

BT709, UNSPECIFIED, BT601 = 1, 2, 5  # in each of the tables of ITU-T H.273
MATRICES = {BT709, UNSPECIFIED, 4, BT601, 6, 7, 9}
"""Codes of the matrices that swscale converts from and to."""
_LIMITED, _FULL = int(ColorRange.MPEG), int(ColorRange.JPEG)
# what red and blue weigh in luma, by the matrix's code
_WEIGHTS = {BT709: (0.2126, 0.0722), 4: (0.3, 0.11), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
_WEIGHTS_BT601 = (0.299, 0.114)


@dataclass(frozen=True)
class Colours:
    """How a video's numbers become light: codes of ITU-T H.273, and FFmpeg's of the range."""

    matrix: int = BT709
    range: int = _LIMITED
    primaries: int = BT709
    transfer: int = BT709


def even(length: int) -> int:
    """A side made even, as it has to be where colour is stored at half the size."""
    return length + length % 2


def to_picture(image: Image, colours: Colours, pix_fmt: str) -> VideoFrame:
    """An image as a frame for an encoder; odd sides are made even by their last pixels once more.

    Args:
        image: uint8 [H, W, 3] BGR.
        pix_fmt: yuv420p or nv12.
    """
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        border = cv2.BORDER_REPLICATE
        image = np.asarray(cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, border))
    if colours.range == _FULL:
        picture = _full_range(image, colours.matrix)
        return picture if pix_fmt == "yuv420p" else picture.reformat(format=pix_fmt)
    return VideoFrame.from_ndarray(image, format="bgr24").reformat(
        format=pix_fmt,
        dst_colorspace=BT601 if colours.matrix in (UNSPECIFIED, 6) else colours.matrix,
        dst_color_range=colours.range,
        interpolation=EXACT,
    )


def _full_range(image: Image, matrix: int) -> VideoFrame:
    """An image in yuv420p and full range, for which swscale would round colour down: every pass
    turned it greener."""
    red, blue = _WEIGHTS.get(matrix, _WEIGHTS_BT601)
    luma = np.array([blue, 1 - red - blue, red])
    to_blue, to_red = (np.array([1, 0, 0]) - luma), (np.array([0, 0, 1]) - luma)
    rows = np.stack([to_blue / (2 * (1 - blue)), to_red / (2 * (1 - red))])
    height, width = image.shape[:2]
    halved = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    chroma = cv2.transform(halved, np.hstack([rows, [[128], [128]]]))
    planes = [cv2.transform(image, luma[None]), *cv2.split(chroma)]
    flat = np.concatenate([plane.ravel() for plane in planes])
    return VideoFrame.from_ndarray(flat.reshape(-1, width), format="yuv420p")
