"""Weights to start from: the same network, a smaller one widened, a larger one narrowed, or one
twice in a stack."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_bokeh.architectures import FINER
from realtime_bokeh.checkpoints import Arrays, read_checkpoint
from realtime_bokeh.errors import UsageError
from realtime_bokeh.network.dmshn import build
from training.fit.presets import trained_finer
from training.measure.methods import read_weights

State = dict[str, Tensor]

# what the layers beside the residual blocks read and write: the picture, or features at the full,
# half or quarter resolution; and the last residual block before features change
_READS_AND_WRITES = {0: (0, 1), 1: (0, 1), 5: (1, 2), 9: (2, 3), 16: (3, 2), 20: (2, 1), 24: (1, 0)}
_FEATURES = {4: 1, 8: 2, 15: 3, 19: 2, 23: 1}


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
            reads, writes = (0, 1) if _transposed(name) else (1, 0)
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


def narrow(wide: State, target: State) -> State:
    """What weighs most of a network's channels, in one with fewer of them or fewer blocks.

    A channel counts by the norm of all filters that write it (Li et al., "Pruning Filters for
    Efficient ConvNets", ICLR 2017). Of blocks that the target lacks nothing remains.

    Args:
        wide: parameters of the trained network.
        target: parameters of the network to fill, for their names and shapes.

    Raises:
        ValueError: when a shape is larger than that of `wide`, or not of as many colours.
    """
    channels = {name: _channels(name) for name in target if name.endswith(".weight")}
    # [outputs, inputs, h, w]: a transposed convolution stores it the other way
    filters = {name: wide[name].float().transpose(0, 1) if _transposed(name) else wide[name].float()
               for name in channels}  # fmt: skip
    power: State = {}
    for name, (_, writes) in channels.items():
        norm = filters[name].square().sum((1, 2, 3))
        power[writes] = power[writes] + norm if writes in power else norm
    left: State = {}
    for name, (_, writes) in channels.items():
        bias = target[name.replace("weight", "bias")]
        count = min(len(bias), len(power[writes]))
        left[writes] = power[writes].topk(count).indices.sort().values
    result: State = {}
    for name, (reads, writes) in channels.items():
        value = filters[name][left[writes]]
        value = value[:, left[reads]] if reads in left else value
        result[name] = value.transpose(0, 1) if _transposed(name) else value
        bias_name = name.replace("weight", "bias")
        result[bias_name] = wide[bias_name].float()[left[writes]]
        colours = writes.endswith(" 0") and len(filters[name]) != len(result[bias_name])
        if colours or result[name].shape != target[name].shape:
            raise ValueError(
                f"{name}: {tuple(wide[name].shape)} does not narrow to {tuple(target[name].shape)}"
            )
    return result


def _transposed(name: str) -> bool:
    """Whether a weight is a transposed convolution's, which is stored as [in, out, h, w]."""
    return name.endswith(("layer16.weight", "layer20.weight"))


def _channels(name: str) -> tuple[str, str]:
    """Names of the channels that a weight reads and writes; what is added has the same."""
    part, rest = name.split(".layer")
    number, *place = rest.removesuffix(".weight").split(".")
    layer = int(number)
    if layer in _READS_AND_WRITES:
        reads, writes = (_shared(part, level) for level in _READS_AND_WRITES[layer])
        return reads, writes
    outside = _shared(part, next(level for last, level in _FEATURES.items() if layer <= last))
    inside = f"{part} within {number}"
    return (outside, inside) if place == ["0"] else (inside, outside)


def _shared(part: str, level: int) -> str:
    """The last features of an encoder are added to those of the next finer one."""
    return "3" if level == 3 else f"{part} {level}"


def as_fine(state: State, own: State) -> State:
    """Parameters for a network that may see finer than theirs did.

    Its first kernels average blocks of pixels then, so that it computes the same of the picture's
    averages.

    Args:
        state: of the other network.
        own: of the network, for their names.
    """
    found = dict(state)
    for name in own.keys() - state.keys():
        first = name.replace("layer0", "layer1")
        if first not in state:
            continue
        value = state[first]
        if name.endswith("bias"):
            found[name] = torch.zeros_like(value)
        else:
            found[name] = value
            found[first] = F.interpolate(value, scale_factor=FINER, mode="nearest") / FINER**2
    return found


def load_as_trained(path: Path) -> nn.Module:
    """The network of a file of weights, seeing as finely as it does where it is trained.

    Raises:
        UsageError: when the file cannot be read or holds no network.
    """
    arrays, form = read_weights(path)
    network = build(form.architecture, form.focus_head, trained_finer(form.focus_head))
    _fill(network, arrays, path)
    return network.eval()


def load_initial(network: nn.Module, path: Path) -> None:
    """Fill a network from a file of weights, .safetensors or the authors' .pth: the same network,
    one of half its width, a larger one, one that saw no finer than it rendered, or one DMSHN for
    both halves of a stack.

    Raises:
        UsageError: when the file cannot be read or fits in none of these ways.
    """
    _fill(network, read_checkpoint(path), path)


def _fill(network: nn.Module, arrays: Arrays, path: Path) -> None:
    """`load_initial` of what its file holds."""
    state = {k: torch.from_numpy(v).float() for k, v in arrays.items()}
    own = network.state_dict()
    if "net1.encoder_lv1.layer1.weight" in own and "encoder_lv1.layer1.weight" in state:
        state = {f"{half}.{k}": v for half in ("net1", "net2") for k, v in state.items()}
        # the first half renders only: it has no focus head
        state = {k: v[: len(own[k])] if k.startswith("net1.") else v for k, v in state.items()}
    state = as_fine(state, own)
    if not own.keys() <= state.keys():
        raise UsageError(f"{path} holds other parameters than the network")
    larger = own.keys() != state.keys() or any(own[k].numel() < v.numel() for k, v in state.items())
    try:
        network.load_state_dict((narrow if larger else widen)(state, own))
    except ValueError as error:
        raise UsageError(f"{path} does not fit the network: {error}") from error
