"""Synthetic bokeh pairs and clips, rendered from photographs with masks and disparities.

A sample is a person or an object, either in their own photo or over another scene, in focus; the
circle of confusion of everything else follows from its disparity. Scenes without a subject are in
focus where they are nearest. All of it is torch, on the device of the pool.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from training.data.optics import GAMMA, Lens, Plane, infill, lens_blur
from training.data.plans import Plan, Planner, Shot
from training.data.pool import Pool
from training.data.webcam import through_webcams

_EXPOSURE = 7  # moments that a moving exposure is averaged over
_RIM = 0.02  # of the width: around a mask a disparity is the subject's as much as the scene's


class Batch(NamedTuple):
    """Float32 [n, 3, h, w] RGB in [0, 1], and [n, 1, h, w] in [0, 1] (focus, disparity).

    `input` is what the network sees; `sharp` the same before noise and compression; `bokeh` the
    rendering; `focus` is 1 where the circle of confusion is nothing; `disparity` of the scene in
    front of the lens, bright is near.
    """

    input: Tensor
    sharp: Tensor
    bokeh: Tensor
    focus: Tensor
    disparity: Tensor


class Renderer:
    """Renders random samples of one pool.

    Args:
        pool: the photographs; they are rendered on its device.
        seed: of the random choices.
        lens: the shape of its aperture.
    """

    def __init__(self, pool: Pool, seed: int, lens: Lens | None = None) -> None:
        self._pool, self._seed, self._lens = pool, seed, lens or Lens()

    def batch(self, numbers: Sequence[int], height: int, width: int) -> Batch:
        """Samples of these numbers. A number's sample is always the same, in whatever batch.

        Args:
            height, width: in pixels, multiples of 16.
        """
        return self._render([(self._plan(n, height, width), 0) for n in numbers], numbers,
                            height, width)  # fmt: skip

    def clip(self, number: int, frames: int, height: int, width: int) -> Batch:
        """A sample in smooth motion of camera and subject; frame 0 is the sample of that number."""
        plan = self._plan(number, height, width)
        seeds = [number + 1_000_003 * time for time in range(frames)]
        return self._render([(plan, time) for time in range(frames)], seeds, height, width)

    def _plan(self, number: int, height: int, width: int) -> Plan:
        rng = random.Random(f"{self._seed}/{number}")  # a text is hashed the same everywhere
        return Planner(self._pool, rng, height, width).draw()

    @torch.no_grad()
    def _render(
        self, moments: Sequence[tuple[Plan, int]], seeds: Sequence[int], height: int, width: int
    ) -> Batch:
        samples = [_planes(plan, time, height, width) for plan, time in moments]
        planes = [Plane(*map(torch.cat, zip(*slot, strict=True)))
                  for slot in zip(*(planes for planes, _ in samples), strict=True)]  # fmt: skip
        light = torch.zeros_like(planes[0].light)
        for plane in planes:
            light = plane.alpha * plane.light + (1 - plane.alpha) * light
        blurred, focus = lens_blur(planes, self._lens)
        sharp, bokeh = light.clamp(0, 1) ** (1 / GAMMA), blurred ** (1 / GAMMA)
        disparity = torch.cat([disparity for _, disparity in samples])
        webcams = [plan.webcam for plan, _ in moments]
        image = through_webcams(sharp, webcams, [self._seed + seed for seed in seeds])
        return Batch(image, sharp, bokeh, focus, disparity)


def _planes(plan: Plan, time: int, height: int, width: int) -> tuple[list[Plane], Tensor]:
    """Scene, behind, subject, front (empty where there is none), [1, ...] each; and disparity."""
    light, _, depth = _cut(plan.scene.at(plan.camera, time=time), height, width)
    mask = torch.zeros_like(depth)
    empty = Plane(torch.zeros_like(light), mask, mask)
    subject = empty
    if plan.in_place and plan.subject:
        own_light, mask, _ = _cut(plan.subject.at(plan.camera, time=time), height, width)
        mask = _softened(mask)
        subject = Plane(own_light, mask, torch.zeros_like(mask))
        light, coc, disparity = _around(light, mask, depth)
    elif plan.subject:
        shot = plan.subject.at(plan.camera, plan.own, time=time)
        own_light, mask, _ = _cut(shot, height, width)
        # pulled inwards: at its edge the photo shows what was behind
        mask = (mask * 1.3 - 0.15).clamp(0, 1) if plan.close else -_dilated(-mask, 3)
        mask = _softened(mask)
        subject = Plane(own_light, mask, torch.zeros_like(mask))
        coc = ((1 - 0.7 * depth) * 1.1).clamp(0, 1)
        disparity = depth * 0.7 * (1 - mask) + mask
    else:
        near = torch.quantile(depth, 0.97)
        coc = ((near - depth) / near.clamp(min=0.2) * 1.4 - 0.3).clamp(0, 1)
        disparity = depth
    extra = []
    for other in (plan.behind, plan.front):
        if other is None:
            extra.append(empty)
            continue
        other_light, mask, _ = _cut(other[0].at(plan.camera, time=time), height, width)
        mask = _softened(-_dilated(-mask, 3))
        extra.append(Plane(other_light, mask, torch.full_like(mask, other[1])))
        nearer = 0.7 if other[1] > 0 else 1.0
        disparity = torch.where(mask > 0.5, disparity.clamp(min=nearer), disparity)
    behind, front = extra
    scene = Plane(light, torch.ones_like(depth), coc)
    return [scene, behind, subject, front], disparity


def _cut(shot: Shot, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """The window of a shot at this size: linear light [1, 3, h, w], mask and disparity
    [1, 1, h, w]; without a mask it is the disparity twice."""
    moments = [i / (_EXPOSURE - 1) - 0.5 for i in range(_EXPOSURE)] if any(shot.motion) else [0.0]
    total = torch.zeros(1, 5, height, width, device=shot.pixels.device)
    for moment in moments:
        cut = _resampled(shot, moment, height, width)
        gain = torch.tensor(shot.gain, device=cut.device).view(1, 3, 1, 1)
        light = (cut[:, :3] ** GAMMA * gain).clamp(0, 1)
        mask, disparity = cut[:, 3:4], cut[:, -1:]
        weight = mask if cut.shape[1] == 5 else torch.ones_like(mask)
        weight = weight + 1e-3  # so that there is light where the mask is nothing
        total += torch.cat([light * weight, weight, disparity], 1) / len(moments)
    light = total[:, :3] / total[:, 3:4]
    return light, (total[:, 3:4] - 1e-3).clamp(0, 1), total[:, 4:]


def _resampled(shot: Shot, moment: float, height: int, width: int) -> Tensor:
    """A window of the pixels in [0, 1] at a moment of the exposure; masks end with the photo."""
    x, y, w, h = shot.window
    x, y = x + moment * shot.motion[0] * w, y + moment * shot.motion[1] * h
    pixels = shot.pixels[None].float() / 255
    rows, columns = pixels.shape[2:]
    shrink = max(1, int(w / width))  # averaged first, so that nothing aliases
    if shrink > 1:
        pixels = F.avg_pool2d(pixels, shrink, ceil_mode=True, count_include_pad=False)
    across = torch.tensor([w / columns * (-1 if shot.flip else 1), 0, (2 * x + w) / columns - 1])
    down = torch.tensor([0, h / rows, (2 * y + h) / rows - 1])
    matrix = torch.stack([across, down])[None].to(pixels.device)
    grid = F.affine_grid(matrix, [1, 1, height, width], align_corners=False)
    cut = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    if pixels.shape[1] == 5 and not shot.inside:
        ends = F.grid_sample(pixels[:, 3:4], grid, padding_mode="zeros", align_corners=False)
        cut = torch.cat([cut[:, :3], ends, cut[:, 4:]], 1)
    return cut


def _around(light: Tensor, mask: Tensor, depth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A photo without its subject: light, circle of confusion, and the disparity as it was.

    The subject's place is filled from around it, and so is the disparity in a rim about it: an
    estimated disparity falls off softly there, and would teach that a sharp rim is wanted.
    """
    height, width = mask.shape[2:]
    near = (depth * mask).sum() / mask.sum() if mask.sum() > 50 else torch.ones_like(mask.sum())
    outside = 1 - (_dilated(mask, 3) > 0.02).float()
    rim = 2 * round(_RIM * (height * width) ** 0.5 * 0.75) + 1
    beyond = 1 - (_dilated(mask, rim) > 0.02).float()
    filled = infill(depth, beyond) if bool(beyond.any()) else depth
    # fully out of focus from half as near, or half as near again, as the subject
    coc = ((near - filled) / near.clamp(min=0.2) * 2).clamp(-1, 1)
    coc = torch.where(outside > 0, coc, coc.clamp(min=0))  # nothing made up hides the subject
    return (infill(light, outside) if bool(outside.any()) else light), coc, depth


def _dilated(mask: Tensor, size: int) -> Tensor:
    return F.max_pool2d(mask, size, 1, size // 2)


def _softened(mask: Tensor) -> Tensor:
    """Smoothed by a binomial 3x3 window."""
    edge = F.pad(mask, (1, 1, 1, 1), mode="replicate")
    edge = (edge[..., :-2] + 2 * edge[..., 1:-1] + edge[..., 2:]) / 4
    return (edge[..., :-2, :] + 2 * edge[..., 1:-1, :] + edge[..., 2:, :]) / 4
