"""A first network that computes as coarsely as int8."""

import torch
from torch import Tensor, nn

from realtime_bokeh.architectures import FINER
from realtime_bokeh.network.dmshn import StackedDMSHN, build
from training.fit.rounded import BehindRounded, rounded


def test_what_goes_into_a_convolution_has_few_levels() -> None:
    layer = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.ones_(layer.weight)
    x = torch.rand(2, 1, 40, 50) * 3 - 1
    x[:, :, 0, 0] = 0
    y = rounded(nn.Sequential(layer))(x)
    assert len(y.unique()) <= 128
    assert torch.all(y[:, :, 0, 0] == 0)
    assert torch.allclose(x, y, atol=0.6 * 3 / 127)


def test_what_lies_beyond_the_mean_of_the_extremes_is_cut_off() -> None:
    layer = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.ones_(layer.weight)
    x = torch.stack([torch.full((1, 4, 4), value) for value in (1.0, 3.0)])
    y = rounded(nn.Sequential(layer))(x)
    assert torch.allclose(y[0], x[0], atol=0.01)
    assert torch.allclose(y[1], torch.tensor(2.0))


def test_weights_are_rounded_to_a_scale_for_each_channel_that_they_give() -> None:
    for layer, given in ((nn.Conv2d(4, 3, 3), 0), (nn.ConvTranspose2d(4, 3, 3), 1)):
        copied = rounded(layer).weight
        assert isinstance(copied, Tensor)
        for channel, before in zip(copied.unbind(given), layer.weight.unbind(given), strict=True):
            steps = channel / (before.abs().max() / 127)
            assert torch.allclose(steps, steps.round(), atol=1e-3)
            assert not torch.equal(channel, before)


def test_the_second_network_sees_the_rounded_first_one_and_learns_alone() -> None:
    network = BehindRounded(True, FINER)
    network.net1.requires_grad_(False)
    network.load_state_dict(build("stacked", True, FINER).state_dict())
    expected = StackedDMSHN(focus_head=True, finer=FINER).state_dict()
    assert network.state_dict().keys() == expected.keys()
    before = {name: value.clone() for name, value in network.net1.state_dict().items()}
    x = torch.rand(2, 3, 32, 32)
    y = network(x)
    assert torch.equal(y, network.refine(x, rounded(network.net1)(x)))
    assert not torch.equal(y, network.refine(x, network.net1(x)))
    y.sum().backward()
    assert all(p.grad is not None for p in network.net2.parameters())
    assert all(
        torch.equal(value, before[name]) for name, value in network.net1.state_dict().items()
    )
