"""A recursive filter in time, gated by motion: still regions settle, moving ones follow at once."""

import torch
from torch import Tensor
from torch.nn import functional as F

STATE_CHANNELS = 8  # image (3), rendering (3), focus (1), and 1 where there was a frame before
_STILL, _MOVING = 0.02, 0.08  # local mean difference of frames: noise below, motion above
_WINDOW = 5
_STRONGEST = 0.85  # weight of the past in a still region at smoothing 1


def motion(image: Tensor, before: Tensor) -> Tensor:
    """Float [n, 1, h, w] in [0, 1]: 0 where two images [n, 3, h, w] differ by noise only."""
    # a mean over channels, which XNNPACK has as a convolution only
    third = torch.full((1, 3, 1, 1), 1 / 3, dtype=image.dtype, device=image.device)
    difference = F.conv2d((image - before).abs(), third)
    near = F.avg_pool2d(difference, _WINDOW, 1, _WINDOW // 2, count_include_pad=False)
    return ((near - _STILL) / (_MOVING - _STILL)).clamp(0, 1)


def smooth(
    image: Tensor, bokeh: Tensor, focus: Tensor, state: Tensor, smoothing: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Filter a rendering and its focus map against the previous frame's.

    Args:
        image, bokeh: float [1, 3, h, w] in [0, 1].
        focus: float [1, 1, h, w] in [0, 1].
        state: float [1, 8, h, w] as returned for the previous frame; zeros at the first frame.
        smoothing: scalar in [0, 1]; 0 leaves every frame as it is.

    Returns:
        The filtered rendering, the filtered focus map, the state for the next frame.
    """
    seen = state[:, 7:]
    past = seen * smoothing * _STRONGEST * (1 - motion(image, state[:, :3]))
    bokeh = bokeh + past * (state[:, 3:6] - bokeh)
    focus = focus + past * (state[:, 6:7] - focus)
    return bokeh, focus, torch.cat([image, bokeh, focus, torch.ones_like(focus)], 1)
