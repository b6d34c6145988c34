import itertools
import sys

import cv2
import numpy as np
import pytest
from skimage import metrics as reference

from realtime_bokeh.extras import install_hint
from training.measure import metrics
from training.measure.metrics import (
    WarpingError,
    background_energy,
    detail_lost,
    edge_iou,
    in_focus_psnr,
    intersection_over_union,
    lpips_distance,
    mean_scores,
    quality,
    temporal_error,
    why_no_lpips,
)

RANDOM = np.random.default_rng(0)


def _pair(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture and a worse one."""
    image = np.random.default_rng(number).integers(0, 256, (40 + number, 60, 3), dtype=np.uint8)
    truth = cv2.GaussianBlur(image, (0, 0), 1)
    return cv2.GaussianBlur(truth, (0, 0), 0.4 + number / 5), truth


@pytest.mark.parametrize("number", range(10))
def test_metrics_are_scikit_images(number: int) -> None:
    output, truth = _pair(number)
    mse = ((output.astype(float) - truth) ** 2).mean()
    assert metrics.psnr(output, truth) == pytest.approx(10 * np.log10(255**2 / mse), abs=1e-6)
    channels = [
        reference.structural_similarity(truth[..., c], output[..., c], data_range=255, win_size=7)
        for c in range(3)
    ]
    assert metrics.ssim(output, truth) == pytest.approx(np.mean(channels), abs=1e-6)
    gaussian = reference.structural_similarity(
        truth, output, channel_axis=2, data_range=255,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert metrics.ssim_gaussian(output, truth) == pytest.approx(gaussian, abs=1e-6)


def test_equal_pictures_keep_a_mean_finite() -> None:
    _, image = _pair(0)
    assert np.isinf(metrics.psnr(image, image))
    scores = mean_scores([quality(image, image), quality(*_pair(1))])
    assert scores["psnr"] is not None
    assert 50 < scores["psnr"] < 100


def test_a_score_that_is_missing_once_has_no_mean() -> None:
    assert mean_scores([{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": None}]) == {"a": 2.0, "b": None}


def test_lpips_is_given_or_its_absence_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lpips", None)  # as if not installed
    metrics._lpips.cache_clear()
    assert lpips_distance(*_pair(0)) is None
    assert (why_no_lpips() or "").endswith(install_hint("lpips"))
    metrics._lpips.cache_clear()


@pytest.fixture
def picture() -> tuple[np.ndarray, np.ndarray]:
    image = RANDOM.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    mask = np.zeros((120, 160), bool)
    mask[30:, 50:110] = True
    return image, mask


def test_perfect_bokeh(picture: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = picture
    blurred = cv2.GaussianBlur(image, (0, 0), 6)
    output = np.where(mask[..., None], image, blurred)
    assert in_focus_psnr(image, output, mask) > 100
    assert background_energy(image, output, mask) < 0.01


def test_blurring_the_person_and_keeping_the_rest(picture: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = picture
    output = image.copy()
    output[mask] = np.clip(image[mask].astype(int) + 10, 0, 255)
    assert in_focus_psnr(image, output, mask) == pytest.approx(28.2, abs=0.3)
    assert background_energy(image, output, mask) == pytest.approx(1)


def test_intersection_over_union() -> None:
    a, b = np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 0], bool)
    assert intersection_over_union(a, b) == pytest.approx(1 / 3)
    assert intersection_over_union(a & False, b & False) == 1


def test_temporal_error_counts_changes_that_the_truth_has_not() -> None:
    still = [np.full((8, 8, 3), 100, np.uint8)] * 3
    flicker = [frame + np.uint8(5 * (number % 2)) for number, frame in enumerate(still)]
    assert temporal_error(still, [frame + 50 for frame in still]) == 0
    assert temporal_error(flicker, still) == 5


def _moving() -> list[np.ndarray]:
    """A scene that moves by two pixels a frame."""
    noise = RANDOM.integers(0, 256, (96, 160, 3), dtype=np.uint8)
    scene = cv2.GaussianBlur(noise, (0, 0), 4)
    scene = cv2.normalize(scene, scene, 0, 255, cv2.NORM_MINMAX)
    return [np.asarray(scene[:, 2 * number : 2 * number + 128]) for number in range(4)]


def test_motion_is_no_warping_error_but_flicker_is() -> None:
    frames = _moving()
    error = WarpingError(frames)
    flicker = [cv2.add(f, np.full_like(f, 10 * (n % 2))) for n, f in enumerate(frames)]
    changes = [(a / 255.0 - b / 255.0) ** 2 for a, b in itertools.pairwise(frames)]
    assert error(frames) < 0.05 * np.mean(changes)
    assert error(flicker) == pytest.approx((10 / 255) ** 2, rel=0.15)


def test_edge_counts_within_four_pixels_of_it() -> None:
    mask = np.zeros((60, 80), bool)
    mask[:, :40] = True
    found = mask.copy()
    assert edge_iou(found, mask) == 1
    found[:, 10:20] = False  # far from the edge
    found[:, 60:70] = True
    assert edge_iou(found, mask) == 1
    found[:, 40:42] = True  # two of the four columns beyond
    assert edge_iou(found, mask) == pytest.approx(4 / 6)
    assert edge_iou(~mask, mask) == 0
    assert edge_iou(mask, np.ones_like(mask)) is None


def test_detail_is_lost_where_a_person_is_blurred(
    picture: tuple[np.ndarray, np.ndarray],
) -> None:
    image, mask = picture
    assert detail_lost(image, image, mask).share == 0
    blurred = cv2.GaussianBlur(image, (0, 0), 3)
    everything = detail_lost(image, blurred, mask)
    assert everything.share == 1
    assert everything.pixels == cv2.erode(
        mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
    ).sum()  # fmt: skip
    half = image.copy()
    half[:75] = blurred[:75]
    assert 0.3 < detail_lost(image, half, mask).share < 0.6
    outside = np.where(mask[..., None], image, blurred)
    assert detail_lost(image, outside, mask).share < 0.05


def test_plain_surfaces_have_no_detail_to_lose(picture: tuple[np.ndarray, np.ndarray]) -> None:
    _, mask = picture
    plain = np.full((120, 160, 3), 90, np.uint8)
    assert detail_lost(plain, plain, mask) == (0, 0)
    assert detail_lost(plain, plain, mask).share == 0
