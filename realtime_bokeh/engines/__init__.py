"""Engines: the runtimes that execute the network, and the choice among them."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from realtime_bokeh.engines.base import Controls, Engine
from realtime_bokeh.engines.hardware import (
    installed,
    nvidia_gpus,
    tensorrt_module,
    why_not_cuda,
    why_not_tensorrt,
)
from realtime_bokeh.errors import EngineError
from realtime_bokeh.sizes import InferenceSize
from realtime_bokeh.weights import Model

__all__ = ["ENGINES", "Controls", "Engine", "open_engine"]

Build = Callable[[Model, InferenceSize, str | None, str | None], Engine]


def _why_not_pytorch() -> str | None:
    if not installed("torch"):
        return 'PyTorch is not installed (pip install "realtime-bokeh[torch]")'
    return None


def _why_not_openvino() -> str | None:
    return None if installed("openvino") else "OpenVINO is not installed (pip install openvino)"


def _why_pass_over_tensorrt() -> str | None:
    reason = why_not_tensorrt()
    if reason is not None or tensorrt_module() != "tensorrt_rtx":
        return reason
    unfit = [gpu for gpu in nvidia_gpus()[:1] if not gpu.runs_rtx]
    return f"TensorRT-RTX does not support {unfit[0]} ({unfit[0].install_line})" if unfit else None


@dataclass(frozen=True)
class Runtime:
    """What is known of an engine before it is loaded.

    name: by which `--engine` chooses it, and of its module.
    missing: why it cannot be used here at all, if so.
    passed_over: why "auto" does not take it here, if so.
    compiles_each_size: whether it compiles for seconds or minutes for every size of frames.
    """

    name: str
    missing: Callable[[], str | None]
    passed_over: Callable[[], str | None]
    compiles_each_size: bool = False


# in order of preference
ENGINES = (
    Runtime("tensorrt", why_not_tensorrt, _why_pass_over_tensorrt, compiles_each_size=True),
    Runtime("pytorch", _why_not_pytorch, why_not_cuda),
    Runtime("openvino", _why_not_openvino, _why_not_openvino),
)


def open_engine(
    model: Model,
    engine: str = "auto",
    inference: InferenceSize | None = None,
    device: str | None = None,
    precision: str | None = None,
    photos: bool = False,
) -> Engine:
    """Open an engine for a model.

    Args:
        model: from `weights.find`.
        engine: auto, or the name of one.
        inference: (height, width) of about the area at which the network runs, or "full"; by
            default what the model was made for.
        device: as the runtime names it (CPU, GPU, NPU; cpu, cuda, mps); by default the best.
        precision: f32, f16 or int8; by default what is fastest on the device.
        photos: whether frames come in many sizes, so that "auto" takes no engine that compiles for
            each of them.

    Raises:
        EngineError: when it is not available, saying why.
    """
    runtimes = {runtime.name: runtime for runtime in ENGINES}
    passed_over = []
    if engine == "auto":
        for runtime in ENGINES:
            reason = runtime.passed_over()
            if reason is None and photos and runtime.compiles_each_size:
                reason = "it would compile for every size of photo"
            if reason is None:
                break
            passed_over.append(f"{runtime.name} is passed over: {reason}")
        else:
            raise EngineError(f"No engine is available: {'; '.join(passed_over)}")
        name = runtime.name
    else:
        name = engine
        reason = runtimes[name].missing()
        if reason is not None:
            raise EngineError(f"Engine {name} cannot be used: {reason}")
    build: Build = importlib.import_module(f"realtime_bokeh.engines.{name}").build
    opened = build(model, inference or model.inference_size, device, precision)
    opened.reason = f"{model.name}, {opened.describe()}"
    opened.passed_over = tuple(passed_over)
    return opened
