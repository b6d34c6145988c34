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

__all__ = ["ENGINES", "Controls", "Engine", "Opened", "open_engine"]

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
class Row:
    """One engine: why it cannot run (`missing`), why it is not chosen by itself (`passed_over`).

    each_size: whether it compiles for seconds or minutes for every size of frames.
    """

    name: str
    missing: Callable[[], str | None]
    passed_over: Callable[[], str | None]
    each_size: bool = False


# in order of preference
ENGINES = (
    Row("tensorrt", why_not_tensorrt, _why_pass_over_tensorrt, each_size=True),
    Row("pytorch", _why_not_pytorch, why_not_cuda),
    Row("openvino", _why_not_openvino, _why_not_openvino),
)


@dataclass(frozen=True)
class Opened:
    """An engine and the line that tells the user which it is and why."""

    engine: Engine
    reason: str


def open_engine(
    model: Model,
    engine: str = "auto",
    inference: InferenceSize | None = None,
    device: str | None = None,
    precision: str | None = None,
    photos: bool = False,
) -> Opened:
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
    rows = {row.name: row for row in ENGINES}
    skipped = []
    if engine == "auto":
        for row in ENGINES:
            reason = row.passed_over()
            if reason is None and photos and row.each_size:
                reason = "it would compile for every size of photo"
            if reason is None:
                break
            skipped.append(f"not {row.name}: {reason}")
        else:
            raise EngineError(f"No engine is available: {'; '.join(skipped)}")
        name = row.name
    else:
        name = engine
        reason = rows[name].missing()
        if reason is not None:
            raise EngineError(f"Engine {name} cannot be used: {reason}")
    build: Build = importlib.import_module(f"realtime_bokeh.engines.{name}").build
    opened = build(model, inference or model.inference_size, device, precision)
    note = f" ({'; '.join(skipped)})" if skipped else ""
    return Opened(opened, f"{model.name}, {opened.describe()}{note}")
