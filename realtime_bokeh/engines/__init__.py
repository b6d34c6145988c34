"""Engines: the runtimes that execute the network, and the choice among them."""

import importlib
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral

from realtime_bokeh.engines.base import Controls, Engine
from realtime_bokeh.engines.hardware import (
    PYTORCH_PRECISIONS,
    device_kind,
    installed,
    nvidia_gpus,
    tensorrt_module,
    why_not_cuda,
    why_not_tensorrt,
)
from realtime_bokeh.errors import EngineError, UsageError
from realtime_bokeh.extras import install_hint
from realtime_bokeh.sizes import InferenceSize, check_inference_size
from realtime_bokeh.weights import Model, find

__all__ = ["ENGINES", "Controls", "Engine", "check_engine", "open_engine"]

Build = Callable[[Model, InferenceSize, str | None, str | None, int | None], Engine]


def _why_not_pytorch() -> str | None:
    return None if installed("torch") else f"PyTorch is not installed ({install_hint('torch')})"


def _why_not_openvino() -> str | None:
    return None if installed("openvino") else f"OpenVINO is not installed ({install_hint()})"


def _why_pass_over_tensorrt(_: str | None) -> str | None:
    reason = why_not_tensorrt()
    if reason is not None or tensorrt_module() != "tensorrt_rtx":
        return reason
    unfit = [gpu for gpu in nvidia_gpus()[:1] if not gpu.runs_rtx]
    return f"TensorRT-RTX does not support {unfit[0]} ({unfit[0].install_line})" if unfit else None


def _why_pass_over_pytorch(kind: str | None) -> str | None:
    if kind == "cpu":
        return "OpenVINO is faster on a CPU"
    return _why_not_pytorch() if kind == "mps" else why_not_cuda()


def _why_pass_over_openvino(_: str | None) -> str | None:
    return _why_not_openvino()


@dataclass(frozen=True)
class Runtime:
    """What is known of an engine before it is loaded.

    name: by which `--engine` chooses it, and of its module.
    precisions: in which it computes, by kind of device, as the runtime names them.
    missing: why it cannot be used here at all, if so.
    passed_over: why "auto" does not take it here for a kind of device (None: any), if so.
    compiles_each_size: whether it compiles for seconds or minutes for every size of frames.
    """

    name: str
    precisions: Mapping[str, tuple[str, ...]]
    missing: Callable[[], str | None]
    passed_over: Callable[[str | None], str | None]
    compiles_each_size: bool = False

    def refuses(self, device: str | None, precision: str | None) -> str | None:
        """Why it cannot serve what was asked for on any computer, if so."""
        kind = None if device is None else device_kind(device)
        found = [p for name, p in self.precisions.items() if kind in (None, name.lower())]
        if not found:
            return f"it runs on {_or(self.precisions)}, not on {device}"
        possible = dict.fromkeys(itertools.chain(*found))
        if precision is not None and precision not in possible:
            where = f" on {device}" if device else ""
            return f"it runs in {_or(possible)}{where}, not in {precision}"
        return None


# in order of preference
ENGINES = (
    Runtime(
        "tensorrt", {"cuda": ("f16",)}, why_not_tensorrt, _why_pass_over_tensorrt,
        compiles_each_size=True,
    ),
    Runtime("pytorch", PYTORCH_PRECISIONS, _why_not_pytorch, _why_pass_over_pytorch),
    Runtime(
        "openvino", dict.fromkeys(("CPU", "GPU", "NPU"), ("int8", "f32")),
        _why_not_openvino, _why_pass_over_openvino,
    ),
)  # fmt: skip


