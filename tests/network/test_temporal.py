import torch

from realtime_bokeh.network.core import first_state
from realtime_bokeh.network.temporal import motion, smooth

SIZE = (32, 48)


def _frame(value: float) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.full((1, 3, *SIZE), value), torch.full((1, 1, *SIZE), value)


def test_first_frame_is_left_as_it_is() -> None:
    image, focus = _frame(0.3)
    bokeh, shown, state = smooth(image, image, focus, first_state(SIZE), torch.tensor(1.0))
    assert torch.equal(bokeh, image)
    assert torch.equal(shown, focus)
    assert state[:, 7].min() == 1


def test_still_regions_settle_and_moving_ones_follow() -> None:
    image, focus = _frame(0.5)
    _, _, state = smooth(image, image, focus, first_state(SIZE), torch.tensor(1.0))
    moved = image.clone()
    moved[..., 24:] = 0.9
    flicker = focus + 0.4
    _, shown, _ = smooth(moved, moved, flicker, state, torch.tensor(1.0))
    assert shown[..., :16].max() < 0.6  # held back
    assert torch.equal(shown[..., 32:], flicker[..., 32:])  # followed at once


def test_no_smoothing_leaves_every_frame() -> None:
    image, focus = _frame(0.5)
    _, _, state = smooth(image, image, focus, first_state(SIZE), torch.tensor(0.0))
    _, shown, _ = smooth(image, image, focus + 0.4, state, torch.tensor(0.0))
    assert torch.equal(shown, focus + 0.4)


def test_noise_is_not_motion() -> None:
    torch.manual_seed(0)
    image, _ = _frame(0.5)
    noisy = image + 0.01 * torch.randn_like(image)
    assert motion(noisy, image).max() == 0
    assert motion(image + 0.2, image).min() == 1
