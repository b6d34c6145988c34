"""The focus map: from the focus head, or by regression where a network has none."""

import torch
from torch import Tensor
from torch.nn import functional as F

_WINDOW = 9  # pixels at the network's size
_EPSILON = 1e-4  # variance below which a window counts as flat; data range 1


def _mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, _WINDOW, 1, _WINDOW // 2, count_include_pad=False)


def regressed_focus(image: Tensor, bokeh: Tensor) -> Tensor:
    """How much of its input's detail a rendering kept.

    The slope of the local linear regression of the rendering on the image, as in the guided
    filter (He, Sun and Tang, "Guided Image Filtering", PAMI 2013).

    Args:
        image, bokeh: float [n, 3, h, w] RGB in [0, 1].

    Returns:
        float [n, 1, h, w]: 1 where detail was kept, 0 where it was blurred away.
    """
    mean = _mean(image)
    variance = (_mean(image * image) - mean * mean).sum(1, keepdim=True)
    covariance = (_mean(image * bokeh) - mean * _mean(bokeh)).sum(1, keepdim=True)
    return _mean((covariance / (variance + _EPSILON)).clamp(0, 1))


def focus_map(image: Tensor, bokeh: Tensor, logit: Tensor | None) -> Tensor:
    """Focus, float [n, 1, h, w] in [0, 1], 1 in focus; `logit` is the focus head's, if any."""
    return regressed_focus(image, bokeh) if logit is None else torch.sigmoid(logit)
