"""Losses: the paper's L1, SSIM and MS-SSIM terms, and ours for focus, time and a teacher.

Pictures are float [n, 3, h, w] RGB in [0, 1], a network's output y is [n, 3 or 4, h, w] (see
`DMSHN`). Every loss is a mean over samples, so that processes can share a batch.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from realtime_bokeh.network.dmshn import split_output

SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # the exponents of MS-SSIM, finest first
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2
_LEAST = 1e-4  # of a scale's term: a power of nothing has no finite slope

_PICTURE, _FOCUS = 0.5, 0.15  # weights beside the rendering's loss


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


def focus_loss(logit: Tensor, focus: Tensor) -> Tensor:
    """Binary cross-entropy of a focus map's logit, weighed as beside a rendering's loss.

    Args:
        logit: float [n, 1, h, w].
        focus: float [n, 1, h, w] in [0, 1].
    """
    return _FOCUS * F.binary_cross_entropy_with_logits(logit, focus)


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
        "rendering": the stage's loss; "picture": half an L1 on the recomposed picture; "focus":
        binary cross-entropy, weighed 0.15, on the focus map.
    """
    rendering, logit = split_output(y)
    assert logit is not None, "the focus head is trained here"
    picture = recompose(rendering, torch.sigmoid(logit), sharp)
    return {
        "rendering": LOSSES[rendering_loss](rendering, bokeh),
        "picture": _PICTURE * F.l1_loss(picture, bokeh),
        "focus": focus_loss(logit, focus),
    }


def temporal(picture: Tensor, truth: Tensor) -> Tensor:
    """L1 of a picture's change between two frames against the truth's change.

    Args:
        picture, truth: float [2 n, 3, h, w], the two frames of a clip one after the other.
    """
    return F.l1_loss(picture[1::2] - picture[0::2], truth[1::2] - truth[0::2])


def distillation(y: Tensor, teacher: Tensor) -> Tensor:
    """L1 to a teacher's rendering and the focus loss to its focus map.

    Args:
        y, teacher: outputs of networks with the focus head, float [n, 4, h, w].
    """
    rendering, logit = split_output(y)
    taught, taught_logit = split_output(teacher)
    assert logit is not None
    assert taught_logit is not None
    return F.l1_loss(rendering, taught) + focus_loss(logit, torch.sigmoid(taught_logit))
