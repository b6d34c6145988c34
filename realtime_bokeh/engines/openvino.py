"""OpenVINO: CPU, Intel graphics and NPU. The default where there is no NVIDIA GPU."""

import time
from collections import OrderedDict
from typing import Any

import cv2
import numpy as np

from realtime_bokeh import telemetry
from realtime_bokeh.engines.base import FOCUS_CHANNEL, Controls, Engine, Finish, FocusMap
from realtime_bokeh.engines.hardware import device_kind
from realtime_bokeh.errors import EngineError, UsageError, one_line
from realtime_bokeh.frame import Image
from realtime_bokeh.recompose import Recomposer, shrink
from realtime_bokeh.sizes import InferenceSize, Size, content_size, padded_size
from realtime_bokeh.weights import GRAPHS, WEIGHTS, Model

telemetry.refuse()

import openvino  # noqa: E402

_COMPILED = 4  # sizes kept, for folders of pictures of several shapes


class OpenVINOEngine(Engine):
    """Runs the model's ONNX graph; shrinks and recomposes with OpenCV."""

    def __init__(
        self, model: Model, inference: InferenceSize, device: str, precision: str,
        threads: int | None,
    ) -> None:  # fmt: skip
        self._inference = inference
        self._device = device
        self._precision = precision
        self._threads = threads
        self._core = openvino.Core()
        self._finer = model.finer
        self._graph = model.file(GRAPHS[precision])
        model.file(WEIGHTS)  # the graph's external data: verified too
        self._requests: OrderedDict[Size, Any] = OrderedDict()  # by the network's padded size
        self._request: Any = None  # the one in use
        self._recompose = Recomposer()
        self._seconds = 0.0

    def describe(self) -> str:
        # graphics and neural processors compute a float graph in half precision
        half = self._precision == "f32" and self._device != "CPU"
        return f"openvino {'f16' if half else self._precision} on {self._device}"

    @property
    def network_seconds(self) -> float:
        return self._seconds

    def close(self) -> None:
        super().close()
        self._requests.clear()
        self._request = None

    def _start(self, frame: Size) -> None:
        self._content = content_size(frame, self._inference)
        size = padded_size(self._content)
        self._request = self._compiled(size)
        self._state = np.zeros((1, 8, *size), np.float32)

    def _begin(self, image: Image, controls: Controls) -> Finish:
        small = shrink(image, self._content, self._finer)
        values = np.array([controls.strength, controls.smoothing], np.float32)
        inputs = {"small": small[None], "state": self._state, "controls": values}
        begin = time.perf_counter()
        try:
            bokeh, focus, state = self._request.infer(inputs, share_inputs=True).values()
        except RuntimeError as error:
            raise EngineError(f"OpenVINO failed on {self._device}: {one_line(error)}") from error
        self._seconds = time.perf_counter() - begin
        self._state = state
        rendering = self._recompose(image, bokeh[0], focus[0, :, :, 0], self._content)
        return lambda: rendering

    def _focus_map(self) -> FocusMap:
        height, width = self._content
        return self._state[0, FOCUS_CHANNEL, :height, :width].copy()

    def _compiled(self, size: Size) -> Any:
        """The compiled graph for a padded size at which the network renders."""
        if size in self._requests:
            self._requests.move_to_end(size)
            return self._requests[size]
        hints: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY"}
        if self._device == "CPU":
            # OpenVINO 2026.4.1 runs a half-precision graph, left to itself, twice as slowly
            hints["INFERENCE_PRECISION_HINT"] = "f32"
            if self._threads is not None:
                hints["INFERENCE_NUM_THREADS"] = self._threads
        try:
            graph = self._core.read_model(self._graph)
            graph.reshape({"small": [1, *size.times(self._finer), 3], "state": [1, 8, *size]})
            compiled = self._core.compile_model(graph, self._device, hints)
        except RuntimeError as error:
            raise EngineError(
                f"OpenVINO cannot compile for {self._device}: {one_line(error)}; "
                f"devices here: {', '.join(devices())}"
            ) from error
        if len(self._requests) == _COMPILED:
            self._requests.popitem(last=False)
        self._requests[size] = compiled.create_infer_request()
        return self._requests[size]


def devices() -> dict[str, str]:
    """The devices that OpenVINO finds, such as CPU, GPU or NPU, and their full names."""
    core = openvino.Core()
    return {d: str(core.get_property(d, "FULL_DEVICE_NAME")) for d in core.available_devices}


def build(
    model: Model, inference: InferenceSize, device: str | None, precision: str | None,
    threads: int | None,
) -> Engine:  # fmt: skip
    """Open a model with OpenVINO; arguments and errors are those of `engines.open_engine`."""
    # the first of a kind goes by the kind's name too, and alone by that only
    device = (device or "CPU").upper().removesuffix(".0")
    here = devices()
    if device not in {*here, *(device_kind(name).upper() for name in here)}:
        raise UsageError(
            f"OpenVINO finds no {device} here (only {', '.join(here)}); "
            "install its driver or use --device CPU"
        )
    at_hand = model.precisions()
    precision = precision or ("int8" if "int8" in at_hand and device == "CPU" else "f32")
    if precision not in at_hand:
        raise UsageError(
            f"Model {model.name} has no {precision} graph, only {', '.join(at_hand)}; "
            f"make it with: realtime-bokeh weights quantize {model.name}"
        )
    if threads is not None:
        cv2.setNumThreads(threads)
    return OpenVINOEngine(model, inference, device, precision, threads)
