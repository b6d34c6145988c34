import random

import pytest
import torch

from tests.training.data.test_subjects import photographed
from training.data.layers import Composer
from training.data.pool import Pool
from training.data.shots import Layer
from training.data.subjects import bounding_box
from training.data.windows import CALL, HALF_FIGURE

SHAPE, SEEDS = 0.6, range(30)


@pytest.fixture
def raised(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Pool:
    """The pool with a hand (a part of somebody will do)."""
    monkeypatch.setattr(pool, "hands", [pool.people[0].alone])
    return pool


def test_a_chair_is_behind_somebody_and_out_of_focus(pool: Pool) -> None:
    for seed in range(5):
        composer = Composer(pool, random.Random(seed), SHAPE)
        chair = composer.chair(composer.cut_out(photographed(close=False), CALL))
        _, y, _, height = chair.shot.window
        *_, bottom = bounding_box(chair.shot.pixels[3].numpy())
        assert chair.coc > 0
        assert bottom >= y + height - 1  # it does not hang in the air


def test_hands_are_in_focus_and_many_move(raised: Pool) -> None:
    hands: list[Layer] = []
    for seed in SEEDS:
        composer = Composer(raised, random.Random(seed), SHAPE)
        hands += composer.hands(composer.in_place(photographed(), CALL, 60))
    assert all(hand.coc == 0 for hand in hands)
    moving = sum(max(map(abs, hand.shot.motion)) > 0.01 for hand in hands)
    assert 0.2 < moving / len(hands) < 0.7


def test_what_a_hand_holds_moves_with_it(raised: Pool) -> None:
    pairs = []
    for seed in SEEDS:
        composer = Composer(raised, random.Random(seed), SHAPE)
        layers = composer.hands(composer.in_place(photographed(), CALL, 60))
        hand = [layer.shot.pixels.shape == raised.hands[0].pixels.shape for layer in layers]
        if len(layers) == 2 and sum(hand) == 1:
            pairs.append(layers)
    assert pairs
    assert all(one.own == other.own for one, other in pairs)


def test_open_hands_are_beside_the_waist(raised: Pool) -> None:
    drawn: list[int] = []
    for seed in SEEDS:
        composer = Composer(raised, random.Random(seed), SHAPE)
        person = composer.cut_out(photographed(close=False), HALF_FIGURE)
        middle, top, size = person.head()
        layers = composer.open_hands(person)
        drawn.append(len(layers))
        for hand in layers:
            x, y, width, height = hand.shot.window
            left, upper, right, lower = bounding_box(hand.shot.pixels[3].numpy())
            across = ((left + right) / 2 - x) / width
            across = 1 - across if hand.shot.flip else across
            down = ((upper + lower) / 2 - y) / height
            assert hand.coc == 0
            assert abs(across - middle) > 0.1 * SHAPE * size
            assert top + size < down < top + 4 * size
    assert set(drawn) == {1, 2}


def test_clutter_is_behind_somebody_and_out_of_focus(pool: Pool) -> None:
    for seed in range(5):
        composer = Composer(pool, random.Random(seed), SHAPE)
        person = composer.cut_out(photographed(close=False), HALF_FIGURE)
        assert all(thing.coc > 0 for thing in composer.clutter(person))


def test_something_near_the_lens_is_out_of_focus(pool: Pool) -> None:
    drawn = [
        layer for seed in range(200) for layer in Composer(pool, random.Random(seed), SHAPE).front()
    ]
    assert {layer.coc < 0 for layer in drawn} == {True, False}
    assert 5 < len(drawn) < 50


def test_a_layer_is_drawn_from_its_seed(raised: Pool) -> None:
    def drawn() -> list[Layer]:
        composer = Composer(raised, random.Random(3), SHAPE)
        return composer.hands(composer.in_place(photographed(), CALL, 60))

    for one, other in zip(drawn(), drawn(), strict=True):
        assert one.shot.window == other.shot.window
        assert torch.equal(one.shot.pixels, other.shot.pixels)
