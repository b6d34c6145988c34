"""An effect that is known to the pixel, and drawn people for it."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from realtime_bokeh.frame import Image
from training.measure.methods import Focus, Rendered, blend
from training.measure.metrics import Mask


class Bright:
    """Holds bright pixels to be in focus, and blurs the others."""

    name = "bright"
    exact = False

    def focus(self, image: Image) -> Focus:
        return np.asarray(image.max(2) > 127, np.float32)

    def exact_focus(self, image: Image) -> Focus:
        return np.zeros(image.shape[:2], np.float32)

    def photo(self, image: Image, strength: float = 1.0) -> Image:
        return blend(image, self.focus(image))

    def clip(self, frames: Sequence[Image]) -> list[Rendered]:
        return [Rendered(self.photo(frame), self.focus(frame)) for frame in frames]


def box(rows: slice, columns: slice, height: int = 120, width: int = 160) -> Mask:
    mask = np.zeros((height, width), bool)
    mask[rows, columns] = True
    return mask


def draw(bright: Mask) -> Image:
    """Noise that is bright in a mask and dark elsewhere."""
    noise = np.random.default_rng(0).integers(0, 100, (*bright.shape, 3), dtype=np.uint8)
    return np.asarray(noise + np.where(bright, 140, 10)[..., None], np.uint8)


def save(stem: Path, image: Image, mask: Mask) -> None:
    """A photo that is read as it is drawn, though by its name a JPEG, and its mask."""
    stem.parent.mkdir(exist_ok=True)
    cv2.imwrite(f"{stem}.mask.png", mask.astype(np.uint8) * 255)
    Path(f"{stem}.jpg").write_bytes(cv2.imencode(".png", image)[1].tobytes())
