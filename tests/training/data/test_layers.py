import random

import pytest
import torch

from tests.training.data.test_subjects import photographed
from training.data.layers import Composer
from training.data.pool import Pool
from training.data.shots import Layer
from training.data.subjects import bounding_box
from training.data.windows import CALL

SHAPE, SEEDS = 0.6, range(30)


@pytest.fixture
def raised(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Pool:
    """The pool with a hand (a part of somebody will do)."""
    monkeypatch.setattr(pool, "hands", [pool.people[0].alone])
    return pool


def test_people_beside_each_other_are_of_about_one_size(pool: Pool) -> None:
    for seed in SEEDS:
        subjects = [photographed() for _ in range(3)]
        people = Composer(pool, random.Random(seed), SHAPE).together(subjects, None)
        heads = sorted(person.head() for person in people)
        sizes = [size for _, _, size in heads]
        assert len(people) == 3
        assert all(person.layer.coc == 0 for person in people)
        assert max(sizes) < 1.35 * min(sizes)


def test_somebody_further_off_is_smaller_and_out_of_focus(pool: Pool) -> None:
    for seed in SEEDS:
        composer = Composer(pool, random.Random(seed), SHAPE)
        person = composer.cut_out(photographed(close=False), CALL)
        other = composer.further_off(photographed(close=False), person)
        size = photographed(close=False).alone.head.height / other.shot.window[3]
        assert size < 0.7 * person.head()[2]
        assert other.coc > 0.3


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


def test_a_scene_takes_the_tone_of_clothes(pool: Pool) -> None:
    for seed in SEEDS:
        composer = Composer(pool, random.Random(seed), SHAPE)
        person = composer.cut_out(photographed(close=False), CALL)  # wears green
        red, green, blue = composer.scene_like(person).gain
        assert green > 3 * max(red, blue)


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
