"""What is in focus, cut out: how much of each pixel belongs to it, and its own colours there.

A pixel at an edge shows a mixture of what is in front and what is behind. If it kept its colour,
what was behind would surround the person as a halo. Its own share is estimated as Forte and Pitié
do ("Approximate Fast Foreground Colour Estimation", ICIP 2021): from the mean colours of both sides
nearby, corrected by what the pixel shows. The means are taken of a small picture.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_bokeh.frame import Image
from realtime_bokeh.recompose import enlarge_focus
from realtime_bokeh.sizes import Size

_OUT, _IN = 0.1, 0.9  # focus at which nothing of a pixel is kept, and at which all of it is
_CURVE = np.rint(np.interp(np.arange(256) / 255, (_OUT, _IN), (0, 255))).astype(np.uint8)
_COARSER = 2  # than the focus map is the picture of which mean colours are taken
_NEAR, _FAR = 5, 31  # pixels of that: sides of the windows in which they are
_LITTLE = 0.02  # the share beside which the far window counts as much as the near one


class Cutout(NamedTuple):
    """What is in focus, without what is not.

    colours: uint8 [H, W, 3] BGR, not multiplied by the opacity; where that is 0, they are blurred
        from what is in focus, so that nothing of the rest can be made out.
    opacity: uint8 [H, W], the share of each pixel that is in focus, of 255.
    """

    colours: Image
    opacity: Image


def cut_out(image: Image, focus: NDArray[Any]) -> Cutout:
    """Cut out of an image what is in focus.

    Args:
        image: uint8 [H, W, 3] BGR.
        focus: float32 [h, w] in [0, 1], 1 in focus; the whole image at a smaller size.
    """
    levels = cv2.convertScaleAbs(focus, alpha=255)
    large = image.shape[1::-1]
    small = tuple(max(1, side // _COARSER) for side in focus.shape[::-1])
    # the curve comes after the enlargement: an edge is as smooth, and sharper
    opacity = cv2.LUT(enlarge_focus(focus, Size.of(image)), _CURVE)
    shrunk = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA))
    inside = cv2.resize(cv2.LUT(levels, _CURVE), small, interpolation=cv2.INTER_AREA)
    share = np.asarray(inside, np.float32) / 255
    in_front = cv2.resize(_mean_colours(shrunk, share), large)
    behind = cv2.resize(_mean_colours(shrunk, 1 - share), large)

    colours = np.asarray(in_front)
    cv2.copyTo(image, cv2.inRange(opacity, 255, 255), colours)
    edge, weight = _edge(opacity)
    ours, theirs, seen = (_at(edge, array) for array in (in_front, behind, image))
    mixed = theirs + weight * (ours - theirs)
    colours.reshape(-1, 3)[edge] = np.clip(np.rint(ours + weight * (seen - mixed)), 0, 255)
    return Cutout(colours, np.asarray(opacity))


def over(cutout: Cutout, background: Image) -> Image:
    """A cutout over a background, uint8 [H, W, 3] BGR of the same size, as a new array."""
    colours, opacity = cutout
    result = background.copy()
    cv2.copyTo(colours, cv2.inRange(opacity, 255, 255), result)
    edge, weight = _edge(opacity)
    ours, theirs = (_at(edge, array) for array in (colours, background))
    result.reshape(-1, 3)[edge] = np.rint(theirs + weight * (ours - theirs))
    return result


def _edge(opacity: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Indices of the pixels that are neither opaque nor clear, few as a rule, and the opacity of
    each: float32 [n, 1], 1 being opaque."""
    # NumPy finds what is true several times as fast as what is not 0
    found = np.flatnonzero(np.asarray(cv2.inRange(opacity, 1, 254)).view(bool))
    return found, opacity.reshape(-1, 1)[found] / np.float32(255)


def _at(pixels: NDArray[Any], image: Any) -> NDArray[Any]:
    """The pixels of these indices, float32 [n, 3]."""
    return np.asarray(image).reshape(-1, 3).take(pixels, 0).astype(np.float32)


def _mean_colours(image: Image, share: NDArray[Any]) -> Image:
    """The mean colour around each pixel of what has a share in them, float32 in [0, 1]."""
    weight = share * share  # mixtures say less
    weighted = np.dstack([image * weight[..., None], weight])
    near, far = (np.asarray(cv2.blur(weighted, (side, side))) for side in (_NEAR, _FAR))
    rest = far[..., :3] / np.maximum(far[..., 3:], _LITTLE)
    mean = (near[..., :3] + _LITTLE * rest) / (near[..., 3:] + _LITTLE)
    return np.clip(np.rint(mean), 0, 255).astype(np.uint8)
