"""The tensorrt engine around a stand-in for TensorRT's runtime, which needs a GPU.

The stand-in has the interface of the real one, and its engines compute on the addresses that they
are given. What is compiled is tested in tests/export, real engines, on a GPU, in test_cuda.
"""

import ctypes
import pickle
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from realtime_bokeh import weights
from realtime_bokeh.engines import Controls, cache
from realtime_bokeh.engines import tensorrt as engine_module
from realtime_bokeh.engines.cache import PORTABLE, PORTABLE_FROM_TURING
from realtime_bokeh.engines.hardware import Gpu
from realtime_bokeh.engines.tensorrt import TensorRTEngine, key_for
from realtime_bokeh.errors import EngineError, UsageError
from realtime_bokeh.sizes import Size

SIZE, SMALL = Size(180, 320), Size(144, 256)
IMAGE = np.full((*SIZE, 3), 10, np.uint8)


def _plan(rendering: str = "uint8") -> bytes:
    """A serialized stand-in: its ends in an order of its own, as Torch-TensorRT's."""
    state = ("float32", (1, 8, *SMALL))
    frame = (1, *SIZE, 3)
    return pickle.dumps(
        {
            "inputs": {"a": ("uint8", frame), "b": ("float32", (2,)), "c": state},
            "outputs": {"output0": (rendering, frame), "output1": state},
        }
    )


class _Context:
    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._addresses: dict[str, int] = {}

    def set_tensor_address(self, name: str, address: int) -> None:
        self._addresses[name] = address

    def _array(self, name: str) -> np.ndarray:
        kind, shape = (self._plan["inputs"] | self._plan["outputs"])[name]
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        raw = (ctypes.c_uint8 * size).from_address(self._addresses[name])
        return np.frombuffer(raw, kind).reshape(shape)

    def execute_async_v3(self, stream: int) -> bool:
        """The frame, the strength in tens and the number of the frame, added."""
        state = self._array("c") + 1
        strength = self._array("b")[0]
        self._array("output0")[:] = self._array("a") + 10 * strength + state.flat[0]
        self._array("output1")[:] = state
        return bool(strength != 0.5)


class _Engine:
    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._names = [*plan["inputs"], *plan["outputs"]]
        self._ends = plan["inputs"] | plan["outputs"]
        self.num_io_tensors = len(self._names)

    def get_tensor_name(self, index: int) -> str:
        return str(self._names[index])

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._ends[name][1])

    def get_tensor_dtype(self, name: str) -> str:
        return str(self._ends[name][0])

    def get_tensor_mode(self, name: str) -> str:
        return "in" if name in self._plan["inputs"] else "out"

    def create_runtime_config(self) -> Any:
        return SimpleNamespace(
            create_runtime_cache=_Kernels, set_runtime_cache=lambda kernels: None
        )

    def create_execution_context(self, *config: Any) -> _Context:
        return _Context(self._plan)


class _Kernels:
    loaded: bytes | None = None

    def deserialize(self, content: bytes) -> None:
        _Kernels.loaded = content

    def serialize(self) -> bytes:
        return b"kernels"


class _Runtime:
    def __init__(self, logger: object) -> None:
        pass

    def deserialize_cuda_engine(self, content: bytes) -> _Engine | None:
        return _Engine(pickle.loads(content)) if content != b"of another version" else None


class _Logger:
    ERROR = 0

    def __init__(self, level: int) -> None:
        pass


def _tensorrt(name: str) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(
        __version__="1.5", Runtime=_Runtime, Logger=_Logger, uint8="uint8", float16="float16",
        float32="float32", TensorIOMode=SimpleNamespace(INPUT="in"),
        CudaGraphStrategy=SimpleNamespace(WHOLE_GRAPH_CAPTURE=1),
    )  # fmt: skip
    return module


@pytest.fixture(autouse=True)
def _no_gpu_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REALTIME_BOKEH_CACHE", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: SimpleNamespace(cuda_stream=0))
    _Kernels.loaded = None


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """For which GPUs something was compiled."""
    seen: list[str] = []

    def compile_engine(trt: ModuleType, model: weights.Model, key: cache.Key) -> bytes:
        seen.append(key.gpu)
        return _plan()

    monkeypatch.setattr(engine_module, "compile_engine", compile_engine)
    return seen


