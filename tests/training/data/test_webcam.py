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


def test_coloured_noise_is_wide_and_keeps_the_brightness() -> None:
    grey = torch.full((1, 3, 96, 96), 0.3)
    noise = (
        through_webcams(grey, [Webcam(0.01, 0.0, False, False, None, blotches=0.05)], [0]) - grey
    )
    luma = (noise * torch.tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(1)
    assert noise[:, 2].std() > 4 * luma.std()
    neighbours = torch.stack([noise[:, 2, :, :-1].flatten(), noise[:, 2, :, 1:].flatten()])
    assert torch.corrcoef(neighbours)[0, 1] > 0.7


def test_a_denoiser_smooths_the_flat_and_keeps_the_edges() -> None:
    step = torch.full((1, 3, 64, 64), 0.2)
    step[..., 32:] = 0.6
    plain, clever = (
        through_webcams(step, [Webcam(0.0, 0.04, False, False, None, denoiser=level)], [0])
        for level in (0.0, 0.04)
    )
    assert (clever - step)[..., :28].std() < 0.5 * (plain - step)[..., :28].std()
    assert (clever[..., 32] - clever[..., 31]).mean() > 0.35


def test_only_dark_rooms_have_coloured_noise_and_a_denoiser() -> None:
    rng = random.Random(0)
    dark, light = ([Webcam.draw(rng, d) for _ in range(50)] for d in (True, False))
    assert min(webcam.blotches for webcam in dark) > 0
    assert 20 < sum(webcam.denoiser > 0 for webcam in dark) < 50
    assert not any(webcam.blotches or webcam.denoiser for webcam in light)
