"""Arms further from the body: people who stand for a photograph let them hang, those who talk to a
camera have elbows on a table and hands before them, and show the room between arm and waist."""

import math
import random
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from training.data.pictures import Pixels
from training.data.subjects import MASKED, Subject, bounding_box

_ROWS = (0.15, 0.6)  # of a figure's height: from the armpits to the hands
_HIGH = 0.06  # of a figure's height: a lower gap is between fingers, or a fold
_FARTHEST = 0.35  # of a gap's height: further out an arm would be bent more than arms bend


class _Gap(NamedTuple):
    """The room between an arm and the body, from a row on."""

    outwards: int  # the way from the body to the arm: -1 leftwards, 1 rightwards
    top: int
    first: NDArray[np.intp]  # of each row, the first and the last column of the gap
    last: NDArray[np.intp]


def spread_arms(subject: Subject, rng: random.Random) -> Subject:
    """Somebody whose arms are further from the body, where there is a gap between them to widen.

    In the rows of a gap all that lies beyond it moves outwards, most in the middle, as an elbow
    does when a hand is put to the hip. Only the photo's background is stretched, and so the result
    is to be put over another scene. As they were where no gap is seen.

    Args:
        subject: a whole figure.
    """
    mask = subject.pixels[3].cpu().numpy()
    gaps = _gaps(mask, subject.box)
    if not gaps:
        return subject
    distances = [rng.uniform(0.1, _FARTHEST) * len(gap.first) for gap in gaps]
    margin = math.ceil(max(distances))
    planes = np.pad(subject.pixels.cpu().numpy(), ((0, 0), (0, 0), (margin, margin)))
    rows, columns = planes.shape[1:]
    place = np.tile(np.arange(columns, dtype=np.float32), (rows, 1))
    for gap, distance in zip(gaps, distances, strict=True):
        count = len(gap.first)
        moved = gap.outwards * distance * np.sin(np.pi * (np.arange(count) + 0.5) / count)
        beyond = np.array([1, 1, 0, 0] if gap.outwards < 0 else [0, 0, 1, 1])
        for row in range(count):
            ends = gap.first[row] + margin, gap.last[row] + margin
            fixed = np.array([-columns, *ends, 2 * columns])
            shifted = fixed + moved[row] * beyond
            place[gap.top + row] = np.interp(place[gap.top + row], shifted, fixed)
    down = np.repeat(np.arange(rows, dtype=np.float32)[:, None], columns, 1)
    stretched = cv2.remap(
        np.ascontiguousarray(planes.transpose(1, 2, 0)), place, down, cv2.INTER_LINEAR
    )
    planes = np.asarray(stretched, np.uint8).transpose(2, 0, 1).copy()
    return replace(subject, pixels=torch.from_numpy(planes), box=bounding_box(planes[3]))


def _gaps(mask: Pixels, box: tuple[int, int, int, int]) -> list[_Gap]:
    """The highest gap on each side of the body, if there is one."""
    left, top, right, bottom = box
    height = bottom - top + 1
    begin, end = (top + round(share * height) for share in _ROWS)
    inside = mask[begin:end] > MASKED
    between = np.logical_or.accumulate(inside, 1)
    between &= np.logical_or.accumulate(inside[:, ::-1], 1)[:, ::-1] & ~inside
    count, labels, stats, centroids = cv2.connectedComponentsWithStats(
        between.astype(np.uint8), connectivity=4
    )
    highest: dict[int, _Gap] = {}
    for number in range(1, count):
        first_row, rows = (int(stats[number][k]) for k in (cv2.CC_STAT_TOP, cv2.CC_STAT_HEIGHT))
        outwards = -1 if centroids[number][0] < (left + right) / 2 else 1
        least = len(highest[outwards].first) if outwards in highest else _HIGH * height
        if rows < least:
            continue
        own = labels[first_row : first_row + rows] == number
        last = own.shape[1] - 1 - own[:, ::-1].argmax(1)
        highest[outwards] = _Gap(outwards, begin + first_row, own.argmax(1), last)
    return list(highest.values())