def _open(name: str = "tensorrt", capability: tuple[int, int] = (8, 9)) -> TensorRTEngine:
    gpu = Gpu("A GPU", capability)
    model = weights.find("lite")
    return TensorRTEngine(_tensorrt(name), model, SMALL, torch.device("cpu"), gpu)


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt_rtx"])
@pytest.mark.parametrize("rendering", ["uint8", "float16"])
def test_frames_state_and_controls_find_their_ends(
    name: str, rendering: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "compile_engine", lambda *_: _plan(rendering))
    engine = _open(name)
    assert [int(engine(IMAGE, Controls(s))[0, 0, 0]) for s in (0, 1, 1)] == [11, 22, 23]
    engine.reset()
    assert int(engine(IMAGE, Controls(0))[0, 0, 0]) == 11
    assert engine.describe() == f"{name} f16 on A GPU"


def test_an_engine_is_compiled_once(compiled: list[str]) -> None:
    for _ in range(2):
        engine = _open()
        engine(IMAGE, Controls())
        engine(IMAGE, Controls())
        assert engine.busy == ""
    assert compiled == ["A GPU (compute capability 8.9)"]
    _open(capability=(9, 0))(IMAGE, Controls())
    assert compiled[1:] == ["A GPU (compute capability 9.0)"]


def test_a_damaged_engine_is_compiled_again(compiled: list[str]) -> None:
    _open()(IMAGE, Controls())
    (entry,) = cache.entries()
    entry.path.write_bytes(entry.path.read_bytes()[:-1])
    _open()(IMAGE, Controls())
    assert len(compiled) == 2


def test_what_compiling_takes_is_said_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, said = _open(), []

    def compile_engine(*_: object) -> bytes:
        said.append(engine.busy)
        return _plan()

    monkeypatch.setattr(engine_module, "compile_engine", compile_engine)
    engine(IMAGE, Controls())
    assert said == ["compiling lite for A GPU at 320x180, once: 0 s"]
    assert engine.busy == ""


@pytest.mark.parametrize(
    ("built_for", "capability", "found"),
    [
        (PORTABLE, (8, 9), True), (PORTABLE, (7, 5), False),
        (PORTABLE_FROM_TURING, (7, 5), True), (PORTABLE_FROM_TURING, (12, 0), True),
    ],
)  # fmt: skip
def test_portable_engines_are_found_by_the_gpus_they_fit(
    compiled: list[str], built_for: str, capability: tuple[int, int], found: bool
) -> None:
    key = key_for(_tensorrt("tensorrt_rtx"), weights.find("lite"), SIZE, SMALL, built_for)
    cache.store(key, _plan())
    _open("tensorrt", capability)(IMAGE, Controls())  # which knows none
    assert len(compiled) == 1
    _open("tensorrt_rtx", capability)(IMAGE, Controls())
    assert len(compiled) == (1 if found else 2)


def test_kernels_of_a_portable_engine_are_kept(compiled: list[str]) -> None:
    _open("tensorrt_rtx")(IMAGE, Controls())
    assert _Kernels.loaded is None
    held = {entry.key.holds for entry in cache.entries() if entry.key}
    assert held == {"engine", "kernels"}
    _open("tensorrt_rtx")(IMAGE, Controls())
    assert _Kernels.loaded == b"kernels"


def test_failures_are_sentences(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="tensorrt f16 on A GPU failed: TensorRT refused"):
        _open()(IMAGE, Controls(0.5))
    cache.clear()
    monkeypatch.setattr(engine_module, "compile_engine", lambda *_: b"of another version")
    with pytest.raises(EngineError, match="does not fit this GPU or TensorRT's version"):
        _open()(IMAGE, Controls())


def test_a_cache_that_cannot_be_written_only_costs_time(
    compiled: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("REALTIME_BOKEH_CACHE", str(tmp_path / "file"))
    assert _open()(IMAGE, Controls(0)).shape == IMAGE.shape
    assert len(compiled) == 1


@pytest.mark.parametrize(("device", "says"), [("cuda:x", "no cuda:x"), ("cuda:99", "no cuda:99")])
def test_wrong_devices(device: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        engine_module.build(weights.find("lite"), SMALL, device, None, None)


def test_what_compiles_must_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "installed", lambda module: False)
    with pytest.raises(EngineError, match=r"needs torch_tensorrt; pip install .*\[tensorrt\]"):
        _open()(IMAGE, Controls())
    with pytest.raises(EngineError, match=r"needs onnx; pip install .*\[rtx\]"):
        _open("tensorrt_rtx")(IMAGE, Controls())
