"""BokehCore as an ONNX graph that names a safetensors file as its external data, and BokehFrame.

One weights file then serves every runtime: the graph itself is a few hundred kilobytes. The int8
graph quantizes the same half-precision weights when it is loaded, by scales that post-training
quantization (NNCF) found.
"""

import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from safetensors.torch import load_file

from realtime_bokeh import telemetry
from realtime_bokeh.architectures import Form
from realtime_bokeh.errors import EngineError
from realtime_bokeh.export import Tensors
from realtime_bokeh.export.compare import Run, compare, in_torch
from realtime_bokeh.files import write_atomically
from realtime_bokeh.frame import Image
from realtime_bokeh.network.core import BokehFrame, first_state
from realtime_bokeh.network.dmshn import STRIDE
from realtime_bokeh.network.load import load_core
from realtime_bokeh.network.temporal import STATE_CHANNELS
from realtime_bokeh.recompose import Recomposer
from realtime_bokeh.sizes import Size, check_size, content_size, padded_size
from realtime_bokeh.weights import WEIGHTS, Model

_CORE_OUTPUTS = ["bokeh", "focus", "next_state"]
_FRAME_OUTPUTS = ["rendering", "next_state"]
_PREFIX = "network."  # of BokehCore's parameters
# the convolution that sees the picture, whose highlights a range would cut off, and the last one
_IN_FLOAT = ("encoder_lv1.layer1", "decoder_lv1.layer24")
_TYPES = {"F16": onnx.TensorProto.FLOAT16, "F32": onnx.TensorProto.FLOAT}


def core_graph(weights: Path, form: Form) -> onnx.ModelProto:
    """Trace BokehCore with weights from a safetensors file; float32, any multiple of 16."""
    core = load_core(weights, form)
    size = Size(144, 256)
    small = torch.zeros(1, *size.times(core.finer), 3, dtype=torch.uint8)
    inputs = (small, first_state(size), torch.ones(2))
    strides = [torch.export.Dim(name, min=1, max=4096) for name in ("h16", "w16")]
    h, w = (STRIDE * stride for stride in strides)
    seen_h, seen_w = (core.finer * STRIDE * stride for stride in strides)
    shapes = ({1: seen_h, 2: seen_w}, {2: h, 3: w}, None)
    return _trace(core, inputs, "small", _CORE_OUTPUTS, shapes)


def frame_graph(frame: BokehFrame) -> onnx.ModelProto:
    """Trace BokehFrame, weights included; static shapes, uint8 frames at its ends."""
    return _trace(frame.eval(), frame.blank_inputs(), "frame", _FRAME_OUTPUTS)


def _trace(
    module: torch.nn.Module,
    inputs: tuple[torch.Tensor, ...],
    picture: str,
    outputs: list[str],
    dynamic_shapes: Any = None,
) -> onnx.ModelProto:
    """A module's graph; its inputs are named `picture`, state and controls."""
    program = torch.onnx.export(
        module,
        inputs,
        dynamo=True,
        opset_version=18,
        input_names=[picture, "state", "controls"],
        output_names=outputs,
        dynamic_shapes=dynamic_shapes,
        verbose=False,
    )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


def quantize(graph: onnx.ModelProto, images: list[NDArray[Any]], finer: int) -> onnx.ModelProto:
    """Insert int8 quantization into the network's part of a graph, calibrated on pictures.

    The first and the last convolutions of the finest level stay in float32, and biases are
    corrected layer by layer. A range goes from the mean of the pictures' least values to that of
    their largest: one that took in every value would be too coarse for the first half of stacked,
    whose rendering is all that the second sees.

    Args:
        graph: of `core_graph`.
        images: uint8 [h, w, 3] BGR, h and w multiples of 16, `finer` times as large as the network
            renders.
        finer: of the network's form.
    """
    telemetry.refuse()
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    def inputs(image: NDArray[Any]) -> dict[str, NDArray[Any]]:
        rendered = (side // finer for side in image.shape[:2])
        state = np.zeros((1, STATE_CHANNELS, *rendered), np.float32)
        return {"small": image[None], "state": state, "controls": np.ones(2, np.float32)}

    in_float = [n.name for n in graph.graph.node if not _quantizable(n)]
    quantized: onnx.ModelProto = nncf.quantize(
        graph,
        nncf.Dataset(images, inputs),
        preset=nncf.QuantizationPreset.MIXED,
        target_device=nncf.TargetDevice.CPU,
        subset_size=len(images),
        fast_bias_correction=False,
        ignored_scope=nncf.IgnoredScope(names=in_float, validate=False),
        advanced_parameters=AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.MEAN_MINMAX
        ),
    )
    _centre(quantized)
    return quantized


