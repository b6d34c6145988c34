"""BokehFrame as a TensorRT engine in f16: for the GPU at hand, or portable and without any GPU."""

import contextlib
import logging
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from realtime_bokeh.errors import EngineError, one_line
from realtime_bokeh.network.core import BokehFrame, HalfPrecision
from realtime_bokeh.network.load import load_core
from realtime_bokeh.sizes import Size
from realtime_bokeh.weights import WEIGHTS, Model

_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def half_frame(model: Model, frame: Size, content: Size) -> BokehFrame:
    """BokehFrame of a model, its network in float16."""
    core = load_core(model.file(WEIGHTS), model.form)
    core.network = HalfPrecision(core.network)
    return BokehFrame(core, frame, content).eval()


class _HalfEnd(nn.Module):
    """BokehFrame with its rendering in float16; the caller casts it.

    Torch-TensorRT 2.13.0 has no converter for a cast to uint8.
    """

    def __init__(self, frame: BokehFrame) -> None:
        super().__init__()
        self.frame = frame

    def forward(self, frame: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        rendering, state = self.frame.render(frame.float(), state, controls)
        return rendering.half(), state  # whole numbers up to 255, which float16 has exactly


def compile_here(model: Model, frame: Size, content: Size) -> bytes:
    """A serialized engine for the present GPU, by Torch-TensorRT (either of its two packages).

    The whole graph becomes one engine, or nothing does: there are no parts left to PyTorch. Inputs
    `frame` uint8 [1, H, W, 3], `state`, `controls`; outputs the rendering in float16, the state.

    Raises:
        EngineError: when it cannot be compiled.
    """
    import torch_tensorrt  # needs a CUDA build of PyTorch and a driver even to be imported

    half = half_frame(model, frame, content)
    module = _HalfEnd(half).eval().cuda()
    inputs = tuple(value.cuda() for value in half.blank_inputs())
    try:
        with _quiet("torch_tensorrt"), torch.no_grad():
            program = torch.export.export(module, inputs)
            engine: bytes = torch_tensorrt.dynamo.convert_exported_program_to_serialized_trt_engine(
                program,
                arg_inputs=list(inputs),
                use_explicit_typing=True,  # float16 where the module says so, and nowhere else
                disable_tf32=True,  # what is left in float32 is to be exact
                min_block_size=1,
            )
    except Exception as error:  # of many kinds: the converters', TensorRT's own, out of memory
        raise EngineError(
            f"Torch-TensorRT cannot compile {model.name} ({one_line(error)})"
        ) from error
    return engine


def portable_graph(module: BokehFrame) -> bytes:
    """The ONNX graph that a portable engine is built from; see `onnx.frame_graph`."""
    from realtime_bokeh.export.onnx import frame_graph

    with _quiet("torch.onnx"):
        graph: bytes = frame_graph(module).SerializeToString()
    return graph


def build_portable(
    trt: ModuleType, module: BokehFrame, graph: bytes, turing: bool = False
) -> bytes:
    """A serialized engine for GPUs of compute capability 8.0 and later.

    It is compiled to the end on the GPU where it is loaded, within seconds.

    Args:
        trt: the module tensorrt_rtx.
        module, graph: of `half_frame` and `portable_graph`.
        turing: for 7.5 as well.

    Raises:
        EngineError: when it cannot be built, or is not what was asked for.
    """
    builder = trt.Builder(trt.Logger(trt.Logger.ERROR))
    typed = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(typed)
    parser = trt.OnnxParser(network, builder.logger)
    if not parser.parse(graph):
        raise EngineError(f"TensorRT cannot read the graph ({parser.get_error(0)})")
    _check(trt, network, module)
    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # what is left in float32 is to be exact
    if turing:
        capabilities = (trt.ComputeCapability.SM75, *_later(trt))
        config.num_compute_capabilities = len(capabilities)
        for place, capability in enumerate(capabilities):
            config.set_compute_capability(capability, place)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise EngineError("TensorRT cannot build an engine from the graph")
    return bytes(memoryview(engine))


def _later(trt: ModuleType) -> tuple[Any, ...]:
    members: dict[str, Any] = trt.ComputeCapability.__members__
    return tuple(c for name, c in members.items() if name.startswith("SM") and name != "SM75")


def _check(trt: ModuleType, network: Any, module: BokehFrame) -> None:
    """Compare a parsed graph's inputs, outputs and precision with what they must be.

    Raises:
        EngineError: when they are not what the module says.
    """
    frame, state, controls = (tuple(value.shape) for value in module.blank_inputs())
    expected = {
        "frame": (trt.uint8, frame),
        "state": (trt.float32, state),
        "controls": (trt.float32, controls),
        "rendering": (trt.uint8, frame),
        "next_state": (trt.float32, state),
    }
    ends = [network.get_input(i) for i in range(network.num_inputs)]
    ends += [network.get_output(i) for i in range(network.num_outputs)]
    found = {tensor.name: (tensor.dtype, tuple(tensor.shape)) for tensor in ends}
    if found != expected:
        raise EngineError(f"The graph's ends are {found}, not {expected}")
    kinds = (trt.LayerType.CONVOLUTION, trt.LayerType.DECONVOLUTION)
    layers = (network.get_layer(i) for i in range(network.num_layers))
    half = sum(x.type in kinds and x.get_output(0).dtype == trt.float16 for x in layers)
    wanted = sum(isinstance(part, _CONVOLUTIONS) for part in module.core.network.modules())
    if half != wanted:
        raise EngineError(f"{half} of the network's {wanted} convolutions are in float16")


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """A context in which a library logs only critical errors; the rest is for its developers.

    name: of the library's logger.
    """
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
