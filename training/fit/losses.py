"""Losses: the paper's L1, SSIM and MS-SSIM terms, and ours for focus, time and a teacher.

Pictures are float [n, 3, h, w] RGB in [0, 1], a network's output y is [n, 3 or 4, h, w] (see
`DMSHN`). Every loss is a mean over samples, so that processes can share a batch.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from realtime_bokeh.network.dmshn import split_output
from training.data.optics import dilated

SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # the exponents of MS-SSIM, finest first
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2
_LEAST = 1e-4  # of a scale's term: a power of nothing has no finite slope

# Weights beside the rendering's loss, which counts once. Those of focus are in the proportions that
# worked in a trial where the rendering was held to what it had been: it counted four times as much.
_PICTURE = 1.0  # the recomposed picture: errors of focus where they show
_FOCUS = 0.25  # cross-entropy of each pixel: right everywhere
_DETAIL = 0.5  # the pyramid: L1 favours 0 and 1 where cross-entropy is content with 0.7
_INSIDE = 0.25  # what is not in focus inside: half a doubt there softens a face or a shirt
_COARSE = 0.5  # the pooled map: whole arms and second people, which are few pixels at the edge

_EDGE = 4.0  # weight of cross-entropy at the edge, where errors are seen, over elsewhere
_EDGE_WIDTH = 1 / 48  # of the picture's side: 4 pixels on either side of the edge at 256x144
_LEVELS = 4  # of the pyramid: at 256x144 the coarsest map has 32x18 pixels
_POOLED = 16  # pixels that are one in the coarse map: an arm's width at 256x144


def ssim(a: Tensor, b: Tensor, window: int = 7) -> Tensor:
    """Mean structural similarity (Wang et al. 2004), uniform window, data range 1.

    Args:
        a, b: float [n, c, h, w] in [0, 1], h and w at least `window`.
    """

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, window, 1)

    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    luminance = (2 * ma * mb + _C1) / (ma * ma + mb * mb + _C1)
    return (luminance * (2 * cov + _C2) / (va + vb + _C2)).mean()


def _smooth(x: Tensor) -> Tensor:
    """Gaussian means of [n, 1, h, w]; the window is no larger than the picture."""
    for axis in (2, 3):
        size = min(_WINDOW, x.shape[axis])
        offset = torch.arange(size, dtype=x.dtype, device=x.device) - (size - 1) / 2
        kernel = torch.exp(-(offset**2) / (2 * _SIGMA**2))
        x = F.conv2d(x, (kernel / kernel.sum()).view((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1)))
    return x


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Multi-scale structural similarity (Wang, Simoncelli and Bovik 2003), data range 1.

    Five scales, each half of the one before by 2x2 means; Gaussian window of 11 pixels and sigma
    1.5, at coarse scales of small pictures clipped to them. A channel's value is the product of its
    scales' mean contrast and structure, and of the coarsest scale's luminance; the result is the
    mean over channels and samples.

    Args:
        a, b: float [n, c, h, w] in [0, 1], h and w at least 16.
    """
    samples, channels, height, width = a.shape
    pair = torch.cat([a, b]).reshape(-1, 1, height, width)
    result = torch.ones(samples * channels, dtype=a.dtype, device=a.device)
    for scale, weight in enumerate(SCALES):
        if scale:
            pair = F.avg_pool2d(pair, 2)
        p, q = pair.chunk(2)
        mp, mq, pp, qq, pq = _smooth(torch.cat([p, q, p * p, q * q, p * q])).chunk(5)
        term = (2 * (pq - mp * mq) + _C2) / (pp - mp * mp + qq - mq * mq + _C2)
        if scale == len(SCALES) - 1:
            term = term * (2 * mp * mq + _C1) / (mp * mp + mq * mq + _C1)
        result = result * term.mean((1, 2, 3)).clamp(min=_LEAST) ** weight
    return result.mean()


def _l1_ssim(a: Tensor, b: Tensor) -> Tensor:
    return F.l1_loss(a, b) + 0.1 * (1 - ssim(a, b))


def _ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    return 1 - ms_ssim(a, b)


def _l1_ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    return F.l1_loss(a, b) + 0.1 * (1 - ms_ssim(a, b))


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1_ssim": _l1_ssim,  # the paper's first stage
    "ms_ssim": _ms_ssim,  # its second
    "l1_ms_ssim": _l1_ms_ssim,  # its second in an ablation
}
"""The losses of a rendering against the truth."""


