"""The networks there are, and which of them a set of parameters belongs to; without PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_bokeh.errors import UsageError


@dataclass(frozen=True)
class Architecture:
    """What is the same of all weights of a network.

    channels: of the first of its three levels; of each half's of the stacked network.
    purpose: what it is for, in a few words.
    network_ms: milliseconds that the network takes at 256x144 on two cores of a CPU, by precision:
        int8 as `realtime-bokeh bench` measured it on an AMD EPYC with AVX-512 VNNI, f32 by its
        ratio to int8, frame by frame in one process (2.2, 2.2 and 2.4).
    """

    channels: int
    purpose: str
    network_ms: Mapping[str, float]


ARCHITECTURES = {
    "lite": Architecture(16, "calls, on any CPU", {"int8": 6.9, "f32": 15}),
    "dmshn": Architecture(32, "calls, on fast CPUs and graphics", {"int8": 19.2, "f32": 43}),
    "stacked": Architecture(32, "clips and photos", {"int8": 37.3, "f32": 86}),
}


def parameter_shapes(architecture: str, focus_head: bool) -> dict[str, tuple[int, ...]]:
    """Every parameter's name and shape, as `network.dmshn` has them, without PyTorch.

    Raises:
        KeyError: for an unknown architecture.
    """
    if architecture == "stacked":
        halves = {"net1.": parameter_shapes("dmshn", False)}
        halves["net2."] = parameter_shapes("dmshn", focus_head)
        return {half + name: s for half, shapes in halves.items() for name, s in shapes.items()}
    a = ARCHITECTURES[architecture].channels
    b, c = 2 * a, 4 * a
    # layer: (inputs, outputs, kernel, residual); a transposed convolution has kernel 4
    encoder = {1: (3, a, 3, 0), 2: (a, a, 3, 1), 3: (a, a, 3, 1), 5: (a, b, 3, 0), 6: (b, b, 3, 1),
               7: (b, b, 3, 1), 9: (b, c, 3, 0), 10: (c, c, 3, 1), 11: (c, c, 3, 1)}  # fmt: skip
    decoder = {13: (c, c, 3, 1), 14: (c, c, 3, 1), 16: (c, b, 4, 0), 17: (b, b, 3, 1),
               18: (b, b, 3, 1), 20: (b, a, 4, 0), 21: (a, a, 3, 1), 22: (a, a, 3, 1)}  # fmt: skip
    shapes: dict[str, tuple[int, ...]] = {}
    for level in (1, 2, 3):
        last = {24: (a, 4 if focus_head and level == 1 else 3, 3, 0)}
        for part, layers in (("encoder", encoder), ("decoder", decoder | last)):
            for number, (inputs, outputs, kernel, residual) in layers.items():
                order = (inputs, outputs) if kernel == 4 else (outputs, inputs)
                for suffix in (".0", ".2") if residual else ("",):
                    name = f"{part}_lv{level}.layer{number}{suffix}"
                    shapes[name + ".weight"] = (*order, kernel, kernel)
                    shapes[name + ".bias"] = (outputs,)
    return shapes


def recognize(arrays: Mapping[str, NDArray[Any]]) -> tuple[str, bool]:
    """The architecture and focus head of a set of parameters.

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
    lite = first.shape[0] == 16 and not stacked
    architecture = "stacked" if stacked else "lite" if lite else "dmshn"
    focus_head = last.shape[0] == 4
    expected = parameter_shapes(architecture, focus_head)
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
    return architecture, focus_head
