import pytest
import torch
from torch import nn

from realtime_bokeh.architectures import FINER
from realtime_bokeh.network import core
from realtime_bokeh.network.dmshn import build
from realtime_bokeh.network.phone import PhoneNetwork, Shrink, Upsample


@pytest.mark.parametrize("size", [(1, 1), (3, 5)])
def test_upsampling_is_the_transposed_convolution(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    transposed = nn.ConvTranspose2d(6, 5, 4, stride=2, padding=1)
    x = torch.randn(1, 6, *size)
    torch.testing.assert_close(Upsample(transposed)(x), transposed(x))


@pytest.mark.parametrize(
    ("architecture", "head", "finer"),
    [("lite", True, 1), ("lite", False, 1), ("dmshn", True, 1), ("stacked", True, 1),
     ("stacked", True, FINER)],
)  # fmt: skip
def test_rearranged_networks_give_the_same(architecture: str, head: bool, finer: int) -> None:
    torch.manual_seed(0)
    network = build(architecture, head, finer)
    x = torch.rand(1, 3, 32 * finer, 48 * finer)
    with torch.inference_mode():
        expected = network(x)
        found = PhoneNetwork(network, head)(x)
    assert not any(isinstance(layer, nn.ConvTranspose2d) for layer in network.modules())
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("ratio", "finer"), [(5, 2), (1, 2), (4, 2), (3, 1)])
def test_frames_are_shrunk_by_areas(ratio: int, finer: int) -> None:
    frame = torch.rand(1, 3, 6 * ratio, 8 * ratio)
    found = Shrink(ratio, finer)(frame)
    assert found.shape == (1, 3, 6 * finer, 8 * finer)
    rows, columns = (core.overlap(side * ratio, side * finer) for side in (6, 8))
    torch.testing.assert_close(found, rows @ frame @ columns.T)
