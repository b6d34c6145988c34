"""PyTorch: the reference on the CPU, and for GPUs without TensorRT (NVIDIA, AMD, Apple)."""

import torch
from safetensors import SafetensorError

from realtime_bokeh.engines.base import Engine
from realtime_bokeh.engines.device import DeviceEngine, DeviceLoop, find_device
from realtime_bokeh.engines.hardware import PYTORCH_PRECISIONS
from realtime_bokeh.errors import EngineError, UsageError
from realtime_bokeh.network.core import BokehCore, BokehFrame, HalfPrecision
from realtime_bokeh.network.load import load_core
from realtime_bokeh.sizes import InferenceSize, Size
from realtime_bokeh.weights import WEIGHTS, Model


class PyTorchEngine(DeviceEngine):
    """Runs `BokehFrame` as it is written.

    On CUDA (and ROCm, which goes by the same name) it is recorded as a CUDA graph, and in f16 the
    network runs in half precision with its channels last, as tensor cores want them.
    """

    def __init__(
        self, model: Model, inference: InferenceSize, device: torch.device, precision: str
    ) -> None:
        super().__init__(inference, device)
        try:
            core = load_core(model.file(WEIGHTS), model.form)
        except (SafetensorError, RuntimeError) as error:
            raise EngineError(f"Model {model.name} does not fit the network: {error}") from error
        if precision == "f16":
            core.network = HalfPrecision(core.network)
            core = core.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._core: BokehCore | None = core.to(device)
        self._precision = precision

    def describe(self) -> str:
        return f"pytorch {self._precision} on {self._device}"

    def close(self) -> None:
        super().close()
        self._core = None

    def _open(self, frame: Size, content: Size, small: Size) -> DeviceLoop:
        assert self._core is not None  # a closed engine opens nothing
        step = BokehFrame(self._core, frame, content).to(self._device)
        return DeviceLoop(step, frame, small, self._device)


def build(
    model: Model, inference: InferenceSize, device: str | None, precision: str | None,
    threads: int | None,
) -> Engine:  # fmt: skip
    """Open a model with PyTorch; arguments and errors are those of `engines.open_engine`."""
    place = find_device(device)
    possible = PYTORCH_PRECISIONS[place.type]
    precision = precision or possible[0]
    if precision not in possible:
        raise UsageError(
            f"Engine pytorch runs in {' or '.join(possible)} on {place.type}, not in {precision}"
        )
    if threads is not None:
        torch.set_num_threads(threads)
    return PyTorchEngine(model, inference, place, precision)