def _centre(graph: onnx.ModelProto) -> None:
    """Give what goes into transposed convolutions ranges around 0, wide enough for what they held.

    OpenVINO computes a transposed convolution in int8 only where the zero point is 0.
    """
    made = {output: node for node in graph.graph.node for output in node.output}
    stored = {initializer.name: initializer for initializer in graph.graph.initializer}
    for node in graph.graph.node:
        if node.op_type == "ConvTranspose":
            _, scale, zero = made[node.input[0]].input
            step, offset = (numpy_helper.to_array(stored[name]) for name in (scale, zero))
            wider = step * max(1 + offset / 128, 1 - offset / 127)
            for name, value in ((scale, wider.astype(step.dtype)), (zero, np.zeros_like(offset))):
                stored[name].CopyFrom(numpy_helper.from_array(value, name))


def _quantizable(node: onnx.NodeProto) -> bool:
    """Whether a node lies inside the network, but is not one of its convolutions in float32."""
    scopes = {p.key: p.value for p in node.metadata_props}.get("pkg.torch.onnx.name_scopes", "")
    halves = ("", "net1.", "net2.")
    kept = any(f"'network.{half}{name}'" in scopes for half in halves for name in _IN_FLOAT)
    return "'network" in scopes and not kept


def share_weights(graph: onnx.ModelProto, weights: Path) -> onnx.ModelProto:
    """Replace every parameter in a graph by a reference into a safetensors file beside it.

    Half-precision parameters are cast to float32, and quantized ones quantized, in the graph, which
    runtimes fold into constants when they load it.

    Raises:
        ValueError: when a quantized parameter would not come out as it was.
    """
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    stored = load_file(str(weights))
    initializers, nodes, used = [], [], set()
    scales = {
        i.name: numpy_helper.to_array(i) for i in graph.graph.initializer if "scale" in i.name
    }
    for initializer in graph.graph.initializer:
        quantized = re.fullmatch(r"q_output_(.+\.weight)_\d+", initializer.name)
        source = quantized[1] if quantized else initializer.name
        name = source.removeprefix(_PREFIX)
        if not source.startswith(_PREFIX) or name not in header:
            initializers.append(initializer)
            continue
        if not quantized and not np.array_equal(
            numpy_helper.to_array(initializer), stored[name].float().numpy()
        ):
            initializers.append(initializer)  # a bias that quantization corrected
            continue
        float_name = f"{name}.float32"
        if name not in used:
            initializers.append(_external(name, header[name], 8 + length, weights.name))
            nodes.append(helper.make_node("Cast", [name], [float_name], to=onnx.TensorProto.FLOAT))
            used.add(name)
        if quantized:
            suffix = initializer.name.removeprefix("q_output_")
            scale, zero = f"scale_{suffix}", f"zero_point_{suffix}"
            axis = _channel_axis(graph, initializer.name)
            nodes.append(
                helper.make_node(
                    "QuantizeLinear", [float_name, scale, zero], [initializer.name], axis=axis
                )
            )
            shape = [1] * stored[name].ndim
            shape[axis] = -1
            ours = np.round(stored[name].float().numpy() / scales[scale].reshape(shape))
            if np.abs(np.clip(ours, -128, 127) - numpy_helper.to_array(initializer)).max() > 1:
                raise ValueError(f"{name} does not quantize to what the graph holds")
        else:
            for node in graph.graph.node:
                for i, value in enumerate(node.input):
                    if value == source:
                        node.input[i] = float_name
    del graph.graph.initializer[:]
    graph.graph.initializer.extend(initializers)
    body = list(graph.graph.node)
    del graph.graph.node[:]
    graph.graph.node.extend(nodes + body)
    for node in graph.graph.node:  # the notes of PyTorch's exporter are as large as the graph
        del node.metadata_props[:]
    del graph.graph.value_info[:]
    return graph


