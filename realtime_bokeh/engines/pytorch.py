"""PyTorch, the reference: CPU, CUDA and Apple GPUs, in float32."""

import time
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from realtime_bokeh.engines.base import Controls, Engine
from realtime_bokeh.errors import EngineError
from realtime_bokeh.frame import Image
from realtime_bokeh.geometry import InferenceSize, Size, content_size, padded_size
from realtime_bokeh.network.core import BokehCore, BokehFrame, first_state
from realtime_bokeh.network.dmshn import build as build_network
from realtime_bokeh.weights import WEIGHTS, Model


def load_core(weights: Path, architecture: str, focus_head: bool) -> BokehCore:
    """The core with the weights of a safetensors file, in float32 on the CPU.

    Raises:
        SafetensorError: when the file is none.
        RuntimeError: when its tensors do not fit.
    """
    network = build_network(architecture, focus_head)
    network.load_state_dict({k: v.float() for k, v in load_file(str(weights)).items()})
    return BokehCore(network).eval()


class PyTorchEngine:
    """Runs `BokehFrame` as it is written."""

    def __init__(self, model: Model, inference: InferenceSize, device: torch.device) -> None:
        try:
            core = load_core(model.file(WEIGHTS), model.architecture, model.focus_head)
        except (SafetensorError, RuntimeError) as error:
            raise EngineError(f"Model {model.name} does not fit the network: {error}") from error
        self._core = core.to(device)
        self._inference = inference
        self._device = device
        self._frame: BokehFrame | None = None
        self._frame_size: Size | None = None
        self._state = torch.empty(0)
        self.network_seconds = 0.0

    def describe(self) -> str:
        return f"pytorch f32 on {self._device}"

    def reset(self) -> None:
        self._frame_size = None

    def __call__(self, image: Image, controls: Controls) -> Image:
        begin = time.perf_counter()
        size: Size = (image.shape[0], image.shape[1])
        if size != self._frame_size or self._frame is None:
            content = content_size(size, self._inference)
            self._frame = BokehFrame(self._core, content)
            self._frame_size = size
            self._state = first_state(padded_size(content)).to(self._device)
        values = torch.tensor([controls.strength, controls.smoothing], device=self._device)
        try:
            with torch.inference_mode():
                frame = torch.from_numpy(image)[None].to(self._device)
                result, self._state = self._frame(frame, self._state, values)
                rendered: Image = result[0].cpu().numpy()
        except RuntimeError as error:  # out of memory, a broken driver
            reason = str(error).splitlines()[0]
            raise EngineError(f"PyTorch failed on {self._device}: {reason}") from error
        self.network_seconds = time.perf_counter() - begin  # one graph: nothing is outside it
        return rendered


def build(
    model: Model, inference: InferenceSize, device: str | None, precision: str | None
) -> Engine:
    """See `engines.open_engine`."""
    if precision not in (None, "f32"):
        raise EngineError(f"The pytorch engine runs in f32, not {precision}")
    found = {"cpu": True, "cuda": torch.cuda.is_available()}
    found["mps"] = torch.backends.mps.is_available()
    chosen = (device or next(name for name in ("cuda", "mps", "cpu") if found[name])).lower()
    if chosen.split(":")[0] not in found:
        raise EngineError(f"PyTorch has no device {chosen!r} here; use cpu, cuda or mps")
    if not found[chosen.split(":")[0]]:
        raise EngineError(f"PyTorch finds no {chosen} here; use --device cpu")
    return PyTorchEngine(model, inference, torch.device(chosen))
