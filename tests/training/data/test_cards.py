import random
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from training.data.cards import draw_card, draw_cup, draw_held, draw_phone
from training.data.pool import Pool
from training.data.subjects import Subject, bounding_box


@pytest.mark.parametrize("draw", [draw_card, draw_phone, draw_cup, draw_held])
def test_what_is_held_up_is_a_subject_of_its_own(
    draw: Callable[[Pool, random.Random], Subject], pool: Pool
) -> None:
    for number in range(30):
        thing = draw(pool, random.Random(number))
        assert thing.pixels.dtype == torch.uint8
        mask = thing.pixels[3].numpy()
        assert thing.box == bounding_box(mask)
        assert np.count_nonzero(mask > 128) > 10_000
        # nothing of it is cut off by the picture's edge
        assert not mask[0].any()
        assert not mask[-1].any()
        assert not mask[:, 0].any()
        assert not mask[:, -1].any()


@pytest.mark.parametrize("draw", [draw_card, draw_phone, draw_cup, draw_held])
def test_what_is_held_up_follows_from_its_chance_alone(
    draw: Callable[[Pool, random.Random], Subject], pool: Pool
) -> None:
    one, same, other = (draw(pool, random.Random(n)).pixels for n in (1, 1, 2))
    assert torch.equal(one, same)
    assert one.shape != other.shape or not torch.equal(one, other)


def test_a_mug_has_a_hole_in_its_handle(pool: Pool) -> None:
    holes = 0
    for number in range(20):
        mask = draw_cup(pool, random.Random(number)).pixels[3].numpy()
        background = np.asarray(mask < 128, np.uint8)
        holes += cv2.connectedComponents(background, connectivity=4)[0] > 2
    assert 5 < holes < 18  # mugs, not paper cups


def test_cards_differ_in_shape_and_print(pool: Pool) -> None:
    cards = [draw_card(pool, random.Random(n)) for n in range(40)]
    filled = [float((c.pixels[3] > 128).float().sum()) / _area(c.box) for c in cards]
    assert max(filled) > 0.9  # a rectangle
    assert min(filled) < 0.75  # something rounder or turned
    colours = [c.pixels[:3][:, c.pixels[3] > 128].float().mean(1) for c in cards]
    assert torch.stack(colours).std(0).min() > 20


def _area(box: tuple[int, int, int, int]) -> float:
    left, top, right, bottom = box
    return float((right - left + 1) * (bottom - top + 1))
