"""Portable engines are built here for real; they need a GPU only to run."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from realtime_bokeh import weights
from realtime_bokeh.engines import Controls, cache, open_engine
from realtime_bokeh.engines.cache import PORTABLE, PORTABLE_FROM_TURING
from realtime_bokeh.engines.compile import build_portable, half_frame, portable_graph
from realtime_bokeh.engines.tensorrt import key_for
from realtime_bokeh.errors import EngineError
from realtime_bokeh.frame import Image
from realtime_bokeh.network.core import BokehFrame, HalfPrecision
from realtime_bokeh.sizes import Size, content_size
from realtime_bokeh.sources import demo

trt = pytest.importorskip("tensorrt_rtx")
HD, SMALL = Size(720, 1280), Size(180, 320)


@pytest.fixture(scope="module", params=["lite", "dmshn", "stacked"])
def exported(request: pytest.FixtureRequest) -> tuple[weights.Model, BokehFrame, bytes]:
    model = weights.find(request.param)
    module = half_frame(model, HD, content_size(HD, model.inference_size))
    return model, module, portable_graph(module)


def test_an_engine_is_built_kept_and_loaded_back(
    exported: tuple[weights.Model, BokehFrame, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REALTIME_BOKEH_CACHE", str(tmp_path))
    model, module, graph = exported
    engine = build_portable(trt, module, graph)
    weights_size = model.file(weights.WEIGHTS).stat().st_size
    shrinking = sum(buffer.nbytes for buffer in module.shrink.buffers())
    assert weights_size < len(engine) < weights_size + shrinking + 4e6  # in half precision
    key = key_for(trt, model, HD, Size(*module.content), PORTABLE)
    cache.store(key, engine)
    assert cache.load(key) == engine


def test_onnx_runtime_renders_the_same_graph_as_pytorch(
    exported: tuple[weights.Model, BokehFrame, bytes], portrait: Image
) -> None:
    model, module, graph = exported
    reference = open_engine(model, "pytorch")
    session = onnxruntime.InferenceSession(graph)
    frames = demo.images(HD, 2)
    frames.append(np.asarray(cv2.resize(portrait, HD[::-1])))  # a scene cut
    state = module.blank_inputs()[1].numpy()
    controls = np.array([1.0, 0.5], np.float32)
    for image in frames:
        inputs = {"frame": image[None], "state": state, "controls": controls}
        rendering, state = session.run(["rendering", "next_state"], inputs)
        expected = reference(image, Controls(1.0, 0.5))
        assert np.abs(rendering[0].astype(int) - expected).max() <= 2


@pytest.fixture(scope="module")
def small() -> tuple[BokehFrame, bytes]:
    module = half_frame(weights.find("lite"), SMALL, Size(144, 256))
    return module, portable_graph(module)


def test_turing_is_added_on_request(small: tuple[BokehFrame, bytes]) -> None:
    module, graph = small
    plain = build_portable(trt, module, graph)
    assert len(build_portable(trt, module, graph, turing=True)) > len(plain) + 1e5
    keys = [
        key_for(trt, weights.find("lite"), HD, Size(144, 256), gpu)
        for gpu in (PORTABLE, PORTABLE_FROM_TURING)
    ]
    assert keys[0].file_name != keys[1].file_name


def test_another_graph_than_asked_for_is_refused(small: tuple[BokehFrame, bytes]) -> None:
    module, graph = small
    with pytest.raises(EngineError, match="ends"):
        build_portable(trt, BokehFrame(module.core, Size(360, 640), Size(144, 256)), graph)
    with pytest.raises(EngineError, match="cannot read"):
        build_portable(trt, module, b"not a graph")


def test_a_network_in_full_precision_is_refused() -> None:
    half = half_frame(weights.find("lite"), SMALL, Size(144, 256))
    single = BokehFrame(half.core, half.frame, half.content)
    network = half.core.network
    assert isinstance(network, HalfPrecision)
    single.core.network = network.network.float()
    graph = portable_graph(single)
    with pytest.raises(EngineError, match="0 of the network's"):
        build_portable(trt, single, graph)
