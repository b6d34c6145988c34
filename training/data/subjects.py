"""Somebody or something that a picture is about."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.data.pictures import Pixels

MASKED = 128  # a mask's pixels above this level are the subject's


@dataclass(frozen=True, eq=False)
class Subject:
    """Somebody or something that a picture is about, and the photo of it."""

    pixels: Tensor  # uint8 [5, h, w]: RGB, mask, disparity (a cutout's is its mask)
    box: tuple[int, int, int, int]  # of the mask: left, top, right, bottom
    close: bool  # head and shoulders, cut by the photo's lower edge

    @staticmethod
    def cutout(image: Pixels, alpha: Pixels, device: torch.device) -> "Subject":
        """A thing without a photo around it, from uint8 RGB [h, w, 3] and alpha [h, w]."""
        planes = np.dstack([image, alpha, alpha]).transpose(2, 0, 1)
        return Subject(torch.from_numpy(planes.copy()).to(device), bounding_box(alpha), False)


def bounding_box(mask: Pixels) -> tuple[int, int, int, int]:
    """The left, top, right and bottom pixel of a mask that is not empty, uint8 [h, w]."""
    ys, xs = np.nonzero(mask > MASKED)
    return int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max())