def _channel_axis(graph: onnx.ModelProto, name: str) -> int:
    for node in graph.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] == name:
            return int(next(a.i for a in node.attribute if a.name == "axis"))
    raise ValueError(f"{name} is not dequantized anywhere")


def _external(name: str, entry: dict[str, Any], start: int, file: str) -> onnx.TensorProto:
    begin, end = entry["data_offsets"]
    tensor = onnx.TensorProto(name=name, data_type=_TYPES[entry["dtype"]], dims=entry["shape"])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", file), ("offset", start + begin), ("length", end - begin)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


@dataclass(frozen=True)
class OnnxInterface:
    """The inputs and outputs of `core_graph`, or of `frame_graph`.

    size: of the network's rendering, or of the frames.
    state_size: of the network's rendering, both sides multiples of 16.
    whole_frame: whether frames go in and come out.
    """

    size: Size
    state_size: Size
    whole_frame: bool = False

    @property
    def outputs(self) -> list[str]:
        return _FRAME_OUTPUTS if self.whole_frame else _CORE_OUTPUTS

    def inputs(self, picture: Image, state: NDArray[Any] | None = None) -> Tensors:
        """For a picture, uint8 BGR, as the network sees it or a frame, at full strength."""
        if state is None:
            state = np.zeros((1, STATE_CHANNELS, *self.state_size), np.float32)
        name = "frame" if self.whole_frame else "small"
        return {name: picture[None], "state": state, "controls": np.array([1, 0.5], np.float32)}

    def shown(self, picture: Image, outputs: Tensors) -> NDArray[Any]:
        if self.whole_frame:
            rendering: NDArray[Any] = outputs["rendering"][0]
            return rendering
        focus = outputs["focus"][0, :, :, 0]
        return Recomposer()(picture, outputs["bokeh"][0], focus, self.size)

    def run(self, graph: bytes | Path) -> Run:
        """A graph as ONNX Runtime runs it; by its path, it finds its weights beside it."""
        import onnxruntime

        source = str(graph) if isinstance(graph, Path) else graph
        session = onnxruntime.InferenceSession(source)
        outputs = self.outputs
        return lambda inputs: dict(zip(outputs, session.run(outputs, inputs), strict=True))


def export(model: Model, target: Path, frame: Size | None, pictures: list[Image]) -> str:
    """Write a model as one ONNX file in float32, weights included, for any runtime.

    Args:
        frame: the size of frames for BokehFrame; None for BokehCore of any multiple of 16.
        pictures: uint8 BGR, frames in order, of the frames' size or as the network sees them.

    Returns:
        How near ONNX Runtime is to PyTorch on the pictures, for the user.

    Raises:
        UsageError: for a size of frames that is none.
        EngineError: when it is not near enough; nothing is left then.
        SinkError: when it cannot be written; likewise.
    """
    core = load_core(model.file(WEIGHTS), model.form)
    if frame is None:
        graph = core_graph(model.file(WEIGHTS), model.form)
        module: torch.nn.Module = core
        size = Size(*(side // model.finer for side in Size.of(pictures[0])))
        interface = OnnxInterface(size, size)
    else:
        frame = check_size("frame", frame)
        content = content_size(frame, model.inference_size)
        module = BokehFrame(core, frame, content).eval()
        graph = frame_graph(module)
        interface = OnnxInterface(frame, padded_size(content), whole_frame=True)
    for node in graph.graph.node:  # the exporter's notes name files of this machine
        del node.metadata_props[:]
    onnx.checker.check_model(graph, full_check=True)
    serialized = graph.SerializeToString()
    reference = in_torch(module, interface.outputs)
    found = compare(interface, interface.run(serialized), reference, pictures)
    said = found.sentence("PyTorch")
    if found.levels > 2:
        raise EngineError(f"The graph is only {said}; nothing was written")
    write_atomically(target, serialized)
    return said
