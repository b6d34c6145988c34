from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import torch

from realtime_bokeh import weights
from realtime_bokeh.engines import Controls, open_engine
from realtime_bokeh.engines.openvino import OpenVINOEngine
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import demo

MODELS = ["lite", "dmshn", "stacked"]


def _psnr(a: Image, b: Image) -> float:
    return float(10 * np.log10(255**2 / max(((a.astype(float) - b) ** 2).mean(), 1e-9)))


@pytest.mark.parametrize("model", MODELS)
def test_openvino_equals_pytorch_over_frames(model: str) -> None:
    found = weights.find(model)
    openvino = open_engine(found, "openvino", precision="f32")
    pytorch = open_engine(found, "pytorch")
    for image in demo.images(Size(180, 320), 3):
        ours, reference = (e(image, Controls()) for e in (openvino, pytorch))
        assert np.abs(ours.astype(int) - reference).max() <= 2


@pytest.mark.parametrize("model", MODELS)
def test_int8_is_over_40_db_of_f32(model: str, portrait: Image) -> None:
    found = weights.find(model)
    full, fast = (open_engine(found, "openvino", precision=p) for p in ("f32", "int8"))
    assert _psnr(fast(portrait, Controls()), full(portrait, Controls())) > 40


def test_full_inference_size(portrait: Image) -> None:
    photo = portrait[100:227, 150:341]  # neither side a multiple of 16
    found = weights.find("lite")
    ours = open_engine(found, "openvino", "full", precision="f32")(photo, Controls())
    reference = open_engine(found, "pytorch", "full")(photo, Controls())
    assert ours.shape == photo.shape
    assert np.abs(ours.astype(int) - reference).max() <= 2


@pytest.fixture
def _threads_restored() -> Iterator[None]:
    """PyTorch's and OpenCV's numbers are the process's."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


@pytest.mark.usefixtures("_threads_restored")
def test_the_effect_takes_as_many_threads_as_it_may() -> None:
    for threads in (1, 2):
        with open_engine("lite", "openvino", Size(32, 32), threads=threads) as engine:
            engine(np.zeros((32, 32, 3), np.uint8))
            assert isinstance(engine, OpenVINOEngine)
            compiled = engine._request.get_compiled_model()
            assert compiled.get_property("INFERENCE_NUM_THREADS") == threads
            assert cv2.getNumThreads() == threads
        with open_engine("lite", "pytorch", Size(32, 32), threads=threads, device="cpu"):
            assert torch.get_num_threads() == threads
