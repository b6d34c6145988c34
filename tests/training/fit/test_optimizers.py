import pytest
import torch
from torch.nn import functional as F

from training.fit.ablations import build_network
from training.fit.optimizers import Muon, optimizers_for, orthogonal
from training.fit.presets import PRESETS


@pytest.mark.parametrize("shape", [(16, 27), (64, 16), (32, 32)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    # directions of which some are ten times as strong as others
    matrix = torch.randn(shape) * torch.logspace(0, 1, shape[1])
    values = torch.linalg.svdvals(orthogonal(torch.stack([matrix, 3 * matrix])))
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_a_step_is_as_large_as_adams() -> None:
    kernel = torch.nn.Parameter(torch.zeros(32, 16, 3, 3))
    kernel.grad = torch.randn(kernel.shape, generator=torch.Generator().manual_seed(0))
    Muon([kernel], lr=1e-3).step()
    assert float(kernel.detach().square().mean().sqrt()) == pytest.approx(0.2e-3, rel=0.2)


def test_it_learns_a_convolution_whatever_the_layout() -> None:
    torch.manual_seed(0)
    truth, x = torch.randn(8, 8, 3, 3), torch.randn(4, 8, 12, 12)
    for layout in (torch.contiguous_format, torch.channels_last):
        kernel = torch.nn.Parameter(torch.zeros(8, 8, 3, 3).to(memory_format=layout))
        optimizer, losses = Muon([kernel], lr=0.1), []
        for _ in range(60):
            optimizer.zero_grad()
            loss = F.mse_loss(F.conv2d(x, kernel), F.conv2d(x, truth))
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(float(loss.detach()))
        assert losses[-1] < 0.1 * losses[0]


def test_muon_takes_the_kernels_of_its_presets_and_adam_all_else() -> None:
    preset = PRESETS["lite-calls"]
    network = build_network(preset)
    adam, muon = optimizers_for(preset, network)
    taken = [{id(p) for p in o.param_groups[0]["params"]} for o in (adam, muon)]
    for name, parameter in network.named_parameters():
        kernel = name.endswith("weight") and "layer24" not in name
        assert (id(parameter) in taken[1]) == kernel
        assert (id(parameter) in taken[0]) != kernel
    (alone,) = optimizers_for(PRESETS["paper-dmshn"], network)
    assert isinstance(alone, torch.optim.Adam)


def test_what_is_frozen_is_in_none() -> None:
    network = build_network(PRESETS["lite-calls"])
    network.get_submodule("encoder_lv3").requires_grad_(False)
    frozen = {id(p) for p in network.get_submodule("encoder_lv3").parameters()}
    for optimizer in optimizers_for(PRESETS["lite-calls"], network):
        assert not frozen & {id(p) for group in optimizer.param_groups for p in group["params"]}
