from pathlib import Path

import numpy as np
import pytest

from training.synthesis import Pool, Renderer, largest_radius, lens_blur


@pytest.mark.parametrize(("height", "width"), [(144, 256), (240, 160)])
def test_samples_are_in_range_and_repeatable(photos: Path, height: int, width: int) -> None:
    pool = Pool(photos)
    one, two = Renderer(pool, 3), Renderer(pool, 3)
    for _ in range(8):
        sample, again = one.sample(height, width), two.sample(height, width)
        for part, same in zip(sample, again, strict=True):
            assert part.shape[:2] == (height, width)
            assert part.min() >= 0
            assert part.max() <= 1
            assert np.array_equal(part, same)


def test_focus_says_where_the_picture_is_kept(photos: Path) -> None:
    renderer = Renderer(Pool(photos), 0)
    kept, changed = [], []
    for _ in range(12):
        sample = renderer.sample(96, 160)
        difference = np.abs(sample.bokeh - sample.sharp).mean(2)
        kept += list(difference[sample.focus[..., 0] > 0.999])
        changed += list(difference[sample.focus[..., 0] < 0.001])
    assert np.mean(kept) < 0.01
    assert np.mean(changed) > 0.1


def test_blur_keeps_light_and_spreads_a_point_into_a_disc() -> None:
    radius = largest_radius(96, 160)
    scene = np.zeros((96, 160, 3), np.float32)
    scene[48, 80] = 0.7
    ones = np.ones((96, 160), np.float32)
    disc = lens_blur(scene, ones, ones * radius)[..., 0]
    assert disc.sum() == pytest.approx(0.7, rel=1e-3)
    ys, xs = np.nonzero(disc > 0.5 * disc.max())
    reach = np.hypot(ys - 48, xs - 80).max()
    assert abs(reach - radius) < 1
    assert disc[disc > 0.5 * disc.max()].std() < 0.1 * disc.max()  # flat, not a bell


def test_light_of_invalid_pixels_does_not_leak() -> None:
    scene = np.full((96, 160, 3), 0.2, np.float32)
    valid = np.ones((96, 160), np.float32)
    scene[40:56, 70:90] = 0.7
    valid[40:56, 70:90] = 1e-3
    blurred = lens_blur(scene, valid, np.full((96, 160), 4.0, np.float32))
    assert np.abs(blurred[:38] - 0.2).max() < 0.01


def test_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs pictures"):
        Pool(tmp_path)
