"""Images as the numbers that video stores, and what those mean."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from realtime_bokeh.frame import EXACT, DeepImage, Image
from realtime_bokeh.hdr import UNKNOWN, Light

RGB, BT709, UNSPECIFIED, BT601 = 0, 1, 2, 5  # in each of the tables of ITU-T H.273
MATRICES = {BT709, UNSPECIFIED, 4, BT601, 6, 7, 9}
"""Codes of the matrices that swscale converts from and to."""
_LIMITED, _FULL = int(ColorRange.MPEG), int(ColorRange.JPEG)
# what red and blue weigh in luma, by the matrix's code
_WEIGHTS = {BT709: (0.2126, 0.0722), 4: (0.3, 0.11), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
_WEIGHTS_BT601 = (0.299, 0.114)


@dataclass(frozen=True)
class Colours:
    """How a video's numbers become light: codes of ITU-T H.273, and FFmpeg's of the range.

    light: of high dynamic range.
    """

    matrix: int = BT709
    range: int = _LIMITED
    primaries: int = BT709
    transfer: int = BT709
    light: Light = UNKNOWN

    def of_clear(self, pix_fmt: str) -> "Colours":
        """The same for frames that are transparent: RGB as it is, or YUV in limited range, the one
        that ProRes and VP9's players know."""
        rgb = pix_fmt == "bgra"
        return replace(self, matrix=RGB if rgb else self.matrix, range=_FULL if rgb else _LIMITED)


def even(length: int) -> int:
    """A side made even, as it has to be where colour is stored at half the size."""
    return length + length % 2


def to_picture(image: Image | DeepImage, colours: Colours, pix_fmt: str) -> VideoFrame:
    """An image as a frame for an encoder; odd sides are made even by their last pixels once more.

    Args:
        image: uint8 or uint16 [H, W, 3] BGR, or uint8 [H, W, 4] with opacity.
        pix_fmt: yuv420p or nv12; of uint16, yuv420p10le; with opacity, bgra, or yuva of limited
            range.
    """
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        border = cv2.BORDER_REPLICATE
        image = np.asarray(cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, border))
    clear = image.shape[2] == 4
    if colours.range == _FULL and not clear:
        picture = _full_range(image, colours.matrix)
        return picture if pix_fmt != "nv12" else picture.reformat(format=pix_fmt)
    if image.dtype == np.uint16:
        rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint16)
        picture = VideoFrame.from_ndarray(rgb, format="gbrp16le")
    else:
        picture = VideoFrame.from_ndarray(image, format="bgra" if clear else "bgr24")
    if pix_fmt == "bgra":
        return picture
    return picture.reformat(
        format=pix_fmt,
        dst_colorspace=BT601 if colours.matrix in (UNSPECIFIED, 6) else colours.matrix,
        dst_color_range=colours.range,
        interpolation=EXACT,
    )


def _full_range(image: Image | DeepImage, matrix: int) -> VideoFrame:
    """An image in yuv420p or yuv420p10le and full range, for which swscale would round colour down:
    every pass turned it greener, and in 10 bits brighter."""
    deep = image.dtype == np.uint16
    share, middle = (1 / 64, 512) if deep else (1, 128)
    red, blue = _WEIGHTS.get(matrix, _WEIGHTS_BT601)
    luma = np.array([blue, 1 - red - blue, red])
    to_blue, to_red = (np.array([1, 0, 0]) - luma), (np.array([0, 0, 1]) - luma)
    rows = share * np.stack([to_blue / (2 * (1 - blue)), to_red / (2 * (1 - red))])
    height, width = image.shape[:2]
    halved = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    chroma = cv2.transform(halved, np.hstack([rows, [[middle], [middle]]]))
    planes = [cv2.transform(image, share * luma[None]), *cv2.split(chroma)]
    flat = np.concatenate([plane.ravel() for plane in planes])
    if deep:
        flat = np.minimum(flat, 1023)  # 16 bits hold a little more
    pix_fmt = "yuv420p10le" if deep else "yuv420p"
    return VideoFrame.from_ndarray(flat.reshape(-1, width), format=pix_fmt)
