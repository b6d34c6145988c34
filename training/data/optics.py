"""A lens with a large aperture, in linear light: layers blurred by their circle of confusion.

Each plane of a scene is cut into layers by its circle of confusion. A layer and its coverage are
convolved with the image of the aperture, then all are composited from near to far, so that what is
in front of the focus spills over it and what is behind does not (Kraus and Strengert,
"Depth-of-Field Rendering by Pyramidal Image Processing", Eurographics 2007, without the pyramid).
A lens keeps the light it gathers: a scene is as bright after as before, in linear light (the mean
of gamma-coded values rises a little, as it does in real optical pairs). Small clipped highlights
alone are lifted before they are spread, since their white stands for more light than the photo
could hold; bright skies and walls are not.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

GAMMA = 2.2  # of photographs and of what is rendered
BLUR_SCALE = 0.032  # largest radius over sqrt(height * width): 2.4% of the width at 16:9
# circles of confusion of the layers, over the largest: negative is nearer than the focus
LEVELS = (-1.0, -0.6, -0.32, -0.16, 0.0, 0.16, 0.32, 0.52, 0.75, 1.0)
_CLIPPED = 0.9  # linear light from which on a photo may have been clipped, up to 1
_LIFT = 1.5  # how much light is added to a clipped point, over what the photo holds
_NODES = 3  # across and down, between which the shape of a cat's eye is interpolated


@dataclass(frozen=True)
class Lens:
    """The shape of the aperture.

    Args:
        blades: of the diaphragm, from 5 up; 0 is a disc.
        roundness: 0 for straight blades up to 1 for a disc.
        rotation: of the polygon, in radians.
        cats_eye: how far the barrel clips the aperture in the picture's corners, as a share of its
            diameter: 0 (not at all) to about 0.6.
    """

    blades: int = 0
    roundness: float = 0.3
    rotation: float = 0.3
    cats_eye: float = 0.0


class Plane(NamedTuple):
    """A part of the scene: light float32 [n, 3, h, w], linear RGB in [0, 1], not premultiplied;
    alpha [n, 1, h, w]; coc [n, 1, h, w] in [-1, 1], the signed circle of confusion over the
    largest."""

    light: Tensor
    alpha: Tensor
    coc: Tensor


def largest_radius(height: int, width: int) -> float:
    """The largest circle of confusion's radius in pixels for a picture of this size."""
    return BLUR_SCALE * math.sqrt(height * width)


def lens_blur(planes: Sequence[Plane], lens: Lens) -> tuple[Tensor, Tensor]:
    """Render planes, given from back to front; the hindmost has to cover the picture.

    Returns:
        Light [n, 3, h, w], linear in [0, 1], and focus [n, 1, h, w]: the share of it that comes
        from where the circle of confusion is nothing.
    """
    light, focus = torch.zeros_like(planes[0].light), torch.zeros_like(planes[0].alpha)
    left = torch.ones_like(focus)  # what nothing has covered yet
    largest = largest_radius(*light.shape[2:])
    lifted = [_lifted(plane.light, largest) for plane in planes]
    for level, number, weight in _sheets(planes, LEVELS):
        if level == 0:
            layer = torch.cat([planes[number].light * weight, weight], 1)
        else:
            layer = torch.cat([lifted[number] * weight, weight], 1)
            layer = _blur(layer, abs(level) * largest, lens)
        cover = layer[:, 3:].clamp(min=1e-6)
        # Shares of one plane add up to 1, so covers are added, not multiplied: nothing behind
        # shines through a surface that leads from one level to the next.
        taken = torch.minimum(cover, left)
        light = light + layer[:, :3] * (taken / cover)
        left = left - taken
        if level == 0:
            focus = focus + taken
    covered = (1 - left).clamp(min=1e-6)
    return (light / covered).clamp(0, 1), (focus / covered).clamp(0, 1)


def lens_focus(planes: Sequence[Plane], lens: Lens) -> Tensor:
    """The focus of `lens_blur` alone: known as soon as what is nearer than the focus is blurred."""
    focus = torch.zeros_like(planes[0].alpha)
    left = torch.ones_like(focus)
    largest = largest_radius(*focus.shape[2:])
    for level, _, weight in _sheets(planes, LEVELS[: LEVELS.index(0) + 1]):
        cover = weight if level == 0 else _blur(weight, abs(level) * largest, lens)
        taken = torch.minimum(cover, left)
        left = left - taken
        if level == 0:
            focus = focus + taken
    return focus


def _sheets(
    planes: Sequence[Plane], levels: Sequence[float]
) -> Iterator[tuple[float, int, Tensor]]:
    """Level, plane's number and weight [n, 1, h, w] of all that is there, from front to back."""
    for position, level in enumerate(levels):
        for number in reversed(range(len(planes))):
            weight = planes[number].alpha * _share(planes[number].coc, position)
            if bool((weight > 0).any()):
                yield level, number, weight


