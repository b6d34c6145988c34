import numpy as np
import pytest
import torch
from torch.nn import functional as F

from training.data.optics import LEVELS, Lens, Plane, aperture, infill, largest_radius, lens_blur

SIZE = (96, 160)


def _plane(level: float, coc: float, alpha: torch.Tensor | None = None) -> Plane:
    ones = torch.ones(1, 1, *SIZE)
    return Plane(level * ones.expand(1, 3, *SIZE), ones if alpha is None else alpha, coc * ones)


def test_point_becomes_the_aperture_and_keeps_its_light() -> None:
    plane = _plane(0.0, 1.0)
    light = plane.light.clone()
    light[..., 48, 80] = 0.7
    disc = lens_blur([plane._replace(light=light)], Lens())[0][0, 0].numpy()
    assert disc.sum() == pytest.approx(0.7, rel=1e-3)
    ys, xs = np.nonzero(disc > 0.5 * disc.max())
    assert abs(np.hypot(ys - 48, xs - 80).max() - largest_radius(*SIZE)) < 1
    assert disc[disc > 0.5 * disc.max()].std() < 0.1 * disc.max()  # flat, not a bell


@pytest.mark.parametrize("level", [0.3, 0.95, 1.0])  # a wall, a bright sky, a clipped one
@pytest.mark.parametrize("coc", [*LEVELS, -0.8, 0.07, 0.43])
def test_even_light_stays_as_it_is(coc: float, level: float) -> None:
    light, focus = lens_blur([_plane(level, coc)], Lens())
    assert torch.allclose(light, torch.full_like(light, level), atol=1e-5)
    expected = max(0.0, 1 - abs(coc) / 0.16)
    assert torch.allclose(focus, torch.full_like(focus, expected), atol=1e-5)


def _scene() -> Plane:
    """Fine and coarse detail of every brightness short of clipped, all fully out of focus."""
    rng = torch.Generator().manual_seed(0)
    fine = torch.rand(1, 3, *SIZE, generator=rng)
    coarse = torch.rand(1, 3, SIZE[0] // 16, SIZE[1] // 16, generator=rng)
    light = 0.4 * fine + 0.48 * F.interpolate(coarse, SIZE, mode="bilinear")
    return _plane(0.0, 1.0)._replace(light=light)


@pytest.mark.parametrize("coc", [0.3, 0.9, 1.0, "sloping"])
def test_scene_is_as_bright_as_before(coc: float | str) -> None:
    """At every radius alike, so that nothing jumps when the aperture opens."""
    scene = _scene()
    slope = torch.linspace(-1, 1, SIZE[1]).expand(1, 1, *SIZE)
    even = torch.full((1, 1, *SIZE), coc) if isinstance(coc, float) else slope
    light, _ = lens_blur([scene._replace(coc=even)], Lens())
    assert light.mean() == pytest.approx(float(scene.light.mean()), rel=0.01)


def test_bright_sky_is_not_lifted() -> None:
    """Clipped though it is, it is no highlight; nor does it outshine what is beside it."""
    scene = _scene()
    light = scene.light.clone()
    light[..., :48, :] = 1.0
    after, _ = lens_blur([scene._replace(light=light)], Lens())
    assert after.mean() == pytest.approx(float(light.mean()), rel=0.01)
    assert after[..., 52:, :].mean() < light[..., 48:, :].mean() + 0.03


def test_surface_that_leads_away_hides_what_is_behind() -> None:
    slope = torch.linspace(-0.3, 0.9, SIZE[1]).expand(1, 1, *SIZE)
    front = _plane(0.2, 0)._replace(coc=slope)
    light, _ = lens_blur([_plane(0.7, 1.0), front], Lens())
    assert (light - 0.2).abs().max() < 0.02


def test_what_is_behind_does_not_spill_over_the_subject_but_what_is_in_front_does() -> None:
    alpha = torch.zeros(1, 1, *SIZE)
    alpha[..., 80:] = 1
    subject = _plane(0.0, 0.0, alpha)
    light, focus = lens_blur([_plane(0.7, 1.0), subject], Lens())
    assert light[..., 80:].max() < 1e-4
    assert focus[..., 80:].min() > 0.999
    assert focus[..., :80].max() < 1e-4
    light, focus = lens_blur([_plane(0.7, 1.0), subject, _plane(0.5, -1.0, 1 - alpha)], Lens())
    assert light[0, 0, 48, 81] > 0.1
    assert 0.1 < focus[0, 0, 48, 81] < 0.9
    assert light[..., 90:].max() < 1e-4


def test_highlights_outshine() -> None:
    plane = _plane(0.0, 1.0)
    light = plane.light.clone()
    light[..., 48, 80] = 1.0
    spread = lens_blur([plane._replace(light=light)], Lens())[0][0, 0].sum()
    assert spread == pytest.approx(2.5, rel=1e-3)


def test_apertures() -> None:
    disc, hexagon = aperture(8.0, Lens()), aperture(8.0, Lens(6, roundness=0))
    for kernel in (disc, hexagon):
        assert kernel.shape == (19, 19)
        assert kernel.sum() == pytest.approx(1)
    area = (hexagon > 0.5 * hexagon.max()).sum() / (disc > 0.5 * disc.max()).sum()
    assert area == pytest.approx(6 * np.sin(np.pi / 3) / 2 / np.pi, rel=0.06)  # of hexagon to disc
    assert torch.allclose(aperture(8.0, Lens(6, roundness=1)), disc)


def test_cats_eye_narrows_towards_the_corners_only() -> None:
    lens = Lens(cats_eye=0.5)
    light = torch.zeros(1, 3, *SIZE)
    light[..., 48, 80] = light[..., 8, 10] = 0.7
    plane = _plane(0.0, 1.0)._replace(light=light)
    eye, disc = (lens_blur([plane], shape)[0][0, 0] for shape in (lens, Lens()))
    centre = slice(40, 57), slice(70, 91)
    assert (eye[centre] - disc[centre]).abs().sum() < 0.1 * disc[centre].sum()
    corner = slice(0, 16), slice(0, 20)
    assert eye[corner].sum() == pytest.approx(0.7, rel=0.1)
    assert (eye[corner] > 1e-3).sum() < 0.8 * (disc[corner] > 1e-3).sum()


def test_infill_keeps_what_is_known_and_continues_it() -> None:
    values = torch.linspace(0, 1, 64).expand(1, 1, 48, 64).clone()
    known = torch.ones_like(values)
    known[..., 16:32, 20:44] = 0
    truth = values.clone()
    values[..., 16:32, 20:44] = 9
    filled = infill(values, known)
    assert torch.equal(filled[known > 0], truth[known > 0])
    assert (filled - truth).abs().max() < 0.15


def test_infill_reaches_the_far_side_of_a_wide_picture() -> None:
    values, known = torch.full((1, 1, 40, 64), 0.8), torch.zeros(1, 1, 40, 64)
    known[..., 20:24, 20:24] = 1
    assert torch.allclose(infill(values * known, known), values)
