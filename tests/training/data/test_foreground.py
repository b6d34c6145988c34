import cv2
import numpy as np
import pytest

from training.data.foreground import estimate_foreground
from training.data.pictures import Pixels

SKIN, WALL = np.array((200, 140, 110)), np.array((20, 60, 230))


@pytest.fixture
def mask() -> Pixels:
    """A disc with a soft edge."""
    disc = np.zeros((120, 160), np.uint8)
    cv2.circle(disc, (80, 60), 40, 255, -1)
    return np.asarray(cv2.GaussianBlur(disc, (0, 0), 3))


@pytest.fixture
def image(mask: Pixels) -> Pixels:
    """The disc in one colour before a wall of another, with some noise."""
    alpha = mask[..., None] / 255
    noise = np.random.default_rng(0).normal(0, 2, (120, 160, 3))
    mixture = alpha * SKIN + (1 - alpha) * WALL + noise
    return np.asarray(mixture.round().clip(0, 255), np.uint8)


def test_the_edge_has_the_colour_of_the_inside(image: Pixels, mask: Pixels) -> None:
    edge = (mask > 20) & (mask < 235)
    before = np.abs(image.astype(float) - SKIN)[edge].mean()
    after = np.abs(estimate_foreground(image, mask).astype(float) - SKIN)[edge].mean()
    assert before > 50
    assert after < 4


def test_the_colour_goes_on_beyond_the_edge(image: Pixels, mask: Pixels) -> None:
    beyond = (mask == 0) & (cv2.dilate(mask, np.ones((7, 7))) > 0)
    found = estimate_foreground(image, mask).astype(float)
    assert np.abs(found - SKIN)[beyond].mean() < 10


def test_a_mask_that_reaches_too_far_by_a_pixel_leaves_less_of_the_wall() -> None:
    mask = np.zeros((80, 80), np.uint8)
    mask[20:60, 20:60] = 255
    image = np.empty((80, 80, 3), np.uint8)
    image[:] = WALL
    image[21:59, 21:59] = SKIN
    rim = (mask > 0) & (cv2.erode(mask, np.ones((3, 3))) == 0)
    found = estimate_foreground(image, mask).astype(float)
    assert np.abs(found - SKIN)[rim].mean() < 0.8 * np.abs(image.astype(float) - SKIN)[rim].mean()


def test_what_is_surely_inside_stays_as_it_is(image: Pixels, mask: Pixels) -> None:
    inside = cv2.erode(mask, np.ones((3, 3))) == 255
    assert inside.any()
    assert np.array_equal(estimate_foreground(image, mask)[inside], image[inside])


@pytest.mark.parametrize("level", [0, 100])
def test_without_a_sure_inside_the_image_stays(image: Pixels, level: int) -> None:
    nothing = np.full(image.shape[:2], level, np.uint8)
    assert np.array_equal(estimate_foreground(image, nothing), image)


def test_a_mask_that_covers_the_picture_changes_nothing(image: Pixels) -> None:
    everything = np.full(image.shape[:2], 255, np.uint8)
    assert np.array_equal(estimate_foreground(image, everything), image)
