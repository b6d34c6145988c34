"""Strength as an aperture: the radius of the blur follows it, as a lens that is stopped down.

A mixture of the sharp picture and its strongest blur keeps every edge under a haze; a lens at half
its aperture gives circles of confusion of half the radius. The network renders the open aperture
alone, so smaller ones come from its input, which is a slight blur of the frame by itself, and from
that input convolved with discs. A lens keeps the light that it gathers, and so all of this is done
in linear light: the picture is no darker at one strength than at another. A gamma of 2 is near
enough for that, and a square and its root are quick in every runtime.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# strengths at which the lens is as soft as: the network's input, a disc of a third and of two
# thirds of the network's largest radius (6 pixels of its input at 256x144), the network
_INPUT, _SMALL, _LARGE, _OPEN = 1 / 6, 1 / 3, 2 / 3, 1.0


def _disc(radius: int) -> Tensor:
    """A disc of soft edges as a kernel for each of four channels."""
    offset = torch.arange(-radius, radius + 1.0)
    distance = (offset[:, None] ** 2 + offset[None] ** 2).sqrt()
    return (radius + 0.5 - distance).clamp(0, 1).repeat(4, 1, 1, 1)


class Aperture(nn.Module):
    """A rendering and its focus map at a smaller aperture than the network's.

    What is in focus is left out of the discs (normalised convolution), so that its colours do not
    spill over what is behind it.

    Forward:
        image, bokeh: float [1, 3, h, w] in [0, 1], the network's input and its rendering; h and w
            even.
        focus: float [1, 1, h, w] in [0, 1].
        strength: scalar in [0, 1]: 1 is the rendering as it is; at 0 all is in focus.

    Returns:
        The rendering and the focus map.
    """

    small: Tensor
    large: Tensor

    def __init__(self) -> None:
        super().__init__()
        # buffers, not made while running: accelerators want constant kernels
        self.register_buffer("small", _disc(1), persistent=False)
        self.register_buffer("large", _disc(2), persistent=False)

    def forward(
        self, image: Tensor, bokeh: Tensor, focus: Tensor, strength: Tensor
    ) -> tuple[Tensor, Tensor]:
        def reached(begin: float, end: float) -> Tensor:
            return ((strength - begin) / (end - begin)).clamp(0, 1)

        away = 1 - focus
        weight = away + 1e-3  # so that there is a blur where all is in focus
        result = image * image
        half = F.avg_pool2d(torch.cat([result * weight, weight], 1), 2)  # a quarter of the work
        small, large = (_normalised(half, kernel) for kernel in (self.small, self.large))
        discs = small + reached(_SMALL, _LARGE) * (large - small)
        discs = F.interpolate(discs, scale_factor=2.0, mode="bilinear", align_corners=False)
        result = result + reached(_INPUT, _SMALL) * (discs - result)
        result = result + reached(_LARGE, _OPEN) * (bokeh * bokeh - result)
        return torch.relu(result).sqrt(), 1 - reached(0, _INPUT) * away


def _normalised(light: Tensor, kernel: Tensor) -> Tensor:
    """Weighted light [1, 4, h, w] convolved, [1, 3, h, w]; beyond the border nothing weighs."""
    total = F.conv2d(light, kernel, padding=kernel.shape[-1] // 2, groups=4)
    return total[:, :3] * (1 / total[:, 3:])  # phones' accelerators do not broadcast a divisor
