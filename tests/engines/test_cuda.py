"""What only a GPU can show; skipped without one."""

import numpy as np
import pytest
import torch

from realtime_bokeh import weights
from realtime_bokeh.engines import Controls, open_engine
from realtime_bokeh.engines.hardware import why_not_tensorrt
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import InferenceSize, Size
from realtime_bokeh.sources import demo

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
ENGINES = ["pytorch", "tensorrt"]


def _frames(count: int) -> list[Image]:
    return demo.images(Size(180, 320), count)


@pytest.mark.parametrize("inference", [None, "full"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", ["lite", "dmshn", "stacked"])
def test_half_precision_is_within_2_of_the_cpu(
    model: str, engine: str, inference: InferenceSize | None
) -> None:
    if engine == "tensorrt" and (reason := why_not_tensorrt()):
        pytest.skip(reason)
    found = weights.find(model)
    reference = open_engine(found, "pytorch", inference, device="cpu")
    ours = open_engine(found, engine, inference)
    for image in _frames(4):
        expected = reference(image, Controls()).astype(int)
        assert np.abs(ours(image, Controls()) - expected).max() <= 2


@pytest.mark.parametrize("engine", ENGINES)
def test_frames_in_flight_are_the_same_as_one_by_one(engine: str) -> None:
    if engine == "tensorrt" and (reason := why_not_tensorrt()):
        pytest.skip(reason)
    ours = open_engine(weights.find("lite"), engine)
    images = _frames(12)
    one_by_one = [ours(image, Controls()) for image in images]
    ours.reset()
    begun = [ours.begin(image, Controls()) for image in images]
    for finish, expected in zip(begun, one_by_one, strict=True):
        assert np.array_equal(finish(), expected)


def test_controls_and_reset_reach_the_recorded_graph() -> None:
    ours = open_engine(weights.find("lite"), "pytorch")
    image = _frames(1)[0]
    first = ours(image, Controls())
    assert np.abs(ours(image, Controls(0.0)).astype(int) - image).max() <= 1
    ours.reset()
    assert np.array_equal(ours(image, Controls()), first)
