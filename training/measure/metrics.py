"""How good a rendering is: against the truth, without one, and in time.

Images are uint8 [h, w, 3] BGR, as the program has them; those that are compared have one size.
"""

import functools
import itertools
import socket
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from realtime_bokeh.extras import install_hint
from realtime_bokeh.frame import Image

Mask = NDArray[np.bool_]
Flow = NDArray[np.float32]  # [h, w, 2]: across, down

MARGIN = 8  # pixels off a mask's edge on either side that are not counted
EDGE = 4  # pixels on either side of a mask's edge that are the edge
_DETAIL_MARGIN = 5  # pixels inside a mask's edge in which no detail is looked for
_DETAIL_WINDOW = 17  # pixels, the side of a square
_DETAIL_FLOOR = 10.0  # levels squared: less Laplacian energy is noise
_DETAIL_SHARE = 0.4  # of its energy; detail that has less is lost
_HIGHEST_PSNR = 100.0  # dB; stands for pictures that are equal, so that means stay finite


def psnr(output: Image, truth: Image) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels, peak 255; infinite for equal
    pictures."""
    with np.errstate(divide="ignore"):
        return float(peak_signal_noise_ratio(truth, output, data_range=255))


def ssim(output: Image, truth: Image) -> float:
    """Structural similarity as the authors' eval.py takes it: uniform 7x7 window with the sample
    covariance, data range 255, mean over channels (scikit-image's default)."""
    return float(structural_similarity(truth, output, channel_axis=2, data_range=255))


def ssim_gaussian(output: Image, truth: Image) -> float:
    """Structural similarity as others publish it (Wang et al. 2004): Gaussian window of sigma 1.5,
    data range 255, mean over channels."""
    return float(
        structural_similarity(
            truth, output, channel_axis=2, data_range=255,
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )
    )  # fmt: skip


@functools.cache
def _lpips() -> tuple[Callable[..., torch.Tensor] | None, str | None]:
    """The metric, or why there is none."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(15)  # torch's download of AlexNet would wait for minutes
    try:
        import lpips

        return lpips.LPIPS(net="alex", version="0.1", verbose=False), None
    except ImportError as error:
        return None, f"LPIPS is left out: {error}; {install_hint('lpips')}"
    except Exception as error:  # no network, a damaged cache, a torchvision of another torch
        problem = str(error).splitlines()[0]
        return None, (
            f"LPIPS is left out: {problem}; it needs the torchvision that belongs to the torch "
            "installed, and AlexNet's weights: alexnet-owt-7be5be79.pth, downloaded or put into "
            f"{torch.hub.get_dir()}/checkpoints"
        )
    finally:
        socket.setdefaulttimeout(before)


def why_no_lpips() -> str | None:
    """The sentence that says why `lpips_distance` gives None, if it does."""
    return _lpips()[1]


@torch.inference_mode()
def lpips_distance(output: Image, truth: Image) -> float | None:
    """LPIPS v0.1 with AlexNet (Zhang et al. 2018), on RGB in [-1, 1], as in the authors' eval.py;
    less is better. None where the package or AlexNet's weights cannot be had."""
    network = _lpips()[0]
    if network is None:
        return None
    pictures = [np.ascontiguousarray(p[..., ::-1]).transpose(2, 0, 1) for p in (output, truth)]
    a, b = (torch.from_numpy(p)[None].float() / 127.5 - 1 for p in pictures)
    return float(network(a, b))


Scores = dict[str, float | None]


def quality(output: Image, truth: Image) -> Scores:
    """psnr (at most 100 dB), ssim, ssim_gaussian and lpips of a picture."""
    return {
        "psnr": min(psnr(output, truth), _HIGHEST_PSNR),
        "ssim": ssim(output, truth),
        "ssim_gaussian": ssim_gaussian(output, truth),
        "lpips": lpips_distance(output, truth),
    }


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """The mean of each; None where one is missing."""

    def mean(values: list[float | None]) -> float | None:
        known = [v for v in values if v is not None]
        return float(np.mean(known)) if len(known) == len(values) else None

    return {name: mean([s[name] for s in scores]) for name in scores[0]}


def in_focus_psnr(image: Image, output: Image, mask: Mask) -> float:
    """How well a subject is kept: PSNR in dB of the output against the input inside the mask (bool
    [h, w]) eroded by 8 pixels; at most 108."""
    inside = _moved(mask, cv2.MORPH_ERODE, MARGIN)
    difference = image[inside].astype(np.float64) - output[inside]
    return float(10 * np.log10(255**2 / max((difference**2).mean(), 1e-6)))


def background_energy(image: Image, output: Image, mask: Mask) -> float:
    """What is left of the background's detail: Laplacian energy outside the mask (bool [h, w])
    dilated by 8 pixels, over the input's."""
    outside = ~_moved(mask, cv2.MORPH_DILATE, MARGIN)

    def energy(picture: Image) -> float:
        return float(_laplacian_energy(picture)[outside].mean(dtype=np.float64))

    return energy(output) / max(energy(image), 1e-9)


class Detail(NamedTuple):
    """Pixels of a person that have detail, and how many of them lost it."""

    pixels: int
    lost: int

    @property
    def share(self) -> float:
        """Of the pixels, that lost it."""
        return self.lost / max(self.pixels, 1)


def detail_lost(image: Image, output: Image, mask: Mask) -> Detail:
    """How much of a person's detail is blurred away.

    The energy of a pixel is the squared Laplacian (3x3, of the gray picture in levels of 255),
    averaged over a window of 17x17 pixels. A pixel has detail when the input's energy is over 10
    and it lies inside the mask (bool [h, w]) eroded by a disc of 5 pixels; where the picture's
    border cuts the mask nothing is eroded. It lost it when the output has less than 40% of the
    input's energy.
    """
    before, after = (
        cv2.blur(_laplacian_energy(picture), (_DETAIL_WINDOW, _DETAIL_WINDOW))
        for picture in (image, output)
    )
    detailed = _moved(mask, cv2.MORPH_ERODE, _DETAIL_MARGIN) & (before > _DETAIL_FLOOR)
    lost = detailed & (after < _DETAIL_SHARE * before)
    return Detail(int(detailed.sum()), int(lost.sum()))


def _laplacian_energy(image: Image) -> NDArray[np.float32]:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return np.asarray(cv2.Laplacian(grey, cv2.CV_32F) ** 2)


def _moved(mask: Mask, operation: int, pixels: int) -> Mask:
    """A mask with its edge moved by a distance, by `cv2.MORPH_ERODE` or `cv2.MORPH_DILATE`. The
    picture's border is no edge."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), operation, kernel)) > 0


def intersection_over_union(a: Mask, b: Mask) -> float:
    """Of two bool arrays of one shape; 1 when both are empty."""
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 1.0


def edge_iou(found: Mask, mask: Mask) -> float | None:
    """The intersection over union of a found mask and the true one (bool [h, w]) within 4 pixels of
    the true one's edge: in the difference between the mask dilated and eroded by a disc of that
    radius. None when the mask has no edge, since it is all of the picture or nothing."""
    band = _moved(mask, cv2.MORPH_DILATE, EDGE) & ~_moved(mask, cv2.MORPH_ERODE, EDGE)
    return intersection_over_union(found & band, mask & band) if band.any() else None


def temporal_error(outputs: Sequence[Image], truths: Sequence[Image]) -> float:
    """How unlike the truth's a clip's changes are: the mean absolute difference between the changes
    from frame to frame of the output and of the truth, in levels of 255."""

    def changes(frames: Sequence[Image]) -> NDArray[np.int16]:
        return np.asarray(np.diff(np.stack(frames).astype(np.int16), axis=0), np.int16)

    return float(np.abs(changes(outputs) - changes(truths)).mean())


class WarpingError:
    """E_warp (Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018), for clips that
    have no truth: how much a frame differs from the next one warped onto it.

    The mean squared difference, of values in [0, 1], over pixels that are seen in both frames
    (Ruder et al. 2016: forward and backward flow agree, no motion boundary). The flow is DIS
    (Kroeger et al. 2016) of the input, so that a blurry output is judged by the real motion.

    Args:
        frames: the input clip, at least two frames.
    """

    def __init__(self, frames: Sequence[Image]) -> None:
        grey = [np.asarray(cv2.cvtColor(f, cv2.COLOR_BGR2GRAY)) for f in frames]
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._warps: list[tuple[Flow, Mask]] = []
        for one, two in itertools.pairwise(grey):
            start = np.zeros((*one.shape, 2), np.float32)
            forward = np.asarray(dis.calc(one, two, start.copy()), np.float32)
            backward = np.asarray(dis.calc(two, one, start.copy()), np.float32)
            where = _grid(forward) + forward
            self._warps.append((where, _seen_in_both(forward, _warp(backward, where))))

    def __call__(self, outputs: Sequence[Image]) -> float:
        """Of the output clip, which has the input's frames."""
        errors = []
        pairs = itertools.pairwise(outputs)
        for (where, seen), (one, two) in zip(self._warps, pairs, strict=True):
            difference = (_warp(two.astype(np.float32), where) - one) / 255
            errors.append((difference[seen] ** 2).mean() if seen.any() else 0.0)
        return float(np.mean(errors))


def _grid(flow: Flow) -> Flow:
    """The place of every pixel."""
    ys, xs = np.indices(flow.shape[:2], np.float32)
    return np.dstack([xs, ys])


def _warp(values: NDArray[Any], places: Flow) -> NDArray[Any]:
    """What an image or a flow has at these places."""
    xs, ys = cv2.split(places)
    return np.asarray(cv2.remap(values, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _seen_in_both(forward: Flow, backward: Flow) -> Mask:
    """Bool [h, w]; `backward` is the backward flow at the places that the forward flow leads to."""

    def square(flow: Flow) -> NDArray[np.float32]:
        return np.asarray((flow**2).sum(2))

    moved = square(forward) + square(backward)
    agree = square(forward + backward) <= 0.01 * moved + 0.5
    gradients = [np.gradient(forward[..., axis]) for axis in (0, 1)]
    steep = sum(g**2 for pair in gradients for g in pair)
    return np.asarray(agree & (steep <= 0.01 * square(forward) + 0.002))
