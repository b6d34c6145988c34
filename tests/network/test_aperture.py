import pytest
import torch
from torch import Tensor

from realtime_bokeh.network.aperture import Aperture


def _scene() -> tuple[Tensor, Tensor, Tensor]:
    """Noise whose left half is in focus, red there, and a rendering of one grey."""
    torch.manual_seed(0)
    image = torch.rand(1, 3, 64, 96) * 0.5
    image[:, 0, :, :48] = 1
    focus = torch.zeros(1, 1, 64, 96)
    focus[..., :48] = 1
    return image, torch.full_like(image, 0.25), focus


def _at(strength: float) -> tuple[Tensor, Tensor]:
    rendering, focus = Aperture()(*_scene(), torch.tensor(strength))
    return rendering, focus


def test_open_aperture_is_the_network() -> None:
    _, bokeh, focus = _scene()
    rendering, share = _at(1.0)
    assert torch.allclose(rendering, bokeh, atol=1e-6)
    assert torch.equal(share, focus)


def test_closed_aperture_has_all_in_focus() -> None:
    assert _at(0.0)[1].min() == 1


def test_blur_grows_with_strength() -> None:
    """What is left of detail behind the subject falls steadily; a mixture would keep it all."""
    detail = [float(_at(s / 6)[0][..., 56:].std()) for s in range(1, 7)]
    assert detail == sorted(detail, reverse=True)
    assert detail[2] < 0.3 * detail[0]
    assert detail[-1] < 1e-5


@pytest.mark.parametrize("strength", [1 / 3, 0.5, 2 / 3])
def test_subject_does_not_spill(strength: float) -> None:
    red = _at(strength)[0][:, 0, :, 48:]
    assert red.max() < 0.5
    assert (red**2).mean() == pytest.approx(0.25 / 3, abs=0.01)


@pytest.mark.parametrize("strength", [0, 0.1, 1 / 6, 0.25, 1 / 3, 0.5, 2 / 3, 0.8, 0.9, 0.95, 1])
def test_light_is_the_same_at_every_strength(strength: float) -> None:
    """As through a lens whose open aperture, the network's rendering, keeps the light."""
    torch.manual_seed(0)
    image = torch.rand(1, 3, 64, 96)
    light = (image**2).mean((2, 3), keepdim=True)
    focus = torch.zeros(1, 1, 64, 96)
    rendering, share = Aperture()(
        image, light.sqrt().expand_as(image), focus, torch.tensor(strength)
    )
    result = rendering + share * (image - rendering)
    assert torch.allclose((result**2).mean((2, 3), keepdim=True), light, rtol=0.01)


def test_edges_of_the_picture_are_not_darker() -> None:
    image = torch.full((1, 3, 32, 48), 0.6)
    flat = Aperture()(image, image, torch.zeros(1, 1, 32, 48), torch.tensor(0.5))[0]
    assert torch.allclose(flat, image, atol=1e-5)
