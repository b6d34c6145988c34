"""Synthetic bokeh pairs and clips, rendered from photographs with masks and disparities.

A sample is a person or an object, either in their own photo or over another scene, in focus; the
circle of confusion of everything else follows from its disparity. Scenes without a subject are in
focus where they are nearest. All of it is on the CPU.
"""

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from training.data.optics import GAMMA, Lens, Plane, dilated, infill, lens_blur, lens_focus
from training.data.plans import Plan, Planner
from training.data.pool import Pool
from training.data.shots import Shot
from training.data.webcam import through_webcams
from training.data.windows import Window

_EXPOSURE = 7  # moments that a moving exposure is averaged over
_RIM = 0.02  # of the width: around a mask a disparity is the subject's as much as the scene's


class Batch(NamedTuple):
    """Float32 [n, 3, h, w] RGB in [0, 1], and [n, 1, h, w] in [0, 1] (focus, disparity).

    `input` is what the network sees, of `finer` times as many rows and columns; `sharp` the same
    before noise and compression; `bokeh` the rendering, None where no lens was asked for; `focus`
    is 1 where the circle of confusion is nothing; `disparity` of the scene in front of the lens,
    bright is near.
    """

    input: Tensor
    sharp: Tensor
    bokeh: Tensor | None
    focus: Tensor
    disparity: Tensor


class Renderer:
    """Renders random samples of one pool.

    Args:
        pool: the photographs.
        seed: of the random choices.
        lens: the shape of its aperture.
        finer: how many times finer than it renders, across, the network sees the samples.
    """

    def __init__(self, pool: Pool, seed: int, lens: Lens | None = None, finer: int = 1) -> None:
        self._pool, self._seed, self._lens = pool, seed, lens or Lens()
        self._finer = finer

    def batch(self, numbers: Sequence[int], height: int, width: int, *, lens: bool = True) -> Batch:
        """Samples of these numbers. A number's sample is always the same, in whatever batch.

        Args:
            height, width: at which the network renders, in pixels, multiples of 16.
            lens: render the bokeh; without it all else is the same, about twice as fast.
        """
        return self._render([(self._plan(n, height, width), 0) for n in numbers], numbers,
                            height, width, lens)  # fmt: skip

    def clip(
        self, number: int, frames: int, height: int, width: int, *, lens: bool = True
    ) -> Batch:
        """A sample in smooth motion of camera and subject; frame 0 is the sample of that number.

        Arguments as in `batch`.
        """
        plan = self._plan(number, height, width)
        seeds = [number + 1_000_003 * time for time in range(frames)]
        return self._render([(plan, time) for time in range(frames)], seeds, height, width, lens)

    def moves(self, number: int, height: int, width: int) -> bool:
        """Whether anything moves in the clip of that number."""
        return self._plan(number, height, width).moves

    def _plan(self, number: int, height: int, width: int) -> Plan:
        rng = random.Random(f"{self._seed}/{number}")  # a text is hashed the same everywhere
        return Planner(self._pool, rng, height * self._finer, width * self._finer).draw()

    @torch.no_grad()
    def _render(
        self, moments: Sequence[tuple[Plan, int]], seeds: Sequence[int], height: int, width: int,
        lens: bool,
    ) -> Batch:  # fmt: skip
        height, width = height * self._finer, width * self._finer
        samples = [_seen(plan, time, height, width) for plan, time in moments]
        sharp = torch.cat([sample.sharp() for sample in samples]) ** (1 / GAMMA)
        webcams = [plan.webcam for plan, _ in moments]
        image = through_webcams(sharp, webcams, [self._seed + seed for seed in seeds])
        if self._finer > 1:
            sharp = F.avg_pool2d(sharp, self._finer)
            samples = [sample.shrunk(self._finer) for sample in samples]
        disparity = torch.cat([sample.disparity for sample in samples])
        if not lens:
            focus = torch.cat([lens_focus(sample.planes, self._lens) for sample in samples])
            return Batch(image, sharp, None, focus, disparity)
        # one by one: of several at once little would stay in the processor's cache
        seen = [lens_blur(sample.filled(), self._lens) for sample in samples]
        light, focus = (torch.cat(parts) for parts in zip(*seen, strict=True))
        return Batch(image, sharp, light ** (1 / GAMMA), focus, disparity)


