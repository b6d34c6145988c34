"""Losses: the paper's L1 and SSIM terms, and ours for the focus head and the recomposed picture."""

import torch
from torch import Tensor
from torch.nn import functional as F

from realtime_bokeh.network.dmshn import split_output


def ssim(a: Tensor, b: Tensor, window: int = 7) -> Tensor:
    """Mean structural similarity (Wang et al. 2004), uniform window, data range 1.

    Args:
        a, b: float [n, c, h, w] in [0, 1], h and w at least `window`.
    """

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, window, 1)

    c1, c2 = 0.01**2, 0.03**2
    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    luminance = (2 * ma * mb + c1) / (ma * ma + mb * mb + c1)
    return (luminance * (2 * cov + c2) / (va + vb + c2)).mean()


def recompose(bokeh: Tensor, focus: Tensor, sharp: Tensor) -> Tensor:
    """The picture that a viewer gets: what is in focus comes from the camera's own pixels."""
    return bokeh + focus * (sharp - bokeh)


def total(y: Tensor, sharp: Tensor, bokeh: Tensor, focus: Tensor) -> Tensor:
    """The loss of a network with the focus head.

    The paper's first stage on the rendering, L1 + 0.1 (1 - SSIM); half an L1 on the recomposed
    picture; binary cross-entropy, weighed 0.15, on the focus map.

    Args:
        y: the network's output, float [n, 4, h, w].
        sharp, bokeh: float [n, 3, h, w] RGB in [0, 1].
        focus: float [n, 1, h, w] in [0, 1].
    """
    rendering, logit = split_output(y)
    assert logit is not None, "the focus head is trained here"
    picture = recompose(rendering, torch.sigmoid(logit), sharp)
    return (
        F.l1_loss(rendering, bokeh)
        + 0.1 * (1 - ssim(rendering, bokeh))
        + 0.5 * F.l1_loss(picture, bokeh)
        + 0.15 * F.binary_cross_entropy_with_logits(logit, focus)
    )
