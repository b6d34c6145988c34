"""Which engine "auto" takes, by what is asked for and what a computer has."""

import importlib
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from realtime_bokeh import engines, weights
from realtime_bokeh.engines import Engine, check_engine, hardware, open_engine, openvino
from realtime_bokeh.engines.base import Controls, Finish, FocusMap
from realtime_bokeh.engines.hardware import Gpu
from realtime_bokeh.errors import BokehError, EngineError, UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size

LITE = weights.find("lite")
GEFORCE, SERVER = Gpu("NVIDIA GeForce RTX 4070", (8, 9)), Gpu("NVIDIA H100 80GB HBM3", (9, 0))


class _Named(Engine):
    """An engine that only says what was chosen."""

    def __init__(
        self, name: str, device: str | None, precision: str | None, threads: int | None
    ) -> None:
        self.name = f"{name} {precision} on {device}"

    def describe(self) -> str:
        return self.name

    @property
    def network_seconds(self) -> float:
        return 0.0

    def _start(self, frame: Size) -> None:
        raise NotImplementedError

    def _begin(self, image: Image, controls: Controls) -> Finish:
        raise NotImplementedError

    def _focus_map(self) -> FocusMap:
        raise NotImplementedError


Computer = Callable[..., None]


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Computer:
    """Makes this computer one with some modules installed and a GPU, or none; opens nothing."""
    load = importlib.import_module

    def load_fake(name: str) -> object:
        runtime = name.removeprefix("realtime_bokeh.engines.")
        if runtime not in ("tensorrt", "pytorch", "openvino"):
            return load(name)
        return SimpleNamespace(build=lambda model, size, *chosen: _Named(runtime, *chosen))

    def make(*modules: str, gpu: Gpu | None = None) -> None:
        def why_not_cuda() -> str | None:
            if gpu is None:
                return "no NVIDIA or AMD driver was found"
            return None if "torch" in modules else "PyTorch is not installed (pip install it)"

        monkeypatch.setattr(importlib, "import_module", load_fake)
        for module in (engines, hardware):
            monkeypatch.setattr(module, "installed", lambda name: name in modules)
            monkeypatch.setattr(module, "why_not_cuda", why_not_cuda)
            monkeypatch.setattr(module, "nvidia_gpus", lambda: [gpu] if gpu else [])
        monkeypatch.setattr(hardware, "nvidia_driver", lambda: gpu is not None)

    return make


@pytest.mark.parametrize(
    ("device", "precision", "expected"),
    [
        (None, None, "tensorrt None on None"),
        (None, "f16", "tensorrt f16 on None"),
        (None, "int8", "openvino int8 on None"),
        (None, "f32", "pytorch f32 on None"),
        ("CPU", None, "openvino None on CPU"),
        ("cpu", None, "openvino None on cpu"),
        ("GPU", None, "openvino None on GPU"),
        ("GPU.1", None, "openvino None on GPU.1"),
        ("NPU", None, "openvino None on NPU"),
        ("cuda", None, "tensorrt None on cuda"),
        ("cuda:1", None, "tensorrt None on cuda:1"),
        ("cuda", "f32", "pytorch f32 on cuda"),
        ("mps", None, "pytorch None on mps"),
    ],
)
def test_what_is_asked_for_is_served_with_everything_at_hand(
    computer: Computer, device: str | None, precision: str | None, expected: str
) -> None:
    computer("torch", "tensorrt", "openvino", gpu=SERVER)
    opened = open_engine(LITE, device=device, precision=precision)
    assert opened.describe() == expected
    assert opened.reason == f"lite, {expected}"


def test_what_is_passed_over_is_said_in_order(computer: Computer) -> None:
    computer("torch", "tensorrt", "openvino", gpu=SERVER)
    assert open_engine(LITE, device="CPU").passed_over == (
        "tensorrt is passed over: it runs on cuda, not on CPU",
        "pytorch is passed over: OpenVINO is faster on a CPU",
    )
    assert open_engine(LITE, precision="int8").passed_over == (
        "tensorrt is passed over: it runs in f16, not in int8",
        "pytorch is passed over: it runs in f16 or f32, not in int8",
    )