class _Seen(NamedTuple):
    """What is before the lens, [1, ...] each.

    planes: the scene and what stands before it, from back to front. The scene is as it was
        photographed, with whoever is in place.
    missing: 1 where the scene is hidden by them in the photo, so that a lens, which sees around
        them, needs it filled.
    disparity: of all of it.
    """

    planes: list[Plane]
    missing: Tensor | None
    disparity: Tensor

    def sharp(self) -> Tensor:
        """The light without a lens."""
        light = self.planes[0].light
        for plane in self.planes[1:]:
            light = torch.lerp(light, plane.light, plane.alpha)
        return light.clamp(0, 1)

    def shrunk(self, ratio: int) -> "_Seen":
        """The same with sides that are so many times shorter."""
        planes = [Plane(*(F.avg_pool2d(part, ratio) for part in plane)) for plane in self.planes]
        missing = None if self.missing is None else F.max_pool2d(self.missing, ratio)
        return _Seen(planes, missing, F.avg_pool2d(self.disparity, ratio))

    def filled(self) -> list[Plane]:
        """The planes, with the scene as if nobody had been there."""
        scene, *others = self.planes
        if self.missing is None or bool((self.missing > 0).all()):
            return self.planes
        return [scene._replace(light=infill(scene.light, 1 - self.missing)), *others]


def _seen(plan: Plan, time: int, height: int, width: int) -> _Seen:
    light, own_mask, depth = _cut(plan.scene.at(plan.camera, time=time), height, width)
    planes, missing, far, disparity = [], None, depth, depth
    if not any(layer.coc == 0 for layer in plan.layers):
        near = torch.quantile(depth, 0.97)
        coc = ((near - depth) / near.clamp(min=0.2) * 1.4 - 0.3).clamp(0, 1)
    elif not plan.in_place:
        far = disparity = depth * 0.7
        coc = ((1 - far) * 1.1).clamp(0, 1)
    for layer in plan.layers:
        if layer.shot is plan.scene:
            mask, layer_light, nearness = _softened(own_mask), light, depth
            missing = (dilated(mask, 3) > 0.02).float()
            coc, far = _around(mask, missing, depth)
        else:
            shot = layer.shot.at(plan.camera, layer.own, time=time)
            layer_light, mask, _ = _cut(shot, height, width)
            mask = _softened(mask)
            nearness = torch.full_like(mask, 0.7 if layer.coc > 0 else 1.0)
            disparity = torch.where(mask > 0.5, torch.maximum(disparity, nearness), disparity)
        if plan.lighting:
            layer_light = plan.lighting.apply(layer_light, mask, nearness)
        planes.append(Plane(layer_light, mask, torch.full_like(mask, layer.coc)))
    if plan.lighting:
        light = plan.lighting.apply(light, torch.zeros_like(depth), far)
    return _Seen([Plane(light, torch.ones_like(depth), coc), *planes], missing, disparity)


