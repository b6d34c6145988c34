import random

import cv2
import numpy as np
import pytest
import torch

from training.data.webcam import Webcam, jpeg, through_webcams

CLEAN = Webcam(0.0, 0.0, False, False, None)


@pytest.fixture
def picture() -> torch.Tensor:
    """Smooth colours with some detail."""
    noise = np.random.default_rng(0).random((64, 96, 3), np.float32)
    image = cv2.GaussianBlur(noise, (0, 0), 5) * 4 - 1.5 + 0.1 * noise
    return torch.from_numpy(image.clip(0, 1)).permute(2, 0, 1)[None]


@pytest.mark.parametrize("quality", [30, 80])
def test_jpeg_loses_what_a_codec_loses(picture: torch.Tensor, quality: int) -> None:
    pixels = (picture[0].permute(1, 2, 0).numpy()[..., ::-1] * 255).round().astype(np.uint8)
    coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    real = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))[..., ::-1] / 255
    ours = jpeg(picture, quality)[0].permute(1, 2, 0).numpy()
    loss = np.abs(real - picture[0].permute(1, 2, 0).numpy()).mean()
    assert np.abs(ours - real).mean() < 0.4 * loss


def test_noise_is_of_its_seed_and_grows_with_light() -> None:
    grey = torch.full((2, 3, 64, 64), 0.5)
    grey[..., 32:] = 0.05
    camera = Webcam(0.04, 0.01, False, False, None)
    one, two = through_webcams(grey, [camera] * 2, [1, 2])
    assert not torch.equal(one, two)
    assert torch.equal(through_webcams(grey[:1], [camera], [2])[0], two)
    bright, dark = (part.std() for part in (one[..., :32], one[..., 32:]))
    assert bright > 1.5 * dark


def test_clean_camera_changes_nothing_and_a_soft_one_softens(picture: torch.Tensor) -> None:
    assert torch.equal(through_webcams(picture, [CLEAN], [0]), picture)
    soft = through_webcams(picture, [Webcam(0.0, 0.0, False, True, None)], [0])
    assert soft.diff(dim=3).abs().mean() < 0.8 * picture.diff(dim=3).abs().mean()


def test_dark_rooms_are_noisy() -> None:
    rng = random.Random(0)
    dark, light = ([Webcam.draw(rng, d).shot for _ in range(50)] for d in (True, False))
    assert min(dark) >= 0.02
    assert min(light) == 0
    assert max(light) <= 0.03
