"""What turns gradients into steps: Adam, or Muon for kernels beside it."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from training.fit.presets import Preset

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan et al.: singular values to about 1, in 5 rounds
_ROUNDS = 5
_PICTURE = 4  # outputs at most of a convolution that makes a picture; Adam is right for those


class Muon(torch.optim.Optimizer):
    """Momentum whose steps are orthogonal matrices: a kernel learns in all directions alike.

    Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024), with the scale
    of Liu et al., "Muon is scalable for LLM training" (2025), by which a rate means what Adam's
    does. PyTorch's own takes matrices only; here a kernel [m, n, h, w] is the matrix [m, n h w].

    Args:
        kernels: float32, of at least two dimensions.
        lr: the rate.
        momentum: of the gradient's average, in Nesterov's form.
    """

    def __init__(
        self, kernels: Iterable[nn.Parameter], lr: float = 1e-3, momentum: float = 0.95
    ) -> None:
        super().__init__(kernels, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take a step; a closure is not called."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[nn.Parameter]] = {}  # a GPU takes them together
            for kernel in group["params"]:
                if kernel.grad is not None:
                    alike.setdefault(kernel.shape, []).append(kernel)
            for shape, kernels in alike.items():
                matrices = torch.stack([self._ahead(k, group["momentum"]) for k in kernels])
                scale = 0.2 * math.sqrt(max(matrices.shape[1:]))
                for kernel, change in zip(kernels, orthogonal(matrices), strict=True):
                    kernel.add_(change.view(shape), alpha=-group["lr"] * scale)

    def _ahead(self, kernel: nn.Parameter, momentum: float) -> Tensor:
        """Where a kernel's gradient leads, as a matrix."""
        assert kernel.grad is not None
        state = self.state[kernel]
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        average: Tensor = state["momentum"].mul_(momentum).add_(kernel.grad)
        return (kernel.grad + momentum * average).flatten(1)


def orthogonal(matrices: Tensor) -> Tensor:
    """Matrices [k, m, n] with their singular values brought near 1 (0.7 to 1.2), float32."""
    tall = matrices.shape[1] > matrices.shape[2]
    x: Tensor = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = _NEWTON_SCHULZ
    for _ in range(_ROUNDS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


def optimizers_for(preset: Preset, network: nn.Module) -> list[torch.optim.Optimizer]:
    """What trains the parameters of a network that are to be learnt; rates are set at each step."""
    kernels: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for p in network.parameters():
        if p.requires_grad:
            (kernels if preset.muon and p.ndim == 4 and len(p) > _PICTURE else rest).append(p)
    adam = torch.optim.Adam(rest, betas=(0.9, 0.999))
    return [adam, Muon(kernels)] if kernels else [adam]