def _or(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def open_engine(
    model: Model | str,
    engine: str = "auto",
    inference: InferenceSize | tuple[int, int] | None = None,
    device: str | None = None,
    precision: str | None = None,
    photos: bool = False,
    threads: int | None = None,
) -> Engine:
    """Open an engine for a model.

    Args:
        model: its name, or what `weights.find` gave.
        engine: tensorrt, pytorch or openvino; "auto" takes the first of them that can serve what is
            asked for here.
        inference: (height, width) of about the area at which the network runs, or "full"; by
            default what the model was made for.
        device: CPU, GPU (Intel's) or NPU of OpenVINO, cuda or mps of PyTorch, also with a number as
            they write it (GPU.1, cuda:1); case does not count; by default the best.
        precision: f32, f16 or int8; by default what is fastest on the device.
        photos: whether frames come in many sizes, so that "auto" takes no engine that compiles for
            each of them.
        threads: of the CPU that the effect may have at a time; by default what the runtime takes,
            which mostly is one for every core. PyTorch's and OpenCV's number holds for the whole
            process. On a GPU or NPU they do next to nothing.

    Raises:
        UsageError: when there is no such model or engine, the inference size is none, the device or
            the precision is not one that the engine can have here, or there is less than a thread.
        WeightsError: when the model is damaged.
        EngineError: when the engine is not available, saying why.
    """
    if not isinstance(model, Model):
        model = find(model)
    for option, value in (("device", device), ("precision", precision)):
        if not isinstance(value, str | None) or value == "":
            raise UsageError(f"{option} is {value!r}; give its name, or None for the best")
    number = isinstance(threads, Integral) and not isinstance(threads, bool)
    if threads is not None and not (number and threads >= 1):
        raise UsageError(f"threads is {threads!r}; give a whole number from 1, or None for any")
    size = model.inference_size if inference is None else check_inference_size(inference)
    runtime, passed_over = _usable(engine, device, precision, photos)
    build: Build = importlib.import_module(f"realtime_bokeh.engines.{runtime.name}").build
    opened = build(model, size, device, precision, threads)
    opened.reason = f"{model.name}, {opened.describe()}"
    opened.passed_over = passed_over
    opened.compiles_each_size = runtime.compiles_each_size
    return opened


def check_engine(engine: str, device: str | None = None, precision: str | None = None) -> None:
    """Refuse an engine that `open_engine` would refuse for its name, device or precision.

    Raises:
        UsageError, EngineError: as `open_engine`.
    """
    _usable(engine, device, precision, photos=False)


def _usable(
    engine: str, device: str | None, precision: str | None, photos: bool
) -> tuple[Runtime, tuple[str, ...]]:
    """The runtime that a name stands for here, and a sentence for each that "auto" passes over."""
    if engine == "auto":
        return _choose(device, precision, photos)
    runtime = _named(engine)
    if reason := runtime.refuses(device, precision):
        raise UsageError(f"Engine {engine} cannot be used: {reason}")
    if reason := runtime.missing():
        raise EngineError(f"Engine {engine} cannot be used: {reason}")
    return runtime, ()


def _named(name: str) -> Runtime:
    for runtime in ENGINES:
        if runtime.name == name:
            return runtime
    known = _or(["auto", *(runtime.name for runtime in ENGINES)])
    raise UsageError(f"There is no engine {name!r}; choose {known}")


def _choose(
    device: str | None, precision: str | None, photos: bool
) -> tuple[Runtime, tuple[str, ...]]:
    """The engine that "auto" takes, and a sentence for each that it passes over."""
    kind = None if device is None else device_kind(device)
    reasons: dict[str, str] = {}  # why not, by engine
    able: list[str] = []  # those of them that could serve it on another computer
    for runtime in ENGINES:
        name, refusal = runtime.name, runtime.refuses(device, precision)
        reason = refusal or runtime.passed_over(kind)
        if reason is None and photos and runtime.compiles_each_size:
            reason = "it would compile for every size of photo"
        if reason is None:
            return runtime, tuple(f"{name} is passed over: {why}" for name, why in reasons.items())
        reasons[name] = reason
        able += [] if refusal else [name]
    said = "; ".join(f"{name}: {reasons[name]}" for name in able or reasons)
    asked = " and ".join(filter(None, [device, precision]))
    if asked:
        raise UsageError(f"No engine serves {asked} here ({said}); leave it out for the fastest")
    raise EngineError(f"No engine is available ({said})")
