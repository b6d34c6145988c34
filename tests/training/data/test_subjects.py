import math

import cv2
import numpy as np
import pytest
import torch

from training.data.subjects import Subject, bounding_box


def photographed(close: bool = True, left: int = 0) -> Subject:
    """A head above shoulders that the photo's left and lower side cut, green before red."""
    mask = np.zeros((200, 240), np.uint8)
    cv2.ellipse(mask, (90, 60), (30, 40), 0, 0, 360, 255, -1, cv2.LINE_AA)
    cv2.rectangle(mask, (left, 100), (190, 199), 255, -1)
    image = np.zeros((200, 240, 3), np.uint8)
    image[..., 0], image[..., 1] = 255 - mask, mask
    planes = np.dstack([image, mask, mask]).transpose(2, 0, 1)
    return Subject(torch.from_numpy(planes.copy()), bounding_box(mask), close)


def test_the_head_is_found() -> None:
    middle, top, height = photographed().head
    assert middle == pytest.approx(90, abs=3)
    assert top == pytest.approx(20, abs=2)
    assert height == pytest.approx(75, abs=12)


def test_sides_that_cut_somebody_are_known() -> None:
    assert photographed().cut == (True, False)


@pytest.mark.parametrize("close", [True, False])
def test_somebody_alone_has_no_rim_of_the_old_background(close: bool) -> None:
    person = photographed(close)
    alone = person.alone
    assert alone is person.alone  # cut out once
    assert alone.close == close
    seen = alone.pixels[3] > 25
    assert alone.pixels[0][seen].max() < 60
    area = float((person.pixels[3] > 127).sum())
    assert 0.9 * area < float((alone.pixels[3] > 127).sum()) < 1.05 * area


def test_where_the_photo_cuts_somebody_the_cutout_does() -> None:
    alone = photographed().alone
    assert alone.cut == (True, False)
    assert bool((alone.pixels[3, -1, :150] > 127).all())


def test_a_cutout_is_turned_clockwise() -> None:
    image = np.zeros((60, 20, 3), np.uint8)
    image[:30, :, 0] = 200  # its upper half
    hand = Subject.cutout(image, np.full((60, 20), 255, np.uint8))
    turned = hand.turned(math.pi / 2)
    assert turned.box == pytest.approx((0, 0, 59, 19), abs=1)
    left, right = turned.pixels[0].float().chunk(2, dim=1)
    assert right.mean() > 10 * left.mean()
