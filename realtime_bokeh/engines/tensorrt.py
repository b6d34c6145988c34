"""TensorRT in f16: the whole frame as one engine on an NVIDIA GPU.

`tensorrt` (every GPU) runs what Torch-TensorRT compiled for the GPU at hand; `tensorrt_rtx`
(GeForce and RTX) also runs portable engines, which were built on any machine. Their runtimes have
the same interface, so one class serves both.
"""

import contextlib
import importlib
import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from realtime_bokeh.engines import cache
from realtime_bokeh.engines.base import Engine
from realtime_bokeh.engines.cache import PORTABLE, PORTABLE_FROM_TURING, Key
from realtime_bokeh.engines.device import DeviceEngine, DeviceLoop, find_device
from realtime_bokeh.engines.hardware import Gpu, installed, tensorrt_module
from realtime_bokeh.errors import EngineError
from realtime_bokeh.extras import install_hint
from realtime_bokeh.sizes import InferenceSize, Size
from realtime_bokeh.weights import Model

RTX = "tensorrt_rtx"


def gpu_at(device: torch.device | str) -> Gpu:
    """The GPU of a CUDA device."""
    return Gpu(torch.cuda.get_device_name(device), torch.cuda.get_device_capability(device))


def load_runtime() -> ModuleType:
    """The module tensorrt or tensorrt_rtx.

    Raises:
        EngineError: when neither can be loaded.
    """
    name = tensorrt_module()
    try:
        return importlib.import_module(name or "tensorrt")
    except (ImportError, OSError) as error:
        raise EngineError(f"TensorRT cannot be loaded ({error}); install it again") from error


def key_for(trt: ModuleType, model: Model, frame: Size, content: Size, gpu: str) -> Key:
    """The key of the engine that would be compiled now.

    Args:
        trt: the module tensorrt or tensorrt_rtx.
        frame, content: (height, width), see `BokehFrame`.
        gpu: of a `Gpu`, or PORTABLE or PORTABLE_FROM_TURING.
    """
    compiler = "any"  # whoever runs a portable engine need not have what built it
    if gpu not in (PORTABLE, PORTABLE_FROM_TURING):
        versions = []
        for package in ("torch", "torch-tensorrt", "torch-tensorrt-rtx"):
            with contextlib.suppress(PackageNotFoundError):
                versions.append(f"{package} {version(package)}")
        compiler = ", ".join(versions)
    return cache.make_key(model, frame, content, gpu, f"{trt.__name__} {trt.__version__}", compiler)


def compile_engine(trt: ModuleType, model: Model, key: Key) -> bytes:
    """Compile what a key describes: seconds for a portable engine, minutes where a GPU is measured.

    Raises:
        EngineError: when it cannot be compiled, or what compiles is not installed.
    """
    portable = key.gpu in (PORTABLE, PORTABLE_FROM_TURING)
    for module in ("onnx", "onnxscript") if portable else ("torch_tensorrt",):
        if not installed(module):
            extra = "rtx" if trt.__name__ == RTX else "tensorrt"
            raise EngineError(
                f"Compiling {model.name} for {key.gpu} needs {module}; {install_hint(extra)}"
            )
    from realtime_bokeh.engines import compile as compiler

    if portable:
        half = compiler.half_frame(model, key.frame, key.inference)
        graph = compiler.portable_graph(half)
        turing = key.gpu == PORTABLE_FROM_TURING
        return compiler.build_portable(trt, half, graph, turing)
    return compiler.compile_here(model, key.frame, key.inference)