def recompose(bokeh: Tensor, focus: Tensor, sharp: Tensor) -> Tensor:
    """The picture that a viewer gets: what is in focus comes from the camera's own pixels."""
    return bokeh + focus * (sharp - bokeh)


def _edge(focus: Tensor) -> Tensor:
    """How near the edge of focus a pixel is: 1 on the edge of a hard map, 0 away from any edge.

    In a soft map it is the range that focus has nearby.
    """
    height, width = focus.shape[2:]
    reach = max(1, round(_EDGE_WIDTH * (height * width) ** 0.5))

    return dilated(focus, 2 * reach + 1) + dilated(-focus, 2 * reach + 1)


def _pyramid(x: Tensor) -> list[Tensor]:
    """A Laplacian pyramid by 2x2 means: what each halving loses, finest first, and what is left."""
    levels = []
    for _ in range(_LEVELS - 1):
        half = F.avg_pool2d(x, 2)
        levels.append(x - F.interpolate(half, scale_factor=2.0, mode="bilinear"))
        x = half
    return [*levels, x]


def focus_losses(logit: Tensor, focus: Tensor) -> dict[str, Tensor]:
    """The losses of a focus map, weighed as beside a rendering's loss.

    Args:
        logit: float [n, 1, h, w], h and w multiples of 16.
        focus: the truth, float [n, 1, h, w] in [0, 1].

    Returns:
        "focus": binary cross-entropy, heavier in a band about the edge; "detail": L1 over a
        Laplacian pyramid, each level weighed by the side of its pixels (as by Lin et al. 2021 for
        mattes, but with what is left at the end); "inside": how far focus is from 1 inside, away
        from the edge; "coarse": the squared error of the pooled map,
        as the semantic term of MODNet (Ke et al. 2022).
    """
    edge = _edge(focus)
    weight = 1 + (_EDGE - 1) * edge
    found = torch.sigmoid(logit)
    levels = zip(_pyramid(found), _pyramid(focus), strict=True)
    detail = [2**level * F.l1_loss(a, b) / _LEVELS for level, (a, b) in enumerate(levels)]
    coarse = F.mse_loss(F.avg_pool2d(found, _POOLED), F.avg_pool2d(focus, _POOLED))
    inside = F.relu(focus - edge)
    return {
        "inside": _INSIDE * (inside * (1 - found)).mean(),
        "focus": _FOCUS * F.binary_cross_entropy_with_logits(logit, focus, weight),
        "detail": _DETAIL * torch.stack(detail).sum(),
        "coarse": _COARSE * coarse,
    }


def losses_with_focus(
    y: Tensor, sharp: Tensor, bokeh: Tensor, focus: Tensor, rendering_loss: str = "l1_ssim"
) -> dict[str, Tensor]:
    """The losses of a network with the focus head; their sum is what is minimised.

    Args:
        y: the network's output, float [n, 4, h, w].
        sharp, bokeh: float [n, 3, h, w] RGB in [0, 1].
        focus: float [n, 1, h, w] in [0, 1].
        rendering_loss: named in `LOSSES`.

    Returns:
        "rendering": the stage's loss; "picture": an L1 on the recomposed picture; and those of
        `focus_losses`.
    """
    rendering, logit = split_output(y)
    assert logit is not None, "the focus head is trained here"
    picture = recompose(rendering, torch.sigmoid(logit), sharp)
    return {
        "rendering": LOSSES[rendering_loss](rendering, bokeh),
        "picture": _PICTURE * F.l1_loss(picture, bokeh),
        **focus_losses(logit, focus),
    }


def temporal(found: Tensor, truth: Tensor) -> Tensor:
    """L1 of the change of a picture or focus map between two frames against the truth's change.

    Args:
        found, truth: float [2 n, c, h, w], the two frames of a clip one after the other.
    """
    return F.l1_loss(found[1::2] - found[0::2], truth[1::2] - truth[0::2])


def distillation(y: Tensor, teacher: Tensor) -> Tensor:
    """L1 to a teacher's rendering and cross-entropy to its focus map.

    Args:
        y, teacher: outputs of networks with the focus head, float [n, 4, h, w].
    """
    rendering, logit = split_output(y)
    taught, taught_logit = split_output(teacher)
    assert logit is not None
    assert taught_logit is not None
    focus = F.binary_cross_entropy_with_logits(logit, torch.sigmoid(taught_logit))
    return F.l1_loss(rendering, taught) + _FOCUS * focus
