"""Light that bright photographs are shown in instead: dark rooms, a window behind, coloured lamps.

What is in focus does not depend on the light, so a label made for the bright photo stays right.
Everything is a gain at each pixel of linear light, so that the planes of a scene can be lit one by
one.
"""

import math
import random
from dataclasses import dataclass

import cv2
import torch
from torch import Tensor
from torch.nn import functional as F

Gain = tuple[float, float, float]  # of linear RGB

_SHARES = {"dark room": 0.13, "backlight": 0.1, "coloured": 0.1}  # the rest: as photographed
_LAMPS: tuple[Gain, ...] = (
    (1.5, 0.95, 0.45), (1.3, 0.97, 0.68),  # tungsten, warm white
    (0.55, 0.95, 1.9), (0.8, 1.0, 1.3),  # a blue screen, a white one
    (1.8, 0.5, 1.3), (0.5, 1.15, 1.3), (0.9, 0.7, 1.9), (0.6, 1.25, 0.6),  # neon, coloured bulbs
)  # fmt: skip
_WHITE: Gain = (1.0, 1.0, 1.0)
_ROUND = 0.06  # of the picture's sides: how far from its outline a body turns towards the camera
_DARK = 0.35  # gain below which a webcam turns up its amplifier


@dataclass(frozen=True)
class Window:
    """A bright window behind, or a lamp.

    across, down: its middle, over the picture's width and height.
    radius: of its bell of light, over the root of the picture's area.
    glow: gain in its middle, beside that of what is far.
    veil: what its light adds everywhere in the lens, most around it, of white.
    """

    across: float
    down: float
    radius: float
    glow: float
    veil: float


@dataclass(frozen=True)
class Lighting:
    """How a scene is lit, beside how it was photographed.

    near, far: gains of what is at the camera's side of the room and of what is at its end.
    other: gain of `near` once more on the side that is turned away from the light.
    angle: where the light comes from, in radians: 0 is the right, pi / 2 below.
    window: behind, if there is one.
    """

    near: Gain = _WHITE
    far: Gain = _WHITE
    other: Gain = _WHITE
    angle: float = 0.0
    window: Window | None = None

    @property
    def dark(self) -> bool:
        """Whether little light is left for the webcam."""
        return max(sum(self.near), sum(self.far)) < 3 * _DARK

    @staticmethod
    def draw(rng: random.Random) -> "Lighting | None":
        """Another light now and then, else None."""
        kind = rng.choices([*_SHARES, None], [*_SHARES.values(), 1 - sum(_SHARES.values())])[0]
        angle = rng.choice((0, math.pi)) + rng.gauss(0, 0.4)
        if kind == "dark room":
            return _dark_room(rng, angle)
        if kind == "backlight":
            return _backlight(rng)
        return _coloured(rng, angle) if kind else None

    def apply(self, light: Tensor, mask: Tensor, depth: Tensor) -> Tensor:
        """Light a picture, or one plane of it.

        Args:
            light: float [1, 3, h, w] RGB, linear in [0, 1].
            mask: float [1, 1, h, w] in [0, 1], of people.
            depth: float [1, 1, h, w] in [0, 1], the disparity, 1 is near.

        Returns:
            Linear light in [0, 1], [1, 3, h, w].
        """
        near = mask + (1 - mask) * depth**2
        one, other, far = (_tensor(gain, light) for gain in (self.near, self.other, self.far))
        if self.other != _WHITE:
            one = one * (1 + self._away(mask) * (other - 1))
        gain = near * one + (1 - near) * far
        if self.window is None:
            return (light * gain).clamp(0, 1)
        around = _around(self.window, light)
        gain = gain * (1 + (1 - near) * around * (self.window.glow - 1))
        veil = self.window.veil * (0.4 + 0.6 * around**0.3)
        return ((light * gain).clamp(0, 1) * (1 - veil) + veil).clamp(0, 1)

    def _away(self, mask: Tensor) -> Tensor:
        """How far people are turned away from the light, [1, 1, h, w] in [0, 1].

        Their sides follow from their outline: in the middle they face the camera.
        """
        height, width = mask.shape[2:]
        half = max(1, round(_ROUND * math.sqrt(height * width)))
        plane, size = mask[0, 0].cpu().numpy(), (2 * half + 1,) * 2
        for _ in range(2):  # two boxes make a tent
            plane = cv2.blur(plane, size, borderType=cv2.BORDER_REPLICATE)
        rounded = torch.from_numpy(plane)[None, None].to(mask.device)
        padded = F.pad(rounded, (1,) * 4, mode="replicate")
        across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
        down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
        facing = -half * (across * math.cos(self.angle) + down * math.sin(self.angle))
        return torch.sigmoid(-8 * facing)


def _dark_room(rng: random.Random, angle: float) -> Lighting:
    """Little light, from a screen before the person or a lamp anywhere."""
    level = 2.0 ** rng.uniform(-4, -1.7)
    colour = rng.choice(_LAMPS) if rng.random() < 0.6 else _WHITE
    behind = rng.uniform(0.15, 0.7) if rng.random() < 0.5 else rng.uniform(0.7, 1)
    other = rng.uniform(0.2, 1)
    return Lighting(_scaled(colour, level), _scaled(_WHITE, level * behind), (other,) * 3, angle)


def _backlight(rng: random.Random) -> Lighting:
    """A person in the shadow before something bright, whose light veils the lens."""
    window = Window(rng.uniform(-0.1, 1.1), rng.uniform(-0.2, 0.6), rng.uniform(0.15, 0.5),
                    rng.uniform(1.5, 6), rng.uniform(0, 0.12) ** 1.3)  # fmt: skip
    shadow = 2.0 ** rng.uniform(-3.3, -1.2)
    cool = (0.9, 1.0, 1.12) if rng.random() < 0.5 else _WHITE
    return Lighting(_scaled(cool, shadow), _scaled(_WHITE, rng.uniform(0.8, 1.8)), window=window)


def _coloured(rng: random.Random, angle: float) -> Lighting:
    """A coloured lamp at one side, the room's light or another lamp at the other."""
    one, other = rng.sample(_LAMPS, 2)
    level = 2.0 ** rng.uniform(-1.5, 0.2)
    room = _scaled(other if rng.random() < 0.5 else _WHITE, rng.uniform(0.1, 0.9))
    near = _scaled(one, level)
    ratio = tuple(level * r / n for r, n in zip(room, near, strict=True))
    behind = _scaled(rng.choice((one, other, _WHITE)), level * rng.uniform(0.3, 1))
    return Lighting(near, behind, (ratio[0], ratio[1], ratio[2]), angle)


def _scaled(gain: Gain, level: float) -> Gain:
    return gain[0] * level, gain[1] * level, gain[2] * level


def _tensor(gain: Gain, like: Tensor) -> Tensor:
    return torch.tensor(gain, device=like.device).view(1, 3, 1, 1)


def _around(window: Window, like: Tensor) -> Tensor:
    """A bell around the middle of a window, [1, 1, h, w], 1 there."""
    height, width = like.shape[2:]
    ys = (torch.arange(height, device=like.device) + 0.5)[:, None] - window.down * height
    xs = (torch.arange(width, device=like.device) + 0.5) - window.across * width
    return torch.exp(-(xs**2 + ys**2) / (2 * window.radius**2 * height * width))[None, None]
