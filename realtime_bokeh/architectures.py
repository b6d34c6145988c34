"""The networks there are, and which of them a set of parameters belongs to; without PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime_bokeh.errors import UsageError


@dataclass(frozen=True)
class Layout:
    """The size of a DMSHN's encoders and decoders, each at its full, half and quarter resolution.

    channels: of the features there.
    blocks: residual blocks there, up to 3, in an encoder and as many in a decoder.
    """

    channels: tuple[int, int, int]
    blocks: tuple[int, int, int] = (2, 2, 2)


@dataclass(frozen=True)
class Architecture:
    """What is the same of all weights of a network.

    layout: of it; of each half of the stacked network.
    purpose: what it is for, in a few words.
    network_ms: milliseconds that the network takes at 256x144 on two cores of a CPU, by precision:
        int8 as `realtime-bokeh bench` measured it on an AMD EPYC with AVX-512 VNNI, f32 by its
        ratio to int8, frame by frame in one process (2.2, 2.2 and 2.4); `mini` by its ratios to
        `lite` in one process.
    """

    layout: Layout
    purpose: str
    network_ms: Mapping[str, float]


FINER = 2
"""How many times finer than it renders, across, a network sees the picture, unless it sees what it
renders, as the paper's do.

The finest encoder begins with a convolution at this stride then, so that the edges of people are
found on four times the pixels, while nothing else is computed at that size.
"""

PAPER = Layout((32, 64, 128))  # of the paper's networks; the others are ours

ARCHITECTURES = {
    "lite": Architecture(Layout((16, 32, 64)), "calls, on any CPU", {"int8": 6.9, "f32": 15}),
    "mini": Architecture(
        Layout((16, 32, 64), (0, 1, 1)),
        "calls, on slow CPUs and batteries",
        {"int8": 4.6, "f32": 8.2},
    ),
    "dmshn": Architecture(PAPER, "calls, on fast CPUs and graphics", {"int8": 19.2, "f32": 43}),
    "stacked": Architecture(PAPER, "clips and photos", {"int8": 37.3, "f32": 86}),
}


class Layer(NamedTuple):
    """A layer of an encoder or a decoder, by the authors' name.

    kind: a convolution 3x3, one at stride 2, a transposed one 4x4 at stride 2, a residual block of
        two convolutions 3x3, or one 3x3 over blocks of FINER x FINER pixels: 6x6 at that stride.
    """

    name: str
    kind: Literal["convolution", "halving", "doubling", "residual", "blocks"]
    inputs: int
    outputs: int


class Form(NamedTuple):
    """Which network a set of parameters belongs to.

    architecture: of ARCHITECTURES.
    focus_head: whether its last convolution has a fourth output, the focus logit.
    finer: how many times finer than it renders, across, it sees the picture: 1 or FINER.
    """

    architecture: str
    focus_head: bool
    finer: int = 1


def encoder_layers(layout: Layout, finer: int = 1) -> list[Layer]:
    """The layers of an encoder in order, from RGB to features at a quarter of the resolution.

    One that sees the picture finer has two first layers, whose outputs are added: of what is added
    to the picture, and of the picture.
    """
    a, b, c = layout.channels
    first = [Layer("layer1", "convolution", 3, a)]
    if finer > 1:
        first = [Layer("layer0", "convolution", 3, a), Layer("layer1", "blocks", 3, a)]
    return [
        *first,
        *_blocks(2, layout.blocks[0], a),
        Layer("layer5", "halving", a, b),
        *_blocks(6, layout.blocks[1], b),
        Layer("layer9", "halving", b, c),
        *_blocks(10, layout.blocks[2], c),
    ]


def decoder_layers(layout: Layout, outputs: int) -> list[Layer]:
    """The layers of a decoder in order, from an encoder's features to `outputs` channels."""
    a, b, c = layout.channels
    return [
        *_blocks(13, layout.blocks[2], c),
        Layer("layer16", "doubling", c, b),
        *_blocks(17, layout.blocks[1], b),
        Layer("layer20", "doubling", b, a),
        *_blocks(21, layout.blocks[0], a),
        Layer("layer24", "convolution", a, outputs),
    ]


