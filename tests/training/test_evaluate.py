import cv2
import numpy as np
import pytest

from training.evaluate import background_energy, in_focus_psnr


@pytest.fixture
def picture() -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
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