def infill(values: Tensor, known: Tensor) -> Tensor:
    """Fill what is not known from its surroundings, coarse to fine (push-pull: Gortler et al., "The
    Lumigraph", SIGGRAPH 1996).

    Args:
        values: [n, c, h, w].
        known: [n, 1, h, w] in [0, 1]; where it is 0, values do not matter.
    """
    height, width = values.shape[2:]
    if max(height, width) < 2:
        return values
    weighted = F.avg_pool2d(torch.cat([values * known, known], 1), 2, ceil_mode=True)
    weight = weighted[:, -1:]
    coarse = infill(weighted[:, :-1] / weight.clamp(min=1e-6), (weight * 4).clamp(max=1))
    filled = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    return values * known + filled * (1 - known)


def _share(coc: Tensor, position: int) -> Tensor:
    """How much of a pixel belongs to a level: tents, which add up to 1."""
    level = LEVELS[position]
    share = torch.ones_like(coc)
    if position > 0:
        before = LEVELS[position - 1]
        share = torch.minimum(share, (coc - before) / (level - before))
    if position + 1 < len(LEVELS):
        after = LEVELS[position + 1]
        share = torch.minimum(share, (after - coc) / (after - level))
    return share.clamp(min=0)


def _lifted(light: Tensor, largest: float) -> Tensor:
    """Light with its small highlights brighter: what is clipped in every channel, less all of it in
    which half the image of the aperture finds room (a white top-hat)."""
    clipped = ((light.amin(1, keepdim=True) - _CLIPPED) / (1 - _CLIPPED)).clamp(0, 1)
    size = 2 * round(largest / 2) + 1
    opened = dilated(-dilated(-clipped, size), size)
    return light * (1 + _LIFT * (clipped - opened))


def dilated(values: Tensor, size: int) -> Tensor:
    """The highest of [n, c, h, w] in a square of `size` pixels around each, an odd number."""
    across = F.max_pool2d(values, (1, size), 1, (0, size // 2))
    return F.max_pool2d(across, (size, 1), 1, (size // 2, 0))


def _blur(layer: Tensor, radius: float, lens: Lens) -> Tensor:
    """Convolve [n, c, h, w] with the image of the aperture; edges reflect."""
    half = math.ceil(radius) + 1
    height, width = layer.shape[2:]
    padded = F.pad(layer, (half,) * 4, mode="reflect")
    result = torch.zeros_like(layer)
    for across, down in _nodes(lens):
        part = padded
        if lens.cats_eye:
            part = padded * (_hat(down, height, half, layer) * _hat(across, width, half, layer).mT)
        # a size with small factors, for the FFT
        size = [math.ceil((n + 2 * half) / 16) * 16 for n in (height, width)]
        kernel = torch.zeros(size, device=layer.device)
        kernel[: 2 * half + 1, : 2 * half + 1] = aperture(radius, lens, across, down)
        response = torch.fft.rfft2(kernel.roll((-half, -half), (0, 1)))
        blurred = torch.fft.irfft2(torch.fft.rfft2(part, s=size) * response, s=size)
        result = result + blurred[..., half : half + height, half : half + width]
    return result.clamp(min=0)  # an FFT's zero is not exact


def _nodes(lens: Lens) -> list[tuple[float, float]]:
    """Places between which the aperture's shape is interpolated, from -1 to 1 across and down."""
    if not lens.cats_eye:
        return [(0.0, 0.0)]
    axis = [2 * i / (_NODES - 1) - 1 for i in range(_NODES)]
    return [(across, down) for down in axis for across in axis]


def _hat(node: float, length: int, half: int, like: Tensor) -> Tensor:
    """The weight of a node along an axis, [length + 2 half, 1]."""
    places = torch.linspace(-1, 1, length, device=like.device)
    weight = (1 - (places - node).abs() * (_NODES - 1) / 2).clamp(min=0)
    return F.pad(weight[None], (half, half), mode="reflect")[0][:, None]


@functools.lru_cache(maxsize=256)
def aperture(radius: float, lens: Lens, across: float = 0.0, down: float = 0.0) -> Tensor:
    """The image of the aperture, i.e. of a point out of focus, with soft edges of a pixel.

    Args:
        radius: in pixels, of the circle around it.
        across, down: where in the picture, from -1 to 1; matters for a cat's eye only.

    Returns:
        float32 [k, k], k = 2 (ceil(radius) + 1) + 1, adding up to 1.
    """
    half = math.ceil(radius) + 1
    ys, xs = torch.meshgrid(*[torch.arange(-half, half + 1.0)] * 2, indexing="ij")
    reach = torch.full_like(xs, radius)
    if lens.blades:
        sector = 2 * math.pi / lens.blades
        angle = (torch.atan2(ys, xs) + lens.rotation) % sector - sector / 2
        straight = math.cos(sector / 2) / torch.cos(angle)
        reach = radius * (lens.roundness + (1 - lens.roundness) * straight)
    kernel = (reach + 0.5 - torch.hypot(xs, ys)).clamp(0, 1)
    if lens.cats_eye:
        shift = 2 * radius * lens.cats_eye / math.sqrt(2)  # reached in the corners
        barrel = torch.hypot(xs + shift * across, ys + shift * down)
        kernel = torch.minimum(kernel, (radius + 0.5 - barrel).clamp(0, 1))
    return kernel / kernel.sum()
