"""Somebody or something that a picture is about."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from training.data.foreground import estimate_foreground
from training.data.pictures import Pixels

MASKED = 128  # a mask's pixels above this level are the subject's
_HEAD = 1.25  # height of a head over its mean width
_MARGIN = 4  # pixels around somebody who is cut out
_CUT = 0.04  # share of a photo's side that a subject covers who is cut by it


class Head(NamedTuple):
    """Where a head is in a photo, in pixels, as told from the mask's outline."""

    middle: float  # across
    top: float
    height: float


@dataclass(frozen=True, eq=False)
class Subject:
    """Somebody or something that a picture is about, and the photo of it."""

    pixels: Tensor  # uint8 [5, h, w]: RGB, mask, disparity (a cutout's is its mask)
    box: tuple[int, int, int, int]  # of the mask: left, top, right, bottom
    close: bool  # head and shoulders, cut by the photo's lower edge

    @property
    def image(self) -> Pixels:
        """The photo, uint8 [h, w, 3] RGB."""
        return np.ascontiguousarray(self.pixels[:3].permute(1, 2, 0).cpu().numpy())

    def painted(self, image: Pixels) -> "Subject":
        """The same subject in other colours, uint8 [h, w, 3] RGB."""
        pixels = self.pixels.clone()
        pixels[:3] = pixels.new_tensor(image.transpose(2, 0, 1))
        return replace(self, pixels=pixels)

    def turned(self, angle: float) -> "Subject":
        """A cutout turned clockwise about its middle, by radians."""
        planes = np.ascontiguousarray(self.pixels.permute(1, 2, 0).cpu().numpy())
        rows, columns = planes.shape[:2]
        sine, cosine = abs(math.sin(angle)), abs(math.cos(angle))
        wide = math.ceil(columns * cosine + rows * sine)
        high = math.ceil(columns * sine + rows * cosine)
        matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), -math.degrees(angle), 1)
        matrix[:, 2] += (wide - columns) / 2, (high - rows) / 2
        planes = np.asarray(cv2.warpAffine(planes, matrix, (wide, high)), np.uint8)
        pixels = torch.from_numpy(planes.transpose(2, 0, 1).copy())
        return Subject(pixels, bounding_box(planes[..., 3]), self.close)

    @cached_property
    def head(self) -> Head:
        """The upper part of the mask that is as high as a head of its width; of a raised hand that
        is higher than the head, the hand."""
        left, top, right, bottom = self.box
        mask = self.pixels[3, top : bottom + 1, left : right + 1].cpu().numpy() > MASKED
        widths = mask.sum(1)
        high = np.arange(1, len(mask) + 1) >= _HEAD * np.cumsum(widths) / np.arange(
            1, len(mask) + 1
        )
        high[: len(mask) // 12] = False  # a lock of hair, a finger
        most = len(mask) * (0.6 if self.close else 0.2)
        height = min(float(np.argmax(high)) if high.any() else most, most)
        across = np.nonzero(mask[: max(1, int(height))])[1]
        return Head(left + float(across.mean()), top, height)

    @cached_property
    def cut(self) -> tuple[bool, bool]:
        """Whether the photo's left and right side cut the subject."""
        sides = self.pixels[3][:, [0, -1]] > MASKED
        left, right = (sides.float().mean(0) > _CUT).tolist()
        return left, right

    @cached_property
    def alone(self) -> "Subject":
        """The subject cut out, to be put over another scene: with the colours of the subject
        alone, where at the edge of the mask the photo shows what was behind."""
        rows, columns = self.pixels.shape[1:]
        left, top, right, bottom = self.box
        pixels = self.pixels[
            :,
            max(0, top - _MARGIN) : min(rows, bottom + 1 + _MARGIN),
            max(0, left - _MARGIN) : min(columns, right + 1 + _MARGIN),
        ]
        planes = pixels.cpu().numpy()
        image, mask = np.ascontiguousarray(planes[:3].transpose(1, 2, 0)), planes[3].copy()
        if not self.close:  # an exact mask, by hand, has some of the background inside
            mask = cv2.erode(mask, np.ones((3, 3)), borderValue=255)
        image = estimate_foreground(image, mask)
        mask = np.clip(mask * 1.1 - 0.05 * 255, 0, 255).astype(np.uint8)
        cut = np.concatenate([image.transpose(2, 0, 1), mask[None], planes[4:]])
        pixels = torch.from_numpy(cut)
        return Subject(pixels, bounding_box(mask), self.close)

    @staticmethod
    def cutout(image: Pixels, alpha: Pixels) -> "Subject":
        """A thing without a photo around it, from uint8 RGB [h, w, 3] and alpha [h, w]."""
        planes = np.dstack([image, alpha, alpha]).transpose(2, 0, 1)
        return Subject(torch.from_numpy(planes.copy()), bounding_box(alpha), False)


def bounding_box(mask: Pixels) -> tuple[int, int, int, int]:
    """The left, top, right and bottom pixel of a mask that is not empty, uint8 [h, w]."""
    ys, xs = np.nonzero(mask > MASKED)
    return int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max())
