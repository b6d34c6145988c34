import random

from tests.training.data.test_subjects import photographed
from training.data.layers import Composer
from training.data.pool import Pool
from training.data.windows import CALL

SHAPE, SEEDS = 0.6, range(30)


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


def test_a_scene_takes_the_tone_of_clothes(pool: Pool) -> None:
    for seed in SEEDS:
        composer = Composer(pool, random.Random(seed), SHAPE)
        person = composer.cut_out(photographed(close=False), CALL)  # wears green
        red, green, blue = composer.scene_like(person).gain
        assert green > 3 * max(red, blue)
