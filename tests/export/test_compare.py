from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from realtime_bokeh.errors import EngineError
from realtime_bokeh.export import Tensors
from realtime_bokeh.export.compare import Comparison, compare, in_torch
from realtime_bokeh.frame import Image

PICTURES = [np.full((4, 6, 3), level, np.uint8) for level in (10, 20, 30)]


class Counting:
    """The interface of a graph that adds to its picture the number of pictures before."""

    def inputs(self, picture: Image, state: NDArray[Any] | None = None) -> Tensors:
        return {"picture": picture, "state": np.zeros(1, np.float32) if state is None else state}

    def shown(self, picture: Image, outputs: Tensors) -> NDArray[Any]:
        return outputs["rendering"]


def _graph(step: float) -> Callable[[Tensors], Tensors]:
    def run(inputs: Tensors) -> Tensors:
        rendering = inputs["picture"] + inputs["state"].astype(np.uint8)
        return {"rendering": rendering, "next_state": inputs["state"] + np.float32(step)}

    return run


def test_each_carries_its_own_state() -> None:
    comparison = Comparison(Counting(), _graph(3), _graph(1))
    assert [comparison(picture).levels for picture in PICTURES] == [0, 2, 4]
    assert comparison(PICTURES[0]).floats == 8
    comparison.reset()
    assert comparison(PICTURES[0]).levels == 0


def test_differences_are_summed_up() -> None:
    found = compare(Counting(), _graph(3), _graph(1), PICTURES)
    assert (found.pictures, found.levels, found.floats) == (3, 4, 6)
    assert found.worst_psnr < found.median_psnr
    assert found.sentence("itself") == (
        "within 4/255 of itself over 3 pictures, 36.1 dB at worst and 42.1 dB in the median"
    )


@pytest.mark.parametrize("wrong", range(3))
def test_what_is_no_number_is_never_the_smaller(wrong: int) -> None:
    """Python's max passes over NaN, unless that comes first."""

    def broken(inputs: Tensors) -> Tensors:
        outputs = _graph(1)(inputs)
        bad = inputs["picture"][0, 0, 0] == PICTURES[wrong][0, 0, 0]
        return outputs | {"focus": np.full(1, np.nan if bad else 0, np.float32)}

    def reference(inputs: Tensors) -> Tensors:
        return _graph(1)(inputs) | {"focus": np.zeros(1, np.float32)}

    comparison = Comparison(Counting(), broken, reference)
    assert [np.isnan(comparison(picture).floats) for picture in PICTURES] == [
        index == wrong for index in range(3)
    ]
    with pytest.raises(EngineError, match="values that are not finite; nothing was written"):
        compare(Counting(), broken, reference, PICTURES)


def test_modules_run_with_names() -> None:
    class Swap(nn.Module):
        def forward(self, small: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
            return state, small

    inputs = {"state": np.ones(2, np.float32), "small": np.zeros(3, np.float32)}
    found = in_torch(Swap(), ["one", "other"])(inputs)
    assert found["one"].shape == (2,)
    assert found["other"].shape == (3,)

    class Named(nn.Module):
        def forward(self, state: Tensor, small: Tensor) -> dict[str, Tensor]:
            return {"sum": torch.cat([state, small])}

    assert in_torch(Named())(inputs)["sum"].shape == (5,)
