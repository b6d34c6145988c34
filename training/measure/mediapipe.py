"""MediaPipe's selfie segmentation, which most programs blur backgrounds with, as an `Effect`.

The model file is not part of this project. It is `selfie_segmentation.tflite` (general, 256x256) or
`selfie_segmentation_landscape.tflite` (256x144) of the npm package @mediapipe/selfie_segmentation
(Apache-2.0), or the same as an ONNX graph.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import openvino
from numpy.typing import NDArray

from realtime_bokeh.errors import UsageError, one_line
from realtime_bokeh.extras import install_hint
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size
from training.measure.methods import Focus, Rendered, blend

_Values = NDArray[np.float32]
_Graph = Callable[[_Values], _Values]


class MediaPipe:
    """Its mask of each picture by itself, and a Gaussian behind it.

    Args:
        path: the model, .tflite or .onnx; its input is RGB in [0, 1], [1, h, w, 3] or [1, 3, h, w],
            and its first output the mask, in [0, 1], of the same height and width.

    Raises:
        UsageError: when the file is missing or not such a model.
    """

    name = "MediaPipe + Gaussian"
    exact = True

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise UsageError(f"--mediapipe {path} is no file")
        open_graph = _open_tflite if path.suffix == ".tflite" else _open_onnx
        try:
            self._graph, shape = open_graph(path)
        except (RuntimeError, ValueError) as error:
            raise UsageError(f"--mediapipe {path} cannot be loaded ({one_line(error)})") from error
        if len(shape) != 4 or 3 not in (shape[1], shape[3]):
            raise UsageError(f"--mediapipe {path} takes {shape}, which is no picture in RGB")
        self._channels_first = shape[1] == 3
        self._size = Size(*(shape[2:] if self._channels_first else shape[1:3]))

    def mask(self, image: Image) -> Focus:
        """1 on people, float32 [h, w] in [0, 1], at the network's size."""
        small = cv2.resize(image, self._size[::-1], interpolation=cv2.INTER_AREA)
        values = np.float32(1 / 255) * cv2.cvtColor(small, cv2.COLOR_BGR2RGB)[None]
        if self._channels_first:
            values = np.ascontiguousarray(values.transpose(0, 3, 1, 2))
        return self._graph(values).reshape(self._size).clip(0, 1)

    def focus(self, image: Image) -> Focus:
        return np.asarray(cv2.resize(self.mask(image), image.shape[1::-1]), np.float32)

    def exact_focus(self, image: Image) -> Focus:
        return self.focus(image)

    def photo(self, image: Image, strength: float = 1.0) -> Image:
        return blend(image, 1 - strength * (1 - self.focus(image)))

    def clip(self, frames: Sequence[Image]) -> list[Rendered]:
        maps = [self.focus(frame) for frame in frames]
        return [Rendered(blend(f, focus), focus) for f, focus in zip(frames, maps, strict=True)]


def _open_onnx(path: Path) -> tuple[_Graph, tuple[int, ...]]:
    """By OpenVINO: the graph, and the shape of its input."""
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def graph(values: _Values) -> _Values:
        return np.asarray(compiled(values)[0])

    return graph, tuple(compiled.input(0).shape)


def _open_tflite(path: Path) -> tuple[_Graph, tuple[int, ...]]:
    """By LiteRT, since OpenVINO 2026.4.1 lacks an operator of MediaPipe's own in it."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        hint = install_hint("export")
        raise UsageError(f"--mediapipe {path} needs LiteRT ({error}); {hint}") from error
    runtime = Interpreter(str(path), num_threads=os.cpu_count())
    runtime.allocate_tensors()
    given, taken = runtime.get_input_details()[0], runtime.get_output_details()[0]

    def graph(values: _Values) -> _Values:
        runtime.set_tensor(given["index"], values)
        runtime.invoke()
        return np.asarray(runtime.get_tensor(taken["index"]))

    return graph, tuple(int(side) for side in given["shape"])
