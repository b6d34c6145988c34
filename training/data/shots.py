"""What a camera sees: windows of photos, one before the other, and how they move."""

import math
import random
from dataclasses import dataclass, replace

from torch import Tensor

from training.data.windows import Range, Window, within

Gain = tuple[float, float, float]  # of linear RGB


@dataclass(frozen=True)
class Sway:
    """Smooth motion: amplitudes over the window's width and height, zoom, all as sines in time."""

    across: float = 0.0
    down: float = 0.0
    zoom: float = 0.0
    frequency: float = 0.0  # cycles a frame
    phase: float = 0.0

    @staticmethod
    def draw(rng: random.Random, size: float) -> "Sway":
        across, down, zoom = (rng.uniform(-size, size) for _ in range(3))
        return Sway(across, down, zoom, rng.uniform(0.01, 0.05), rng.uniform(0, 2 * math.pi))

    def at(self, time: int) -> tuple[float, float, float]:
        """Shift across and down, and zoom from 0 up; nothing but the zoom is taken at time 0."""
        angle = 2 * math.pi * self.frequency * time
        wave = math.sin(angle + self.phase) - math.sin(self.phase)
        return self.across * wave, self.down * wave, abs(self.zoom) * (1 - math.cos(angle)) / 2


@dataclass(frozen=True)
class Shot:
    """A photo and the window of it that fills the picture."""

    pixels: Tensor  # uint8 [4 or 5, h, w], see `training.data.pool`
    window: Window
    flip: bool
    gain: Gain
    motion: Range = (0.0, 0.0)  # of the exposure, over the window's width and height
    inside: bool = True  # the window must stay inside the photo

    def at(self, *sways: Sway, time: int) -> "Shot":
        """The same with its window moved."""
        x, y, w, h = self.window
        for sway in sways:
            across, down, zoom = sway.at(time)
            x, y = x + across * w, y + down * h
            x, y, w, h = x + w * zoom / 2, y + h * zoom / 2, w * (1 - zoom), h * (1 - zoom)
        window = (x, y, w, h)
        return replace(self, window=within(window, self.pixels) if self.inside else window)


@dataclass(frozen=True)
class Layer:
    """Somebody or something before the scene.

    coc: circle of confusion over the largest: 0 in focus, positive further from the lens, negative
        nearer to it.
    own: how it moves beside the camera.
    """

    shot: Shot
    coc: float = 0.0
    own: Sway = Sway()
