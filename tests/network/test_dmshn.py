import pytest
import torch

from realtime_bokeh.architectures import ARCHITECTURES, FINER, Layout
from realtime_bokeh.network.dmshn import DMSHN, StackedDMSHN, build, parameter_count, split_output


def test_parameter_counts_are_the_papers() -> None:
    assert parameter_count(DMSHN()) == 5_424_393
    assert parameter_count(StackedDMSHN()) == 10_848_786


def test_focus_head_adds_one_output_to_one_convolution() -> None:
    assert parameter_count(DMSHN(focus_head=True)) == 5_424_393 + 32 * 9 + 1
    assert parameter_count(StackedDMSHN(focus_head=True)) == 10_848_786 + 32 * 9 + 1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("focus_head", "finer"), [(False, 1), (True, 1), (True, FINER)])
def test_output_has_the_size_at_which_it_renders(
    architecture: str, focus_head: bool, finer: int
) -> None:
    network = build(architecture, focus_head, finer)
    with torch.inference_mode():
        rendering, logit = split_output(network(torch.rand(1, 3, finer * 32, finer * 48)))
    assert rendering.shape == (1, 3, 32, 48)
    assert (logit is not None) == focus_head


def test_it_sees_what_its_rendering_is_too_coarse_for() -> None:
    """Stripes that the size at which it renders averages to gray."""
    torch.manual_seed(0)
    network = DMSHN(Layout((8, 16, 32)), True, FINER).eval()
    gray = torch.full((1, 3, 64, 96), 0.5)
    stripes = gray.clone()
    stripes[..., ::2], stripes[..., 1::2] = 0.2, 0.8
    with torch.inference_mode():
        assert (network(stripes) - network(gray)).abs().mean() > 1e-3


def test_parameter_names_are_the_authors() -> None:
    names = StackedDMSHN().state_dict().keys()
    assert "net1.encoder_lv1.layer1.weight" in names
    assert "net2.decoder_lv3.layer24.bias" in names
    shapes = {k: tuple(v.shape) for k, v in DMSHN().state_dict().items()}
    assert shapes["decoder_lv2.layer16.weight"] == (128, 64, 4, 4)
    assert shapes["encoder_lv3.layer9.weight"] == (128, 64, 3, 3)


def test_equals_a_direct_reading_of_the_authors_equations() -> None:
    """Written out once more from the published structure, independent of the module's loops."""
    torch.manual_seed(0)
    network = DMSHN(Layout((8, 16, 32))).eval()

    def level(part: str, number: int, x: torch.Tensor) -> torch.Tensor:
        chain = getattr(network, f"{part}_lv{number}")
        for name, layer in chain.named_children():
            plain = name in ("layer1", "layer5", "layer9", "layer16", "layer20", "layer24")
            x = layer(x) if plain else x + layer[2](torch.relu(layer[0](x)))
        return x

    def up(x: torch.Tensor, factor: float) -> torch.Tensor:
        return torch.nn.functional.interpolate(x, scale_factor=factor, mode="bilinear")

    with torch.inference_mode():
        x = torch.rand(1, 3, 32, 32)
        x2 = up(x, 0.5)
        f3 = level("encoder", 3, up(x2, 0.5))
        g2 = level("encoder", 2, x2 + up(level("decoder", 3, f3), 2))
        f1 = level("encoder", 1, x + up(level("decoder", 2, g2 + up(f3, 2)), 2))
        expected = level("decoder", 1, f1 + up(g2, 2))
        assert torch.allclose(network(x), expected, atol=1e-6)
