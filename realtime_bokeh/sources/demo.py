"""The built-in scene: a portrait under a slowly moving camera, so that everything runs anywhere.

The portrait is NASA's photograph of the astronaut Eileen Collins, in the public domain.
"""

import math
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from realtime_bokeh.frame import Frame, Image, Source
from realtime_bokeh.sizes import Size

_PORTRAIT = Path(__file__).with_name("astronaut.jpg")
_NOISE = 2.0  # standard deviation of the sensor noise, of 255
_PERIOD = 8.0  # seconds of one round of the movement


class Demo(Source):
    """A moving picture of a portrait, the same in every run.

    Args:
        size: of the frames.
        fps: frames a second.
        total: how many frames; endless if None.
        live: whether frames come at their own pace, as from a camera, or as fast as they are read.
    """

    def __init__(
        self, size: Size = Size(480, 640), fps: float = 30.0, total: int | None = None,
        live: bool = True,
    ) -> None:  # fmt: skip
        self.size, self.fps, self.total, self.live = size, fps, total, live
        self.time_base = None if live else Fraction(1) / Fraction(fps).limit_denominator(1001)
        portrait = cv2.imread(str(_PORTRAIT))
        assert portrait is not None, f"{_PORTRAIT} belongs to the package"
        self._portrait = portrait
        random = np.random.default_rng(0)
        # noise is drawn once and shifted: drawing it per frame would cost more than the network
        margin = 64
        shape = (size[0] + margin, size[1] + margin, 3)
        self._noise = np.clip(random.normal(128, _NOISE, shape), 0, 255).astype(np.uint8)
        self._shifts = random.integers(0, margin, (997, 2))
        self._index = 0
        self._begin = time.monotonic()

    def describe(self) -> str:
        return f"built-in scene: {self.size} at {self.fps:g} fps"

    def read(self) -> Frame | None:
        if self.total is not None and self._index >= self.total:
            return None
        if self.live:
            time.sleep(max(0.0, self._begin + self._index / self.fps - time.monotonic()))
        frame = Frame(
            self._picture(self._index),
            self._index,
            time.monotonic(),
            None if self.live else self._index,
        )
        self._index += 1
        return frame

    def _picture(self, index: int) -> np.ndarray:
        height, width = self.size
        side_h, side_w = self._portrait.shape[:2]
        phase = 2 * math.pi * index / self.fps / _PERIOD
        # the largest window of this shape in the portrait, at 82 to 94% of its size, wandering
        zoom = 0.88 + 0.06 * math.sin(phase)
        fit = min(side_w / width, side_h / height) * zoom
        free_x, free_y = side_w - width * fit, side_h - height * fit
        x = free_x * (0.5 + 0.4 * math.sin(phase + 1))
        y = min(free_y * 0.5, 40) * (0.6 + 0.4 * math.cos(phase))  # the head stays in the frame
        matrix = np.array([[fit, 0, x], [0, fit, y]])
        image = cv2.warpAffine(
            self._portrait, matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        dy, dx = self._shifts[index % len(self._shifts)]
        noise = self._noise[dy : dy + height, dx : dx + width]
        return np.asarray(cv2.addWeighted(image, 1, noise, 1, -128))

    def close(self) -> None:
        pass


def images(size: Size, count: int) -> list[Image]:
    """The first frames of the built-in scene, uint8 [H, W, 3] BGR, for tests and benchmarks."""
    scene = Demo(size, live=False)
    return [frame.image for frame in (scene.read() for _ in range(count)) if frame is not None]