def test_cuda_without_tensorrt_is_pytorch(computer: Computer) -> None:
    computer("torch", "openvino", gpu=GEFORCE)
    opened = open_engine(LITE, device="cuda")
    assert opened.describe().startswith("pytorch")
    (tensorrt,) = opened.passed_over
    assert tensorrt.startswith("tensorrt is passed over: TensorRT is not installed (pip install")
    assert "[rtx]" in tensorrt


def test_cuda_without_either_says_what_to_install(computer: Computer) -> None:
    computer("openvino", gpu=SERVER)
    with pytest.raises(UsageError, match=r"No engine serves cuda here \(") as caught:
        open_engine(LITE, device="cuda")
    assert "[tensorrt]" in str(caught.value)
    assert "PyTorch is not installed" in str(caught.value)
    assert "openvino" not in str(caught.value)
    assert open_engine(LITE).describe().startswith("openvino")


def test_cuda_without_a_gpu_says_so(computer: Computer) -> None:
    computer("torch", "openvino")
    with pytest.raises(UsageError, match="no NVIDIA driver was found"):
        open_engine(LITE, device="cuda")


def test_rtx_is_not_chosen_for_a_gpu_that_it_does_not_support(computer: Computer) -> None:
    computer("torch", "tensorrt_rtx", "openvino", gpu=SERVER)
    opened = open_engine(LITE)
    assert opened.describe().startswith("pytorch")
    assert "does not support NVIDIA H100" in opened.passed_over[0]
    computer("torch", "tensorrt_rtx", "openvino", gpu=GEFORCE)
    assert open_engine(LITE).describe().startswith("tensorrt")


def test_photos_take_no_engine_that_compiles_for_every_size(computer: Computer) -> None:
    computer("torch", "tensorrt", "openvino", gpu=SERVER)
    opened = open_engine(LITE, photos=True)
    assert opened.describe().startswith("pytorch")
    assert opened.passed_over == (
        "tensorrt is passed over: it would compile for every size of photo",
    )


def test_nothing_at_all_is_a_failure(computer: Computer) -> None:
    computer()
    with pytest.raises(EngineError, match=r"OpenVINO is not installed \(pip install"):
        open_engine(LITE)


@pytest.mark.parametrize(
    ("device", "precision", "says"),
    [
        ("TPU", None, "serves TPU .* openvino: it runs on CPU, GPU or NPU, not on"),
        (None, "int4", "tensorrt: it runs in f16, not in int4"),
        ("CPU", "f16", "serves CPU and f16 .*pytorch: it runs in f32 on CPU, not"),
        ("mps", "int8", "it runs in f32 on mps, not in int8"),
    ],
)
def test_what_no_engine_serves_is_the_users_mistake(
    computer: Computer, device: str | None, precision: str | None, says: str
) -> None:
    computer("torch", "tensorrt", "openvino", gpu=SERVER)
    with pytest.raises(UsageError, match=says):
        open_engine(LITE, device=device, precision=precision)


