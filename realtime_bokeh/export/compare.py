"""A network in two runtimes, picture after picture: how near they are in what is seen.

Whatever is written in another format is loaded again and compared so before it is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from realtime_bokeh.errors import EngineError
from realtime_bokeh.export import Tensors
from realtime_bokeh.frame import Image

Run = Callable[[Tensors], Tensors]  # a graph in some runtime; `next_state` is among the outputs


class Interface(Protocol):
    """What a graph's inputs and outputs mean."""

    def inputs(self, picture: Image, state: NDArray[Any] | None = None) -> Tensors:
        """What goes in for a picture; no state: it is the first."""
        ...

    def shown(self, picture: Image, outputs: Tensors) -> NDArray[Any]:
        """What is seen in the end, uint8 [H, W, 3] in the picture's color order."""
        ...


@dataclass(frozen=True)
class Difference:
    """Between two runs on one picture.

    levels: the largest in what is seen, of 255. psnr: of what is seen, in dB, at most 108.
    floats: the largest in any float output; NaN if one of them has a value that is no number.
    """

    levels: int
    psnr: float
    floats: float


class Comparison:
    """A graph beside its reference, each carrying its own state from picture to picture."""

    def __init__(self, interface: Interface, graph: Run, reference: Run) -> None:
        self._interface = interface
        self._runs = (graph, reference)
        self.reset()

    def reset(self) -> None:
        """Forget the pictures before."""
        self._states: list[NDArray[Any] | None] = [None, None]

    def __call__(self, picture: Image) -> Difference:
        ours, expected = (
            run(self._interface.inputs(picture, state))
            for run, state in zip(self._runs, self._states, strict=True)
        )
        self._states = [ours["next_state"], expected["next_state"]]
        shown = self._interface.shown(picture, ours).astype(float)
        shown -= self._interface.shown(picture, expected)
        psnr = 10 * np.log10(255**2 / max(float((shown**2).mean()), 1e-6))
        floats = [np.abs(ours[n] - v).max() for n, v in expected.items() if v.dtype == np.float32]
        return Difference(int(np.abs(shown).max()), float(psnr), float(np.max(floats)))


@dataclass(frozen=True)
class Differences:
    """Over pictures in order; see `Difference`."""

    pictures: int
    levels: int
    worst_psnr: float
    median_psnr: float
    floats: float

    def sentence(self, reference: str) -> str:
        """How near the graph is to its reference, for the user."""
        return (
            f"within {self.levels}/255 of {reference} over {self.pictures} pictures, "
            f"{self.worst_psnr:.1f} dB at worst and {self.median_psnr:.1f} dB in the median"
        )


def compare(
    interface: Interface, graph: Run, reference: Run, pictures: Sequence[Image]
) -> Differences:
    """Run both over pictures, frames in order.

    Raises:
        EngineError: when a value is not finite, which what is seen need not show.
    """
    comparison = Comparison(interface, graph, reference)
    found = [comparison(picture) for picture in pictures]
    floats = float(np.max([difference.floats for difference in found]))
    if not np.isfinite(floats):
        raise EngineError("The graph gives values that are not finite; nothing was written")
    psnr = [difference.psnr for difference in found]
    return Differences(
        pictures=len(found),
        levels=max(difference.levels for difference in found),
        worst_psnr=min(psnr),
        median_psnr=float(np.median(psnr)),
        floats=floats,
    )


def in_torch(module: nn.Module, outputs: Sequence[str] = ()) -> Run:
    """A module as it runs in PyTorch.

    Args:
        outputs: the names of what it returns, unless that is a dictionary.
    """

    def run(inputs: Tensors) -> Tensors:
        with torch.inference_mode():
            found = module(**{name: torch.from_numpy(value) for name, value in inputs.items()})
        named = found if isinstance(found, dict) else dict(zip(outputs, found, strict=True))
        return {name: value.numpy() for name, value in named.items()}

    return run
