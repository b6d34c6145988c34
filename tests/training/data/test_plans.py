import random
from dataclasses import replace
from pathlib import Path

import pytest

import training.data.plans
from training.data.arms import spread_arms
from training.data.plans import KINDS, Plan, Planner, people_of
from training.data.pool import Pool
from training.data.shots import Sway
from training.data.subjects import Subject
from training.data.synthesis import Renderer

HEIGHT, WIDTH = 48, 80


@pytest.fixture(scope="module")
def plans(pool: Pool) -> list[Plan]:
    return [Planner(pool, random.Random(f"0/{n}"), HEIGHT, WIDTH).draw() for n in range(400)]


def test_every_kind_of_sample_comes(plans: list[Plan]) -> None:
    assert any(not p.layers for p in plans)
    assert any(p.in_place for p in plans)
    assert any(p.layers and not p.in_place for p in plans)
    assert any(p.layers and p.layers[0].coc > 0 for p in plans)  # behind
    assert any(p.layers and p.layers[-1].coc < 0 for p in plans)  # near the lens, out of focus
    assert any(sum(layer.coc == 0 for layer in p.layers) > 1 for p in plans)  # held up


def test_a_source_does_not_drown_the_others(photos: Path, tmp_path: Path) -> None:
    """A source's share is that of its kind, however many photographs it has."""
    (tmp_path / "backgrounds").symlink_to(photos / "backgrounds")
    for folder, names in (
        ("people", ("ccp_1", "ccp_2", "ccp_3", "ccp_4")),
        ("calls", ("hands_1",)),
    ):
        (tmp_path / folder).mkdir()
        for name in names:
            for suffix in (".jpg", ".mask.png", ".disparity.png"):
                picture = photos / "people" / f"photo_0{suffix}"
                (tmp_path / folder / f"{name}{suffix}").symlink_to(picture)
    pool = Pool(tmp_path)
    hands = pool.sources["hands"][0].pixels
    drawn = [Planner(pool, random.Random(f"0/{n}"), HEIGHT, WIDTH).draw() for n in range(400)]
    in_place = [p.scene.pixels is hands for p in drawn if p.in_place]
    there = ("webcam frames with hands", "standing people", "half figures", "several people")
    expected, *others = (KINDS[name].share * KINDS[name].in_place for name in there)
    expected /= expected + sum(others)
    assert sum(in_place) / len(in_place) == pytest.approx(expected, abs=0.1)


def test_what_a_folder_lacks_is_left_out(photos: Path, tmp_path: Path) -> None:
    for folder in ("people", "backgrounds"):
        (tmp_path / folder).symlink_to(photos / folder)
    kinds = people_of(Pool(tmp_path))
    assert kinds == {
        "standing people": {"photo": 1.0}, "half figures": {"photo": 1.0},
        "several people": {"photo": 1.0},
        "things alone": {}, "nobody": {},
    }  # fmt: skip


def test_windows_have_the_pictures_shape(plans: list[Plan]) -> None:
    for plan in plans:
        for shot in (plan.scene, *(layer.shot for layer in plan.layers)):
            _, _, width, height = shot.window
            assert height / width == pytest.approx(HEIGHT / WIDTH)


def test_what_must_stay_inside_its_photo_does(plans: list[Plan]) -> None:
    for shot in (p.scene for p in plans):
        x, y, width, height = shot.window
        rows, columns = shot.pixels.shape[1:]
        assert min(x, y) >= -1e-6
        assert x + width <= columns + 1e-6
        assert y + height <= rows + 1e-6


def test_clips_pause(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In some nothing moves, in others nothing but the hands."""
    monkeypatch.setattr(pool, "hands", [pool.people[0].alone])
    drawn = [Planner(pool, random.Random(f"1/{n}"), HEIGHT, WIDTH).draw() for n in range(300)]
    moving = [
        (p.camera != Sway(), [layer.own != Sway() for layer in p.layers])
        for p in drawn if p.in_place and len(p.layers) > 1
    ]  # fmt: skip
    still = sum(p.camera == Sway() and all(x.own == Sway() for x in p.layers) for p in drawn)
    assert still > 0.2 * len(drawn)
    assert any(not camera and any(layers) for camera, layers in moving)
    assert any(camera and any(layers) for camera, layers in moving)


def test_people_together_are_all_in_focus(pool: Pool) -> None:
    drawn = [Planner(pool, random.Random(f"2/{n}"), HEIGHT, WIDTH).draw() for n in range(300)]
    photos = {id(s.pixels) for s in pool.people} | {id(s.alone.pixels) for s in pool.people}
    people = [
        sum(layer.coc == 0 and id(layer.shot.pixels) in photos for layer in p.layers) for p in drawn
    ]
    assert {1, 2, 3} <= set(people)


def test_what_is_held_up_is_in_focus_and_what_is_near_the_lens_is_not(
    plans: list[Plan], pool: Pool
) -> None:
    def in_front(held: bool) -> float:
        """The focus of what stands before somebody in their own photo."""
        numbers = [
            n for n, p in enumerate(plans)
            if p.in_place and len(p.layers) == 2 and (p.layers[1].coc == 0) == held
        ]  # fmt: skip
        batch = Renderer(pool, 0).batch(numbers, HEIGHT, WIDTH)
        return float(batch.focus[batch.disparity > 0.999].mean())

    assert in_front(held=True) > 0.9
    assert in_front(held=False) < 0.3


@pytest.mark.parametrize("in_place", [0, 1])
def test_arms_are_spread_of_half_figures_over_another_scene(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, in_place: int
) -> None:
    spread = []

    def seen(subject: Subject, rng: random.Random) -> Subject:
        spread.append(subject)
        return spread_arms(subject, rng)

    monkeypatch.setattr(training.data.plans, "spread_arms", seen)
    for name, kind in KINDS.items():
        alone = replace(kind, share=float(name == "half figures"), in_place=in_place)
        monkeypatch.setitem(KINDS, name, alone)
    for number in range(20):
        Planner(pool, random.Random(number), HEIGHT, WIDTH).draw()
    assert bool(spread) == (not in_place)
