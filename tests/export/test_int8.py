"""The int8 graph of imported weights; needs the extra [export]."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from realtime_bokeh import checkpoints, weights
from realtime_bokeh.engines import open_engine
from realtime_bokeh.errors import EngineError, UsageError, WeightsError
from realtime_bokeh.export import int8
from realtime_bokeh.export.compare import Run
from realtime_bokeh.export.int8 import quantize_model
from realtime_bokeh.export.onnx import OnnxInterface
from realtime_bokeh.frame import Image
from realtime_bokeh.sources import demo

pytest.importorskip("nncf")


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> weights.Model:
    """Imported weights, in f32 only."""
    monkeypatch.setenv("REALTIME_BOKEH_DATA", str(tmp_path))
    return checkpoints.import_weights(weights.SHIPPED / "lite" / weights.WEIGHTS, "mine")


@pytest.fixture
def pictures() -> list[Image]:
    return demo.images(weights.find("lite").seen_size, 2)


def _contents(model: weights.Model) -> dict[str, bytes]:
    """Every file of every model of the user's."""
    folder = model.folder.parent
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_imported_weights_run_in_int8_then(mine: weights.Model, pictures: list[Image]) -> None:
    slow = mine.frame_ms
    quantized, said = quantize_model(mine, pictures)
    assert said.startswith("within ")
    assert "of f32 over 2 pictures" in said
    assert quantized == weights.find("mine")
    assert quantized.precisions() == ["f32", "int8"]
    assert quantized.frame_ms < slow
    assert quantized.origin == mine.origin
    assert [path.name for path in quantized.folder.parent.iterdir()] == ["mine"]
    with open_engine("mine", "openvino") as engine:
        assert engine.reason == "mine, openvino int8 on CPU"
        rendering = engine(pictures[0])
    with open_engine("mine", "openvino", precision="f32") as full:
        error = (full(pictures[0]).astype(float) - rendering) ** 2
    assert 10 * np.log10(255**2 / error.mean()) > 40


def test_transposed_convolutions_can_run_in_int8(
    mine: weights.Model, pictures: list[Image]
) -> None:
    graph = int8.int8_graph(mine.folder / weights.WEIGHTS, mine.form, pictures).graph
    made = {output: node for node in graph.node for output in node.output}
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer
              if each.name.startswith("zero_point")}  # fmt: skip
    doubling = [node for node in graph.node if node.op_type == "ConvTranspose"]
    assert len(doubling) == 6
    for node in doubling:
        features = made[node.input[0]]
        assert features.op_type == "DequantizeLinear"
        assert not stored[features.input[2]].any()


def _give_shipped_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of quantizing, which takes long."""
    path = weights.SHIPPED / "lite" / weights.GRAPHS["int8"]
    shipped = onnx.load(str(path), load_external_data=False)
    monkeypatch.setattr(int8, "int8_graph", lambda *ignored: shipped)


def test_what_is_not_near_is_not_kept(
    mine: weights.Model, pictures: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _contents(mine)
    _give_shipped_graph(monkeypatch)
    monkeypatch.setattr(int8, "_LEAST_PSNR", 99.0)
    with pytest.raises(EngineError, match=r"mine in int8 is only within .*; nothing was written"):
        quantize_model(mine, pictures)
    assert _contents(mine) == before
    assert weights.find("mine").precisions() == ["f32"]


def test_what_is_not_finite_is_not_kept(
    mine: weights.Model, pictures: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that is no number is black or white when it is shown, so the picture tells little."""
    before = _contents(mine)
    _give_shipped_graph(monkeypatch)
    run = OnnxInterface.run

    def broken(interface: OnnxInterface, graph: Path) -> Run:
        inner = run(interface, graph)
        wrong = np.nan if graph.name == weights.GRAPHS["int8"] else 0
        return lambda inputs: inner(inputs) | {"debug": np.full(1, wrong, np.float32)}

    monkeypatch.setattr(OnnxInterface, "run", broken)
    with pytest.raises(EngineError, match="gives values that are not finite; nothing was written"):
        quantize_model(mine, pictures)
    assert _contents(mine) == before


def test_a_quantizer_that_fails_is_one_sentence(
    mine: weights.Model, pictures: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*ignored: object) -> None:
        raise RuntimeError("many\nlines")

    before = _contents(mine)
    monkeypatch.setattr(int8, "int8_graph", fail)
    with pytest.raises(EngineError, match=r"^mine cannot be quantized \(lines\)$"):
        quantize_model(mine, pictures)
    assert _contents(mine) == before


def test_what_cannot_be_quantized(mine: weights.Model, pictures: list[Image]) -> None:
    with pytest.raises(UsageError, match="'lite' is a shipped model and has an int8 graph"):
        quantize_model(weights.find("lite"), pictures)
    for wrong in ([], [pictures[0][:96]]):
        with pytest.raises(UsageError, match=f"Give pictures of {mine.seen_size}"):
            quantize_model(mine, wrong)
    (mine.folder / weights.WEIGHTS).write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="damaged"):
        quantize_model(mine, pictures)
