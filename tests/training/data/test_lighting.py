import math
import random

import pytest
import torch
from torch import Tensor

from training.data.lighting import Lighting, Window

Scene = tuple[Tensor, Tensor, Tensor]


@pytest.fixture
def scene() -> Scene:
    """Even light, somebody in the middle, nearer than the wall."""
    mask = torch.zeros(1, 1, 72, 128)
    mask[..., 20:, 44:84] = 1
    return torch.full((1, 3, 72, 128), 0.3), mask, 0.1 + 0.8 * mask


def _drawn() -> list[Lighting]:
    found = (Lighting.draw(random.Random(number)) for number in range(400))
    return [lighting for lighting in found if lighting]


def test_most_pictures_keep_their_light_and_the_rest_differ() -> None:
    drawn = _drawn()
    assert 80 < len(drawn) < 200
    assert len(set(drawn)) == len(drawn)
    assert 20 < sum(lighting.dark for lighting in drawn) < 90
    assert drawn == _drawn()


def test_light_stays_light_and_nothing_given_is_changed(scene: Scene) -> None:
    before = [part.clone() for part in scene]
    noise = torch.rand(scene[0].shape, generator=torch.Generator().manual_seed(0))
    for lighting in _drawn():
        for light in (scene[0], noise):
            lit = lighting.apply(light, *scene[1:])
            assert lit.shape == light.shape
            assert 0 <= lit.min() <= lit.max() <= 1
    assert all(torch.equal(part, old) for part, old in zip(scene, before, strict=True))


def test_a_dark_room_is_dark(scene: Scene) -> None:
    for lighting in _drawn():
        if lighting.dark:
            assert lighting.apply(*scene).mean() < 0.35 * scene[0].mean()


def test_a_window_behind_leaves_the_person_in_the_shadow_and_veils_it(scene: Scene) -> None:
    lighting = Lighting(near=(0.2, 0.2, 0.2), window=Window(0.3, 0.2, 0.3, 3.0, 0.0))
    light, mask = lighting.apply(*scene)[:, :1], scene[1] > 0
    assert light[mask].max() < 0.07
    assert light[~mask].min() > 0.25
    assert light[0, 0, 14, 38] > 2 * light[0, 0, -1, -1]
    veiled = Lighting(near=(0.2, 0.2, 0.2), window=Window(0.3, 0.2, 0.3, 3.0, 0.1))
    assert veiled.apply(*scene)[:, :1][mask].min() > light[mask].max()


@pytest.mark.parametrize(("angle", "side"), [(0.0, 82), (math.pi, 45)])
def test_a_lamp_at_a_side_lights_that_side_of_the_person_alone(
    scene: Scene, angle: float, side: int
) -> None:
    lamp = Lighting(near=(1.5, 1.0, 0.4), other=(0.2, 0.2, 0.2), angle=angle)
    row = lamp.apply(*scene)[0, :, 55]
    lit, away = row[:, side], row[:, 44 + 83 - side]
    assert bool((lit > 2 * away).all())
    assert lit[0] > 2 * lit[2]
    assert torch.allclose(row[:, 10], torch.tensor(0.3), atol=0.05)


def test_planes_lit_one_by_one_make_the_scene(scene: Scene) -> None:
    """What is lit does not depend on what else the plane shows."""
    light, mask, depth = scene
    lighting = Lighting((0.3, 0.4, 0.5), (0.6, 0.5, 0.4), window=Window(0.5, 0.1, 0.2, 2.0, 0.05))
    person = lighting.apply(light, torch.ones_like(mask), depth)
    wall = lighting.apply(light, torch.zeros_like(mask), torch.full_like(depth, 0.1))
    assert torch.allclose(mask * person + (1 - mask) * wall, lighting.apply(*scene), atol=1e-6)
