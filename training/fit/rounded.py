"""A first network that computes as coarsely as int8, and a second one that learns behind it.

In int8 the second network of `stacked` sees a rendering in which the first one's rounding has left
its grain, and is less sure of what is in focus, before bright plain walls most. It learns to do
without what the rounding takes when that is done while it learns, as by Jacob et al.,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (CVPR
2018), here for one half of the network.
"""

import copy

import torch
from torch import Tensor, nn

from realtime_bokeh.network.dmshn import StackedDMSHN

# Of what goes into a convolution. On held-out pictures of people with hats and curls, 128 levels
# cost `stacked` 0.021 of focus IoU and 256 levels 0.005; its int8 graph loses 0.017.
_LEVELS = 128
_WEIGHT_LEVELS = 127  # on either side of 0


class BehindRounded(StackedDMSHN):
    """StackedDMSHN whose second network sees what the first one renders in rounded arithmetic.

    Parameters, shapes and ranges as there. The first network does not learn: it is rounded as it is
    at the first call.
    """

    def __init__(self, focus_head: bool = False, finer: int = 1) -> None:
        super().__init__(focus_head=focus_head, finer=finer)
        self._rounded: list[nn.Module] = []  # a list, so that its parameters are not ours

    def forward(self, x: Tensor) -> Tensor:
        if not self._rounded:
            self._rounded.append(rounded(self.net1))
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            rendering = self._rounded[0](x.float())
        return self.refine(x, rendering)


def rounded(network: nn.Module) -> nn.Module:
    """A copy of a network whose convolutions round: their weights, to a scale for each channel that
    they give, and what they are given, to a scale for all of it.

    That scale follows from the mean of the pictures' extremes, as in the int8 graphs, here of those
    in the batch; what lies beyond is cut off.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            others = [0, 2, 3] if isinstance(layer, nn.ConvTranspose2d) else [1, 2, 3]
            scale = layer.weight.abs().amax(others, keepdim=True).clamp(min=1e-12) / _WEIGHT_LEVELS
            layer.weight.copy_((layer.weight / scale).round() * scale)
            layer.register_forward_pre_hook(_round)
    return network


def _round(_layer: nn.Module, inputs: tuple[Tensor]) -> Tensor:
    (x,) = inputs
    low, high = x.amin((1, 2, 3)).mean().clamp(max=0), x.amax((1, 2, 3)).mean().clamp(min=1e-6)
    scale = (high - low) / (_LEVELS - 1)
    zero = (-low / scale).round()
    return ((x / scale).round() + zero).clamp(0, _LEVELS - 1).sub(zero) * scale
