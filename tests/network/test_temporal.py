import pytest
import torch
from torch import Tensor

from realtime_bokeh.network.core import first_state
from realtime_bokeh.network.temporal import beyond_noise, change, exposure, smooth

SIZE = (64, 96)
FULL = torch.tensor(1.0)
EXPOSURES = {"brighter": (1.08, 1.08, 1.08), "warmer": (1.06, 1.0, 0.94)}  # steps of a webcam's


def _picture(seed: int = 0) -> Tensor:
    """Patches of every colour."""
    generator = torch.Generator().manual_seed(seed)
    patches = 0.1 + 0.7 * torch.rand(1, 3, SIZE[0] // 8, SIZE[1] // 8, generator=generator)
    return patches.repeat_interleave(8, 2).repeat_interleave(8, 3)


def _focus(value: float) -> Tensor:
    return torch.full((1, 1, *SIZE), value)


def _state(image: Tensor, focus: float) -> Tensor:
    """After a frame that was rendered as it is."""
    return smooth(image, image, _focus(focus), first_state(SIZE), FULL)[2]


def _gains(name: str) -> Tensor:
    return torch.tensor(EXPOSURES[name]).view(1, 3, 1, 1)


def test_first_frame_is_left_as_it_is() -> None:
    image, focus = _picture(), _focus(0.3)
    bokeh, shown, state = smooth(image, image, focus, first_state(SIZE), FULL)
    assert torch.equal(bokeh, image)
    assert torch.equal(shown, focus)
    assert state[:, 7].min() == 1


def test_still_regions_settle_and_moving_ones_follow() -> None:
    image = _picture()
    moved = image.clone()
    moved[..., 72:] = 1 - moved[..., 72:]
    for before, now in ((0.5, 0.9), (0.5, 0.1)):
        _, shown, _ = smooth(moved, moved, _focus(now), _state(image, before), FULL)
        assert (shown[..., :64] - before).abs().max() < 0.1  # held back
        assert torch.equal(shown[..., 80:], _focus(now)[..., 80:])  # followed at once


def test_focus_rises_sooner_than_it_falls() -> None:
    """So that a hand that barely moves is shown at once, and not dropped for a frame."""
    image = _picture()
    moved = image.clone()
    moved[..., 80:] += 0.025
    raised = smooth(moved, moved, _focus(0.9), _state(image, 0.1), FULL)[1][..., 90:]
    lowered = smooth(moved, moved, _focus(0.1), _state(image, 0.9), FULL)[1][..., 90:]
    assert raised.min() > 0.85
    assert lowered.mean() > 0.4


def test_no_smoothing_leaves_every_frame() -> None:
    image = _picture()
    none = torch.tensor(0.0)
    bokeh, shown, _ = smooth(image, image / 2, _focus(0.9), _state(image, 0.5), none)
    assert torch.equal(bokeh, image / 2)
    assert torch.equal(shown, _focus(0.9))


@pytest.mark.parametrize("noise", [0.005, 0.01, 0.02])
def test_noise_is_not_motion(noise: float) -> None:
    image = _picture()
    noisy = image + noise * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    assert beyond_noise(change(noisy, image)).mean() < 0.2 * noise
    _, shown, _ = smooth(noisy, noisy, _focus(0.9), _state(image, 0.5), FULL)
    assert (shown - 0.5).mean() < 0.1


@pytest.mark.parametrize("name", EXPOSURES)
def test_a_step_of_exposure_is_found_beside_a_hand_that_comes_in(name: str) -> None:
    image = _picture()
    brighter = (image * _gains(name)).clamp(0, 1)
    assert torch.allclose(exposure(brighter, image), _gains(name), atol=0.002)
    brighter[..., 32:, 64:84] = torch.tensor([0.8, 0.5, 0.4]).view(1, 3, 1, 1)
    assert torch.allclose(exposure(brighter, image), _gains(name), atol=0.005)


def test_in_the_dark_no_exposure_is_made_up() -> None:
    black, image = torch.zeros(1, 3, *SIZE), _picture()
    assert torch.equal(exposure(black, black), torch.ones(1, 3, 1, 1))
    assert torch.equal(exposure(image, black), torch.ones(1, 3, 1, 1))
    assert exposure(black, image).isfinite().all()


@pytest.mark.parametrize("name", EXPOSURES)
def test_a_step_of_exposure_neither_smears_nor_flickers(name: str) -> None:
    image = _picture()
    brighter = (image * _gains(name)).clamp(0, 1)
    bokeh, shown, _ = smooth(brighter, brighter, _focus(0.9), _state(image, 0.5), FULL)
    assert (bokeh - brighter).abs().max() < 0.002
    assert (shown - 0.5).abs().max() < 0.1


@pytest.mark.parametrize("brightness", [1.0, 0.3])
def test_nothing_is_left_after_a_scene_cut(brightness: float) -> None:
    """Though one scene has places that look like the other's."""
    image, other = brightness * _picture(0), brightness * _picture(1)
    other[..., :32] = image[..., :32]
    bokeh, shown, _ = smooth(other, other / 2, _focus(0.9), _state(image, 0.1), FULL)
    assert torch.equal(bokeh, other / 2)
    assert torch.equal(shown, _focus(0.9))
