import random

import pytest
import torch

from training.data.optics import Lens
from training.data.plans import Planner
from training.data.pool import Pool
from training.data.shots import Sway
from training.data.synthesis import Renderer


@pytest.mark.parametrize(("height", "width"), [(96, 160), (160, 96)])
def test_samples_are_in_range(pool: Pool, height: int, width: int) -> None:
    batch = Renderer(pool, 3).batch(range(8), height, width)
    for part, channels in zip(batch, (3, 3, 3, 1, 1), strict=True):
        assert part is not None
        assert part.shape == (8, channels, height, width)
        assert part.min() >= 0
        assert part.max() <= 1
        assert part.isfinite().all()


def test_the_network_can_see_samples_finer(pool: Pool) -> None:
    batch = Renderer(pool, 3, finer=2).batch(range(8), 48, 80)
    assert batch.input.shape == (8, 3, 96, 160)
    for part in batch[1:]:
        assert part is not None
        assert part.shape[2:] == (48, 80)
    # the same picture, but for noise and compression
    assert (torch.nn.functional.avg_pool2d(batch.input, 2) - batch.sharp).abs().mean() < 0.03


def test_sample_depends_on_its_seed_and_number_alone(pool: Pool) -> None:
    many = Renderer(pool, 3).batch(range(6), 48, 80)
    for number in (5, 2):
        alone = Renderer(pool, 3).batch([number], 48, 80)
        for one, all_ in zip(alone, many, strict=True):
            assert one is not None
            assert all_ is not None
            assert torch.allclose(one[0], all_[number], atol=1e-4)
    other = Renderer(pool, 4).batch([5], 48, 80)
    assert not torch.allclose(other.sharp[0], many.sharp[5], atol=0.05)


def test_without_the_lens_all_else_is_the_same(pool: Pool) -> None:
    renderer, numbers = Renderer(pool, 3), range(24)
    through, without = (renderer.batch(numbers, 48, 80, lens=lens) for lens in (True, False))
    assert without.bokeh is None
    assert torch.allclose(without.input, through.input, atol=1e-4)
    assert torch.allclose(without.sharp, through.sharp, atol=1e-4)
    assert torch.allclose(without.focus, through.focus, atol=0.02)
    assert torch.equal(without.disparity, through.disparity)
    clip = renderer.clip(0, 3, 48, 80, lens=False)
    assert clip.bokeh is None
    assert torch.allclose(clip.focus, renderer.clip(0, 3, 48, 80).focus, atol=0.02)


def test_focus_says_where_the_picture_is_kept(pool: Pool) -> None:
    batch = Renderer(pool, 0).batch(range(24), 96, 160)
    assert batch.bokeh is not None
    difference = (batch.bokeh - batch.sharp).abs().mean(1, keepdim=True)
    assert difference[batch.focus > 0.999].mean() < 0.01
    assert difference[batch.focus < 0.001].mean() > 0.08


def test_no_sharp_rim_is_taught(pool: Pool) -> None:
    """The scene beside a subject in their own photo is out of focus up to the subject."""
    renderer = Renderer(pool, 0)
    numbers = [
        n for n in range(60)
        if Planner(pool, random.Random(f"0/{n}"), 96, 160).draw().in_place
    ][:8]  # fmt: skip
    batch = renderer.batch(numbers, 96, 160)
    kept = (batch.focus > 0.5).float()
    ring = torch.nn.functional.max_pool2d(kept, 7, 1, 3) - torch.nn.functional.max_pool2d(
        kept, 3, 1, 1
    )
    assert batch.focus[ring > 0].mean() < 0.1


def test_clip_moves_smoothly_from_its_sample(pool: Pool) -> None:
    renderer = Renderer(pool, 1)
    plans = (Planner(pool, random.Random(f"1/{n}"), 48, 80).draw() for n in range(40))
    number = next(n for n, plan in enumerate(plans) if plan.layers and plan.camera != Sway())
    clip = renderer.clip(number, 8, 48, 80)
    first = renderer.batch([number], 48, 80)
    assert torch.allclose(clip.sharp[0], first.sharp[0], atol=1e-4)
    steps = clip.focus.diff(dim=0).abs().mean((1, 2, 3))
    far = (clip.focus[-1] - clip.focus[0]).abs().mean()
    assert 0 < steps.max() < 0.5 * steps.sum()
    assert far > steps.mean()


def test_it_is_known_which_clips_move(pool: Pool) -> None:
    renderer = Renderer(pool, 1)
    moved = {renderer.moves(number, 48, 80) for number in range(40)}
    assert moved == {True, False}
    for number in range(12):
        sharp = renderer.clip(number, 8, 48, 80, lens=False).sharp
        assert renderer.moves(number, 48, 80) == (not torch.allclose(sharp[-1], sharp[0]))


def test_lens_shapes_what_is_out_of_focus(pool: Pool) -> None:
    disc = Renderer(pool, 0).batch([0], 96, 160)
    blades = Renderer(pool, 0, Lens(5, roundness=0)).batch([0], 96, 160)
    assert disc.bokeh is not None
    assert blades.bokeh is not None
    assert torch.equal(disc.input, blades.input)
    assert not torch.allclose(disc.bokeh, blades.bokeh, atol=0.02)
    assert torch.allclose(disc.focus, blades.focus, atol=0.3)


def test_a_photo_in_place_is_seen_as_it_is(pool: Pool) -> None:
    """What the lens needs filled behind somebody is not filled in what the network sees."""
    renderer = Renderer(pool, 0)
    number, plan = next(
        (n, p) for n in range(200)
        if (p := Planner(pool, random.Random(f"0/{n}"), 96, 160).draw()).in_place
        and len(p.layers) == 1 and not p.lighting and not any(p.scene.motion)
    )  # fmt: skip
    x, y, width, height = plan.scene.window
    rows, columns = plan.scene.pixels.shape[1:]
    grid = torch.nn.functional.affine_grid(
        torch.tensor([[[width / columns * (-1 if plan.scene.flip else 1), 0,
                        (2 * x + width) / columns - 1],
                       [0, height / rows, (2 * y + height) / rows - 1]]]),
        [1, 1, 96, 160], align_corners=False,
    )  # fmt: skip
    photo = torch.nn.functional.grid_sample(
        plan.scene.pixels[None, :3] / 255, grid, padding_mode="border", align_corners=False
    )
    gain = torch.tensor(plan.scene.gain).view(1, 3, 1, 1)
    expected = (photo**2.2 * gain).clamp(0, 1) ** (1 / 2.2)
    assert torch.allclose(renderer.batch([number], 96, 160).sharp, expected, atol=0.01)
