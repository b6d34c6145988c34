"""A recursive filter in time: still regions settle, moving ones follow at once.

Focus rises more readily than it falls, so that a hand which comes in is shown at once. A change of
exposure or white balance is taken out of the past first, so that it is no motion; and where most of
the picture changes, as at a scene cut, there is no past.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

STATE_CHANNELS = 8  # image (3), rendering (3), focus (1), and 1 where there was a frame before
_WINDOW = 5  # pixels, over which the difference of two frames is averaged
_RENDERING = (0.02, 0.08)  # such differences: the past counts in full below, not at all above
_FOCUS = (0.005, 0.03)  # the same for focus, beyond the noise
_RISE = 2.0  # by how much sooner a region counts as moving where focus rises
_LOUDEST = 0.02  # the most that counts as noise
_CUT = (0.3, 0.45)  # shares of the picture that move: nothing below, a scene cut above
_STRONGEST, _STRONGEST_FOCUS = 0.85, 0.95  # weight of the past in a still region at smoothing 1
_CELL = 16  # pixels; both sides of a picture are multiples of it
_UNALIKE = 0.03  # cells that differ by more say little about the exposure
_PRIOR = 1e-4  # of a gain of 1; in the dark it decides


def exposure(image: Tensor, before: Tensor) -> Tensor:
    """How much brighter than an image another is in each channel, float [n, 3, 1, 1].

    The gain that most cells of the picture agree on, by weighted least squares, twice: what moves
    differs from the rest and weighs little (Lorentzian weights).

    Args:
        image, before: float [n, 3, h, w] in [0, 1]; h and w multiples of 16.
    """
    now, then = F.avg_pool2d(image, _CELL), F.avg_pool2d(before, _CELL)
    gain = torch.ones_like(now[:, :, :1, :1])
    for _ in range(2):
        error = (now - gain * then) / _UNALIKE
        weighted = then * (1 / (1 + error * error))
        gain = (_mean(weighted * now) + _PRIOR) / (_mean(weighted * then) + _PRIOR)
    return gain


def change(image: Tensor, before: Tensor) -> Tensor:
    """The local mean difference of two images [n, 3, h, w] in [0, 1], float [n, 1, h, w]."""
    # a mean over channels, which XNNPACK has as a convolution only
    third = torch.full((1, 3, 1, 1), 1 / 3, dtype=image.dtype, device=image.device)
    difference = F.conv2d((image - before).abs(), third)
    return F.avg_pool2d(difference, _WINDOW, 1, _WINDOW // 2, count_include_pad=False)


def beyond_noise(changed: Tensor) -> Tensor:
    """`change` without what all of the picture shares: the camera's noise, up to a limit."""
    noise = _mean(changed - torch.relu(changed - _LOUDEST))
    return torch.relu(changed - noise)


def smooth(
    image: Tensor, bokeh: Tensor, focus: Tensor, state: Tensor, smoothing: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Filter a rendering and its focus map against the previous frame's.

    Args:
        image, bokeh: float [1, 3, h, w] in [0, 1]; h and w multiples of 16.
        focus: float [1, 1, h, w] in [0, 1].
        state: float [1, 8, h, w] as returned for the previous frame; zeros at the first frame.
        smoothing: scalar in [0, 1]; 0 leaves every frame as it is.

    Returns:
        The filtered rendering, the filtered focus map, the state for the next frame.
    """
    gain = exposure(image, state[:, :3])
    changed = change(image, (state[:, :3] * gain).clamp(0, 1))
    moved = beyond_noise(changed)
    past = state[:, 7:] * (1 - _ramp(_mean(_ramp(moved, _FOCUS)), _CUT))

    weight = past * (smoothing * _STRONGEST) * (1 - _ramp(changed, _RENDERING))
    bokeh = bokeh + weight * ((state[:, 3:6] * gain).clamp(0, 1) - bokeh)

    weight = past * (smoothing * (2 - smoothing) * _STRONGEST_FOCUS)
    rise, fall = torch.relu(focus - state[:, 6:7]), torch.relu(state[:, 6:7] - focus)
    held_down = rise * (1 - _ramp(_RISE * moved, _FOCUS))
    held_up = fall * (1 - _ramp(moved, _FOCUS))
    focus = focus + weight * (held_up - held_down)
    return bokeh, focus, torch.cat([image, bokeh, focus, torch.ones_like(focus)], 1)


def _mean(x: Tensor) -> Tensor:
    """Over the picture, [n, c, 1, 1]."""
    return x.mean((2, 3), keepdim=True)


def _ramp(x: Tensor, ends: tuple[float, float]) -> Tensor:
    """From 0 at the first end to 1 at the second."""
    low, high = ends
    return ((x - low) / (high - low)).clamp(0, 1)
