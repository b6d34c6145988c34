import random

import pytest

from training.data.plans import Plan, Planner
from training.data.pool import Pool
from training.data.synthesis import Renderer

HEIGHT, WIDTH = 48, 80


@pytest.fixture(scope="module")
def plans(pool: Pool) -> list[Plan]:
    return [Planner(pool, random.Random(f"0/{n}"), HEIGHT, WIDTH).draw() for n in range(400)]


def test_every_kind_of_sample_comes(plans: list[Plan]) -> None:
    assert any(p.subject is None for p in plans)
    assert any(p.in_place for p in plans)
    assert any(p.subject and not p.in_place for p in plans)
    assert any(p.behind for p in plans)
    assert any(p.front and p.front[1] < 0 for p in plans)  # near the lens, out of focus
    assert any(p.front and p.front[1] == 0 for p in plans)  # held up


def test_windows_have_the_pictures_shape(plans: list[Plan]) -> None:
    for plan in plans:
        shots = [plan.scene, plan.subject, *(o[0] for o in (plan.behind, plan.front) if o)]
        for shot in filter(None, shots):
            _, _, width, height = shot.window
            assert height / width == pytest.approx(HEIGHT / WIDTH)


def test_what_must_stay_inside_its_photo_does(plans: list[Plan]) -> None:
    for shot in (p.scene for p in plans):
        x, y, width, height = shot.window
        rows, columns = shot.pixels.shape[1:]
        assert min(x, y) >= -1e-6
        assert x + width <= columns + 1e-6
        assert y + height <= rows + 1e-6


def test_faces_fill_the_picture_now_and_then(plans: list[Plan], pool: Pool) -> None:
    top, bottom = pool.people[0].box[1], pool.people[0].box[3]
    heights = [p.subject.window[3] / (bottom - top + 1) for p in plans if p.subject]
    assert sum(h < 0.25 for h in heights) > 5  # of a standing person's height
    assert sum(h > 1 for h in heights) > 20


def test_what_is_held_up_is_in_focus_and_what_is_near_the_lens_is_not(
    plans: list[Plan], pool: Pool
) -> None:
    def in_front(held: bool) -> float:
        """The focus of what stands before somebody in their own photo."""
        numbers = [
            n for n, p in enumerate(plans)
            if p.in_place and p.front and (p.front[1] == 0) == held
        ]  # fmt: skip
        batch = Renderer(pool, 0).batch(numbers, HEIGHT, WIDTH)
        return float(batch.focus[batch.disparity > 0.999].mean())

    assert in_front(held=True) > 0.9
    assert in_front(held=False) < 0.3
