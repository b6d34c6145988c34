"""Weights to start from: the same network, a narrower one widened, or one twice in a stack."""

from pathlib import Path

import torch
from torch import Tensor, nn

from realtime_bokeh.checkpoints import read_checkpoint
from realtime_bokeh.errors import UsageError

State = dict[str, Tensor]


def widen(narrow: State, wide: State, noise: float = 0.5) -> State:
    """Double a network's channels without changing what it computes (Net2Net, Chen et al. 2016).

    Each channel is copied, and the weights that read the two copies share the old weight in two
    unequal random parts, so that the copies get different gradients.

    Args:
        narrow: parameters of the trained network.
        wide: parameters of the network to fill, for their shapes: every channel count that differs
            is twice that of `narrow`.
        noise: spread of the parts around a half, over the size of the weight.

    Raises:
        ValueError: when a shape is neither equal nor doubled.
    """
    result: State = {}
    generator = torch.Generator().manual_seed(0)  # several processes widen alike
    for name, target in wide.items():
        value = narrow[name].float()
        if value.ndim == 4:
            # a transposed convolution stores [in, out, h, w]
            reads, writes = (
                (0, 1) if name.endswith(("layer16.weight", "layer20.weight")) else (1, 0)
            )
            if target.shape[writes] == 2 * value.shape[writes]:
                value = value.repeat_interleave(2, writes)
            if target.shape[reads] == 2 * value.shape[reads]:
                share = value.std() * noise * torch.randn(value.shape, generator=generator)
                halves = (value / 2 + share, value / 2 - share)
                value = torch.stack(halves, reads + 1).flatten(reads, reads + 1)
        elif target.shape[0] == 2 * value.shape[0]:
            value = value.repeat_interleave(2)
        if value.shape != target.shape:
            raise ValueError(
                f"{name}: {tuple(value.shape)} does not widen to {tuple(target.shape)}"
            )
        result[name] = value
    return result


def load_initial(network: nn.Module, path: Path) -> None:
    """Fill a network from a file of weights, .safetensors or the authors' .pth: the same network,
    one of half its width, or one DMSHN for both halves of a stack.

    Raises:
        UsageError: when the file cannot be read or fits in none of these ways.
    """
    state = {k: torch.from_numpy(v).float() for k, v in read_checkpoint(path).items()}
    own = network.state_dict()
    if "net1.encoder_lv1.layer1.weight" in own and "encoder_lv1.layer1.weight" in state:
        state = {f"{half}.{k}": v for half in ("net1", "net2") for k, v in state.items()}
        # the first half renders only: it has no focus head
        state = {k: v[: len(own[k])] if k.startswith("net1.") else v for k, v in state.items()}
    if state.keys() != own.keys():
        raise UsageError(f"{path} holds other parameters than the network")
    try:
        network.load_state_dict(widen(state, own))
    except ValueError as error:
        raise UsageError(f"{path} does not fit the network: {error}") from error
