from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file

from realtime_bokeh import weights
from realtime_bokeh.architectures import FINER, Form
from realtime_bokeh.engines import open_engine
from realtime_bokeh.errors import EngineError, UsageError
from realtime_bokeh.export import onnx as writer
from realtime_bokeh.export.onnx import core_graph, export, share_weights
from realtime_bokeh.frame import Image
from realtime_bokeh.network.core import first_state
from realtime_bokeh.network.dmshn import build
from realtime_bokeh.network.load import load_core
from realtime_bokeh.sizes import Size, content_size

GRAPHS = sorted(weights.SHIPPED.glob("*/*.onnx"))


@pytest.mark.parametrize("path", GRAPHS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_shipped_graphs_hold_no_weights(path: Path) -> None:
    graph = onnx.load(str(path), load_external_data=False)
    assert path.stat().st_size < 1_000_000
    outside = [i for i in graph.graph.initializer if i.external_data]
    assert {e.value for i in outside for e in i.external_data if e.key == "location"} == {
        weights.WEIGHTS
    }


@pytest.mark.parametrize("model", ["lite", "dmshn"])
def test_onnx_runtime_runs_the_shipped_graph(model: str, portrait: Image) -> None:
    found = weights.find(model)
    core = load_core(found.file(weights.WEIGHTS), found.form)
    small = portrait[: found.finer * 96, : found.finer * 128].copy()[None]
    with torch.inference_mode():
        expected = core(
            torch.from_numpy(small), first_state(Size(96, 128)), torch.tensor([1.0, 0.5])
        )
    session = onnxruntime.InferenceSession(str(found.file(weights.GRAPHS["f32"])))
    inputs = {
        "small": small,
        "state": np.zeros((1, 8, 96, 128), np.float32),
        "controls": np.array([1, 0.5], np.float32),
    }
    bokeh, focus, _ = session.run(["bokeh", "focus", "next_state"], inputs)
    assert np.abs(bokeh.astype(int) - expected[0].numpy()).max() <= 1
    assert np.abs(focus - expected[1].numpy()).max() < 1e-3


def test_every_layout_of_a_network_is_the_same(tmp_path: Path) -> None:
    """What lets a shipped graph serve imported weights."""
    shipped = weights.SHIPPED / "lite" / weights.WEIGHTS
    path = tmp_path / weights.WEIGHTS
    random = {k: v.half() for k, v in build(*weights.find("lite").form).state_dict().items()}
    save_file(dict(reversed(random.items())), path)
    length = int.from_bytes(shipped.read_bytes()[:8], "little") + 8
    assert path.read_bytes()[:length] == shipped.read_bytes()[:length]


def test_tracing_gives_the_shipped_graph() -> None:
    path = weights.SHIPPED / "lite" / weights.WEIGHTS
    graph = share_weights(core_graph(path, weights.find("lite").form), path)
    shipped = onnx.load(
        str(weights.SHIPPED / "lite" / weights.GRAPHS["f32"]), load_external_data=False
    )
    assert [n.op_type for n in graph.graph.node] == [n.op_type for n in shipped.graph.node]


def test_engines_run_one_that_sees_finer(tmp_path: Path, portrait: Image) -> None:
    torch.manual_seed(0)
    form, path = Form("lite", True, FINER), tmp_path / weights.WEIGHTS
    save_file({k: v.half() for k, v in build(*form).state_dict().items()}, path)
    graph = share_weights(core_graph(path, form), path)
    (tmp_path / weights.GRAPHS["f32"]).write_bytes(graph.SerializeToString())
    size = Size(48, 64)
    weights.save_manifest(
        weights.Model("mine", "lite", True, size, {}, "", folder=tmp_path, finer=FINER)
    )
    model = weights.load_manifest(tmp_path)
    assert (model.form, model.seen_size) == (form, Size(96, 128))
    with (
        open_engine(model, "openvino", precision="f32") as ours,
        open_engine(model, "pytorch", device="cpu") as reference,
    ):
        for frame in (portrait[:180, :240], portrait[10:190, :240], portrait[:101, :67]):
            image = frame.copy()
            found, expected = ours(image), reference(image)
            assert np.abs(found.astype(int) - expected).max() <= 3
            assert np.abs(found.astype(int) - image).max() > 10
            focus = ours.focus_map()
            assert focus is not None
            assert focus.shape == content_size(Size.of(image), size)


def test_an_exported_core_is_one_file_of_any_size(command: Any, tmp_path: Path) -> None:
    outcome = command("export", "onnx", tmp_path / "core.onnx")
    assert outcome.status == 0, outcome.lines
    assert "of PyTorch" in outcome.lines[-1]
    session = onnxruntime.InferenceSession((tmp_path / "core.onnx").read_bytes())
    for size in (Size(96, 128), Size(144, 256)):
        height, width = size
        inputs = {
            "small": np.zeros((1, *size.times(weights.find("lite").finer), 3), np.uint8),
            "state": np.zeros((1, 8, height, width), np.float32),
            "controls": np.ones(2, np.float32),
        }
        assert session.run(["bokeh"], inputs)[0].shape == (1, height, width, 3)
    assert [p.name for p in tmp_path.iterdir()] == ["core.onnx"]


def test_an_exported_frame_takes_bytes_and_gives_bytes(command: Any, tmp_path: Path) -> None:
    arguments = ("export", "onnx", tmp_path / "frame.onnx", "--frame", "--size", "320x180")
    outcome = command(*arguments)
    assert outcome.status == 0, outcome.lines
    session = onnxruntime.InferenceSession((tmp_path / "frame.onnx").read_bytes())
    ends = [*session.get_inputs(), *session.get_outputs()]
    assert [(e.name, e.type) for e in ends if e.name in ("frame", "rendering")] == [
        ("frame", "tensor(uint8)"),
        ("rendering", "tensor(uint8)"),
    ]


@pytest.mark.parametrize("frame", [(0, 0), (720, 8), (720,), "1280x720", (720.0, 1280.0)])
def test_frames_of_no_size_are_refused(tmp_path: Path, frame: Any) -> None:
    with pytest.raises(UsageError, match=r"frame .* is no size; give \(height, width\)"):
        export(weights.find("lite"), tmp_path / "a.onnx", frame, [])
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_is_not_near_is_not_written(
    tmp_path: Path, portrait: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = onnx.load(str(weights.SHIPPED / "stacked" / weights.GRAPHS["f32"]))
    monkeypatch.setattr(writer, "core_graph", lambda *ignored: other)
    model = weights.find("dmshn")
    with pytest.raises(EngineError, match=r"The graph is only within .* nothing was written"):
        export(model, tmp_path / "a.onnx", None, [portrait[:96, :128].copy()])
    assert list(tmp_path.iterdir()) == []
