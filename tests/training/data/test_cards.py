import random

import numpy as np
import torch

from training.data.cards import draw_card
from training.data.pool import Pool


def test_a_card_is_a_subject_of_its_own(pool: Pool) -> None:
    for number in range(30):
        card = draw_card(pool, random.Random(number))
        assert card.pixels.dtype == torch.uint8
        mask = card.pixels[3].numpy()
        ys, xs = np.nonzero(mask > 128)
        assert card.box == (xs.min(), ys.min(), xs.max(), ys.max())
        assert len(ys) > 10_000
        # whole: nothing of it is cut off by the picture's edge
        assert not mask[0].any()
        assert not mask[-1].any()
        assert not mask[:, 0].any()
        assert not mask[:, -1].any()


def test_a_card_follows_from_its_chance_alone(pool: Pool) -> None:
    one, same, other = (draw_card(pool, random.Random(n)).pixels for n in (1, 1, 2))
    assert torch.equal(one, same)
    assert one.shape != other.shape or not torch.equal(one, other)


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