class Runner:
    """A deserialized engine as a `device.Step`, with outputs allocated once.

    Args:
        trt: the module tensorrt or tensorrt_rtx.
        engine: serialized.
        kernels: what TensorRT-RTX compiled for this GPU from the engine before, if anything.

    Raises:
        RuntimeError: when the engine does not run here.
    """

    def __init__(
        self, trt: ModuleType, engine: bytes, device: torch.device, kernels: bytes | None = None
    ) -> None:
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        self._engine = self._runtime.deserialize_cuda_engine(engine)
        if self._engine is None:
            raise RuntimeError("the engine does not fit this GPU or TensorRT's version")
        self._kernels: Any = None
        options = []
        if trt.__name__ == RTX:
            # it compiles kernels when first run, and records its own graph once it has them
            config = self._engine.create_runtime_config()
            config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
            self._kernels = config.create_runtime_cache()
            if kernels is not None:
                self._kernels.deserialize(kernels)
            config.set_runtime_cache(self._kernels)
            options = [config]
        self._context = self._engine.create_execution_context(*options)
        if self._context is None:
            raise RuntimeError("the GPU has no memory for the engine")
        types = {trt.uint8: torch.uint8, trt.float16: torch.float16, trt.float32: torch.float32}
        self._inputs: dict[str, str] = {}  # role -> name
        self._outputs: dict[str, Tensor] = {}  # role -> tensor
        for index in range(self._engine.num_io_tensors):
            name = self._engine.get_tensor_name(index)
            shape = tuple(self._engine.get_tensor_shape(name))
            role = "controls" if len(shape) == 1 else "frame" if shape[-1] == 3 else "state"
            if self._engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
                self._inputs[role] = name
                continue
            kind = types[self._engine.get_tensor_dtype(name)]
            self._outputs[role] = torch.empty(shape, dtype=kind, device=device)
            self._context.set_tensor_address(name, self._outputs[role].data_ptr())

    def __call__(self, frame: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        for role, tensor in (("frame", frame), ("state", state), ("controls", controls)):
            self._context.set_tensor_address(self._inputs[role], tensor.data_ptr())
        if not self._context.execute_async_v3(torch.cuda.current_stream().cuda_stream):
            raise RuntimeError("TensorRT refused to run the engine")
        return self._outputs["frame"], self._outputs["state"]

    def kernels(self) -> bytes | None:
        """What TensorRT-RTX has compiled for this GPU so far; None for TensorRT."""
        return bytes(memoryview(self._kernels.serialize())) if self._kernels else None


class TensorRTEngine(DeviceEngine):
    """Finds, or compiles and keeps, the engine of a frame's size and runs it."""

    def __init__(
        self,
        trt: ModuleType,
        model: Model,
        inference: InferenceSize,
        device: torch.device,
        gpu: Gpu,
    ) -> None:
        super().__init__(inference, device)
        self._trt = trt
        self._model = model
        self._gpu = gpu
        self._compiling: tuple[Size, float] | None = None  # the frames' size, since when

    @property
    def busy(self) -> str:
        now = self._compiling
        if now is None:
            return ""
        size, since = now
        seconds = time.monotonic() - since
        return f"compiling {self._model.name} for {self._gpu.name} at {size}, once: {seconds:.0f} s"

    def describe(self) -> str:
        return f"{self._trt.__name__} f16 on {self._gpu.name}"

    def _open(self, frame: Size, content: Size, small: Size) -> DeviceLoop:
        self._compiling = frame, time.monotonic()
        try:
            key, engine = self._find(frame, content)
            kernels = replace(key, holds="kernels", gpu=str(self._gpu))
            before = cache.load(kernels) if self._rtx else None
            runner = Runner(self._trt, engine, self._device, before)
            loop = DeviceLoop(runner, frame, small, self._device, record=not self._rtx)
            compiled = runner.kernels()
            if compiled is not None and compiled != before:
                self._keep(kernels, compiled)
        finally:
            self._compiling = None
        return loop

    @property
    def _rtx(self) -> bool:
        return self._trt.__name__ == RTX

    def _find(self, frame: Size, content: Size) -> tuple[Key, bytes]:
        """The engine from the cache, else a new one."""
        fitting = [str(self._gpu)]
        if self._rtx:
            fitting += [PORTABLE] if self._gpu.capability >= (8, 0) else []
            fitting += [PORTABLE_FROM_TURING]
        keys = [key_for(self._trt, self._model, frame, content, gpu) for gpu in fitting]
        for key in keys:
            engine = cache.load(key)
            if engine is not None:
                return key, engine
        key = keys[0] if installed("torch_tensorrt") or not self._rtx else keys[1]
        engine = compile_engine(self._trt, self._model, key)
        self._keep(key, engine)
        return key, engine

    def _keep(self, key: Key, content: bytes) -> None:
        with contextlib.suppress(EngineError):  # a full disk: it is compiled again next time
            cache.store(key, content)


def build(
    model: Model, inference: InferenceSize, device: str | None, precision: str | None,
    threads: int | None,
) -> Engine:  # fmt: skip
    """Open a model with TensorRT; arguments and errors are those of `engines.open_engine`.

    It computes on the GPU alone, and so has no use for threads.
    """
    found = find_device(device or "cuda")
    place = torch.device(found.type, found.index or 0)  # whatever a thread's current one is
    return TensorRTEngine(load_runtime(), model, inference, place, gpu_at(place))