def _cut(shot: Shot, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """The window of a shot at this size: linear light [1, 3, h, w], mask and disparity
    [1, 1, h, w]; without a mask it is the disparity twice."""
    moments = [i / (_EXPOSURE - 1) - 0.5 for i in range(_EXPOSURE)] if any(shot.motion) else [0.0]
    part, window = _part(shot, width)
    gain = torch.tensor(shot.gain).view(1, 3, 1, 1)
    cuts = [_resampled(part, shot, window, moment, height, width) for moment in moments]
    if len(cuts) == 1:
        (cut,) = cuts
        return (cut[:, :3] ** GAMMA * gain).clamp(0, 1), cut[:, 3:4], cut[:, -1:]
    total = torch.zeros(1, 5, height, width)
    for cut in cuts:
        weight = cut[:, 3:4] if len(shot.pixels) == 5 else torch.ones_like(cut[:, 3:4])
        weight = weight + 1e-3  # so that there is light where the mask is nothing
        light = (cut[:, :3] ** GAMMA * gain).clamp(0, 1)
        total += torch.cat([light * weight, weight, cut[:, -1:]], 1) / len(cuts)
    return total[:, :3] / total[:, 3:4], (total[:, 3:4] - 1e-3).clamp(0, 1), total[:, 4:]


def _part(shot: Shot, width: int) -> tuple[Tensor, Window]:
    """The part of a photo that a shot sees, in [0, 1], averaged so that nothing aliases when its
    window is resampled to `width`; and the window in that part's pixels."""
    x, y, w, h = shot.window
    shrink = max(1, int(w / width))
    across, down = (
        abs(shot.motion[0]) * w / 2 + 2 * shrink,
        abs(shot.motion[1]) * h / 2 + 2 * shrink,
    )
    rows, columns = shot.pixels.shape[1:]
    left, right = _span(x - across, x + w + across, columns, shrink)
    top, bottom = _span(y - down, y + h + down, rows, shrink)
    part = shot.pixels[None, :, top:bottom, left:right].float() / 255
    if shrink > 1:
        part = F.avg_pool2d(part, shrink, ceil_mode=True, count_include_pad=False)
    return part, ((x - left) / shrink, (y - top) / shrink, w / shrink, h / shrink)


def _span(first: float, last: float, length: int, step: int) -> tuple[int, int]:
    """The whole steps of a side that reach from first to last, one of them at least."""
    start = min(max(int(first // step) * step, 0), (length - 1) // step * step)
    return start, min(max(math.ceil(last / step) * step, start + step), length)


def _resampled(
    part: Tensor, shot: Shot, window: Window, moment: float, height: int, width: int
) -> Tensor:
    """A window of a part of a photo at a moment of the exposure; masks end with the photo."""
    x, y, w, h = window
    x, y = x + moment * shot.motion[0] * w, y + moment * shot.motion[1] * h
    rows, columns = part.shape[2:]
    # in [-1, 1] of the part, at the middles of pixels; affine_grid is slower
    across = (_middles(width) * (-1 if shot.flip else 1) * w + 2 * x + w) / columns - 1
    down = (_middles(height) * h + 2 * y + h) / rows - 1
    grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), 2)[None]
    cut = F.grid_sample(part, grid, padding_mode="border", align_corners=False)
    if part.shape[1] == 5 and not shot.inside:
        cut[:, 3:4] = F.grid_sample(part[:, 3:4], grid, padding_mode="zeros", align_corners=False)
    return cut


def _middles(count: int) -> Tensor:
    """Of so many pixels from -1 to 1."""
    return (torch.arange(count) * 2 + 1) / count - 1


def _around(mask: Tensor, missing: Tensor, depth: Tensor) -> tuple[Tensor, Tensor]:
    """The circle of confusion around somebody in their own photo, and the scene's disparity.

    The disparity is filled from around them and a rim about them: an estimated disparity falls off
    softly there, and would teach that a sharp rim is wanted.
    """
    height, width = mask.shape[2:]
    near = (depth * mask).sum() / mask.sum() if mask.sum() > 50 else torch.ones_like(mask.sum())
    rim = 2 * round(_RIM * (height * width) ** 0.5 * 0.75) + 1
    beyond = 1 - (dilated(mask, rim) > 0.02).float()
    filled = infill(depth, beyond) if bool(beyond.any()) else depth
    # fully out of focus from half as near, or half as near again, as the subject
    coc = ((near - filled) / near.clamp(min=0.2) * 2).clamp(-1, 1)
    # nothing made up hides the subject
    return torch.where(missing > 0, coc.clamp(min=0), coc), filled


def _softened(mask: Tensor) -> Tensor:
    """Smoothed by a binomial 3x3 window."""
    edge = F.pad(mask, (1, 1, 1, 1), mode="replicate")
    edge = (edge[..., :-2] + 2 * edge[..., 1:-1] + edge[..., 2:]) / 4
    return (edge[..., :-2, :] + 2 * edge[..., 1:-1, :] + edge[..., 2:, :]) / 4