def _blocks(first: int, count: int, channels: int) -> list[Layer]:
    """Residual blocks, whose layers are counted from `first`."""
    return [Layer(f"layer{first + i}", "residual", channels, channels) for i in range(count)]


def parameter_shapes(
    architecture: str, focus_head: bool, finer: int = 1
) -> dict[str, tuple[int, ...]]:
    """Every parameter's name and shape, as `network.dmshn` has them, without PyTorch.

    Raises:
        KeyError: for an unknown architecture.
    """
    layout = ARCHITECTURES[architecture].layout
    last = _shapes(layout, 4 if focus_head else 3, finer)
    if architecture == "stacked":
        halves = {"net1.": _shapes(layout, 3, finer), "net2.": last}
        return {half + name: s for half, shapes in halves.items() for name, s in shapes.items()}
    return last


_KERNELS = {"doubling": 4, "blocks": 3 * FINER}  # sides; others' are 3


def _shapes(layout: Layout, outputs: int, finer: int) -> dict[str, tuple[int, ...]]:
    """Parameters of one DMSHN, of which only the finest level sees finer, and has all outputs."""
    shapes: dict[str, tuple[int, ...]] = {}
    for level in (1, 2, 3):
        finest = level == 1
        parts = {
            "encoder": encoder_layers(layout, finer if finest else 1),
            "decoder": decoder_layers(layout, outputs if finest else 3),
        }
        for part, layers in parts.items():
            for layer in layers:
                doubling = layer.kind == "doubling"  # stored [in, out, h, w]
                order = (layer.inputs, layer.outputs)[:: 1 if doubling else -1]
                kernel = _KERNELS.get(layer.kind, 3)
                for suffix in (".0", ".2") if layer.kind == "residual" else ("",):
                    name = f"{part}_lv{level}.{layer.name}{suffix}"
                    shapes[name + ".weight"] = (*order, kernel, kernel)
                    shapes[name + ".bias"] = (layer.outputs,)
    return shapes


def recognize(arrays: Mapping[str, NDArray[Any]]) -> Form:
    """The form of the network that a set of parameters belongs to.

    Raises:
        UsageError: naming the first tensor that does not fit, and why.
    """
    stacked = any(name.startswith("net1.") for name in arrays)
    prefix = "net2." if stacked else ""
    first = arrays.get(f"{prefix}encoder_lv1.layer1.weight")
    last = arrays.get(f"{prefix}decoder_lv1.layer24.weight")
    if first is None or last is None or first.ndim != 4 or last.ndim != 4:
        missing = f"{prefix}{'encoder_lv1.layer1' if first is None else 'decoder_lv1.layer24'}"
        raise UsageError(f"these are not DMSHN weights: there is no tensor {missing}.weight")
    focus_head = last.shape[0] == 4
    finer = FINER if f"{prefix}encoder_lv1.layer0.weight" in arrays else 1
    architecture = "stacked" if stacked else _nearest(arrays, focus_head, finer)
    expected = parameter_shapes(architecture, focus_head, finer)
    for name, shape in expected.items():
        if name not in arrays:
            raise UsageError(f"tensor {name} of {architecture} is missing")
        if arrays[name].shape != shape:
            raise UsageError(f"tensor {name} is {arrays[name].shape}, {architecture} has {shape}")
    for name, value in arrays.items():
        if name not in expected:
            raise UsageError(f"tensor {name} does not belong to {architecture}")
        with np.errstate(over="ignore"):
            if not np.isfinite(value.astype(np.float16)).all():
                raise UsageError(f"tensor {name} has values that are not finite in half precision")
    return Form(architecture, focus_head, finer)


def _nearest(arrays: Mapping[str, NDArray[Any]], focus_head: bool, finer: int) -> str:
    """The architecture of one DMSHN that differs from these parameters in the fewest."""
    found = {name: array.shape for name, array in arrays.items()}.items()
    return min(
        ARCHITECTURES,
        key=lambda name: len(parameter_shapes(name, focus_head, finer).items() ^ found),
    )
