import random

import cv2
import numpy as np
import pytest
import torch

from training.data.arms import spread_arms
from training.data.subjects import MASKED, Subject, bounding_box

WALL, COAT, SLEEVE = (90, 170, 90), (60, 90, 160), (200, 40, 40)


def _figure(gap: int) -> Subject:
    """A figure with its left arm `gap` pixels from its body, joined at shoulder and hip."""
    image = np.full((400, 200, 3), WALL, np.uint8)
    mask = np.zeros((400, 200), np.uint8)
    for canvas, coat, sleeve in ((image, COAT, SLEEVE), (mask, 255, 255)):
        cv2.circle(canvas, (110, 30), 20, coat, -1)
        cv2.rectangle(canvas, (90, 50), (135, 390), coat, -1)
        cv2.rectangle(canvas, (89 - gap - 15, 60), (89 - gap, 180), sleeve, -1)
        for row in (60, 160):
            cv2.rectangle(canvas, (89 - gap, row), (95, row + 20), coat, -1)
    planes = np.dstack([image, mask, mask]).transpose(2, 0, 1)
    return Subject(torch.from_numpy(planes.copy()), bounding_box(mask), False)


def _sleeve(subject: Subject) -> torch.Tensor:
    """How many pixels of the sleeve each row between shoulder and hip has."""
    pixels = subject.pixels[:, 82:158].int()
    own = (pixels[0] > 150) & (pixels[1] < 80) & (pixels[3] > MASKED)
    return own.sum(1)


@pytest.mark.parametrize("seed", range(4))
def test_an_arm_goes_outwards_and_keeps_its_width(seed: int) -> None:
    before = _figure(gap=4)
    after = spread_arms(before, random.Random(seed))
    assert after.box[0] < before.box[0] + (after.pixels.shape[2] - before.pixels.shape[2]) // 2
    assert (_sleeve(after) - _sleeve(before)).abs().max() <= 1


def test_room_between_arm_and_body_is_wider_and_background() -> None:
    before = _figure(gap=4)
    after = spread_arms(before, random.Random(0))
    inside = after.pixels[3, 120] > MASKED
    columns = torch.nonzero(inside)[:, 0]
    gap = torch.nonzero(~inside[columns[0] : columns[-1]])[:, 0] + columns[0]
    assert len(gap) > 8
    colours = after.pixels[:3, 120, gap[2:-2]].T
    assert torch.all(colours == torch.tensor(WALL, dtype=torch.uint8))


def test_body_and_head_stay_where_they_are() -> None:
    before = _figure(gap=4)
    after = spread_arms(before, random.Random(0))
    margin = (after.pixels.shape[2] - before.pixels.shape[2]) // 2
    same = after.pixels[:, :, margin : margin + before.pixels.shape[2]]
    assert torch.equal(same[:, :, 100:], before.pixels[:, :, 100:])
    assert torch.equal(same[:, :60], before.pixels[:, :60])


def test_without_a_gap_nothing_changes() -> None:
    figure = _figure(gap=0)
    assert spread_arms(figure, random.Random(0)) is figure