@pytest.mark.parametrize(
    ("engine", "device", "precision", "kind", "says"),
    [
        ("tensorrt", None, None, EngineError, "tensorrt cannot be used: no NVIDIA driver was"),
        ("tensorrt", "CPU", None, UsageError, "it runs on cuda, not on CPU"),
        ("tensorrt", None, "f32", UsageError, "it runs in f16, not in f32"),
        ("openvino", "TPU", None, UsageError, "it runs on CPU, GPU or NPU, not on TPU"),
        ("openvino", "NPU", None, UsageError, "finds no NPU here"),
        ("openvino", "CPU.5", None, UsageError, r"finds no CPU\.5 here \(only CPU"),
        ("openvino", "CPU:0", None, UsageError, "finds no CPU:0 here"),
        ("openvino", "CPU.", None, UsageError, r"finds no CPU\. here"),
        ("auto", "CPU.5", None, UsageError, r"finds no CPU\.5 here"),
        ("openvino", None, "int4", UsageError, "it runs in int8 or f32, not in int4"),
        ("pytorch", "abacus", None, UsageError, "it runs on cuda, mps or cpu, not on abacus"),
        ("pytorch", "mps", None, UsageError, "finds no mps here"),
        ("pytorch", "cpu:1", None, UsageError, "finds no cpu:1 here; use cpu:0$"),
        ("pytorch", "cpu:256", None, UsageError, "finds no cpu:256 here"),
        ("pytorch", "cpu:999", None, UsageError, "finds no cpu:999 here"),
        ("pytorch", "cuda:99", None, UsageError, "finds no cuda:99 here"),
        ("pytorch", "cpu:x", None, UsageError, "finds no cpu:x here"),
        ("pytorch", "cpu", "f16", UsageError, "it runs in f32 on cpu, not in f16"),
        ("pytorch", None, "f16", UsageError, "runs in f32 on cpu, not in f16"),
        ("pytorch", None, "int8", UsageError, "it runs in f16 or f32, not in int8"),
    ],
)
def test_what_a_chosen_engine_cannot_do_is_said(
    engine: str, device: str | None, precision: str | None, kind: type[BokehError], says: str
) -> None:
    with pytest.raises(kind, match=says):
        open_engine(LITE, engine, None, device, precision)


@pytest.mark.parametrize(
    ("engine", "device", "said"),
    [
        ("openvino", "cpu", "openvino int8 on CPU"),
        ("openvino", "CPU.0", "openvino int8 on CPU"),
        ("pytorch", "CPU", "pytorch f32 on cpu"),
        ("pytorch", "cpu:0", "pytorch f32 on cpu:0"),
    ],
)
def test_the_first_of_a_kind_may_have_its_number(engine: str, device: str, said: str) -> None:
    with open_engine(LITE, engine, device=device) as opened:
        assert opened.describe() == said


def test_of_several_graphics_processors_each_has_its_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {"CPU": "a CPU", "GPU.0": "one", "GPU.1": "another"}
    monkeypatch.setattr(openvino, "devices", lambda: names)
    for device in ("GPU", "GPU.0", "gpu.1"):
        assert open_engine(LITE, "openvino", device=device).describe().startswith("openvino f16 on")
    with pytest.raises(UsageError, match=r"finds no GPU\.2 here \(only CPU, GPU\.0, GPU\.1\)"):
        open_engine(LITE, "openvino", device="GPU.2")


def test_a_build_of_pytorch_without_the_gpu_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(hardware, "nvidia_driver", lambda: True)
    monkeypatch.setattr(hardware, "tensorrt_module", lambda: "tensorrt_rtx")
    with pytest.raises(EngineError, match="is built for CPUs; install its build for the GPU"):
        open_engine(LITE, "tensorrt")


@pytest.mark.parametrize(
    ("asked", "kind", "sentence"),
    [
        (("magic", None, None), UsageError, "There is no engine 'magic'"),
        (("openvino", "cuda", None), UsageError, "Engine openvino cannot be used: it runs on"),
        (("tensorrt", None, None), EngineError, "Engine tensorrt cannot be used: no NVIDIA driver"),
    ],
)
def test_an_engine_is_refused_before_it_is_opened(
    computer: Computer, asked: tuple[str, str | None, str | None], kind: type[BokehError],
    sentence: str,
) -> None:  # fmt: skip
    computer("openvino")
    with pytest.raises(kind, match=sentence):
        check_engine(*asked)
    check_engine("openvino", "CPU", "int8")
    check_engine("auto")
