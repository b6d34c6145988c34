"""TFLite models for phones; LiteRT is the present name of what runs them.

litert-torch converts the network exactly, ai-edge-quantizer makes it smaller: float16 weights, or
int8 inside the network, with scales per channel found on pictures. What was made is loaded again
and compared with PyTorch, and is not written unless it matches.
"""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from realtime_bokeh import __version__
from realtime_bokeh.errors import EngineError, UsageError, one_line
from realtime_bokeh.export import Tensors
from realtime_bokeh.export.compare import compare, in_torch
from realtime_bokeh.export.litert import METADATA, Interpreter
from realtime_bokeh.files import write_atomically
from realtime_bokeh.frame import Image
from realtime_bokeh.network.load import load_core
from realtime_bokeh.network.phone import PhoneCore, PhoneFrame, PhoneNetwork, integer_ratio
from realtime_bokeh.recompose import Recomposer
from realtime_bokeh.sizes import MULTIPLE, Size, check_size
from realtime_bokeh.weights import WEIGHTS, Model

PRECISIONS = ("f32", "f16", "int8", "int8-float-io")
_QUANTIZED = ".*DMSHN_network.*"  # the temporal filter and the aperture stay in float
_LEAST_PSNR = 40.0  # of int8 against PyTorch, after recomposition, in the median


@dataclass(frozen=True)
class TfliteSpec:
    """What a TFLite model shall be, and what its inputs and outputs mean.

    size: at which the network renders, or of the frames if `whole_frame`.
    precision: one of PRECISIONS.
    whole_frame: with shrinking and recomposition, instead of the core.

    Raises:
        UsageError: for an unknown precision, or a size that is none or does not divide.
    """

    model: Model
    size: Size
    precision: str
    whole_frame: bool = False

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UsageError(
                f"--precision {self.precision!r} is unknown; choose {', '.join(PRECISIONS)}"
            )
        self._check_size()

    def _check_size(self) -> None:
        check_size("size", self.size)
        if self.whole_frame and self.ratio is None:
            raise UsageError(
                f"Frames of {self.size} do not divide: both sides must be multiples of "
                f"{MULTIPLE} times a whole number, as 1280x720 are; crop them, or use --core"
            )
        if not self.whole_frame and any(side % MULTIPLE for side in self.size):
            near = Size(*(max(1, round(side / MULTIPLE)) * MULTIPLE for side in self.size))
            raise UsageError(f"--size {self.size} does not divide by {MULTIPLE}; take {near}")

    @property
    def ratio(self) -> int | None:
        """Of the frame to what the network renders."""
        return integer_ratio(self.size, self.model.inference_size.area) if self.whole_frame else 1

    @property
    def small(self) -> Size:
        """At which the network renders."""
        ratio = self.ratio or 1
        return Size(self.size.height // ratio, self.size.width // ratio)

    @property
    def seen(self) -> Size:
        """Of the pictures that go in."""
        finer = 1 if self.whole_frame else self.model.finer
        return self.size.times(finer)

    @property
    def picture(self) -> str:
        """The name of the input that is a picture."""
        return "frame" if self.whole_frame else "small"

    @property
    def float_io(self) -> bool:
        return self.precision == "int8-float-io"

    def module(self, rearranged: bool = False) -> nn.Module:
        """In PyTorch; see `network.phone`. Rearranged: as it is converted, with `PhoneNetwork`."""
        model = self.model
        core = load_core(model.file(WEIGHTS), model.form)
        if rearranged:
            core.network = PhoneNetwork(core.network, model.focus_head)
        if self.whole_frame:
            return PhoneFrame(core, self.ratio or 1, self.float_io).eval()
        return PhoneCore(core, self.float_io).eval()

    def inputs(self, picture: Image, state: NDArray[Any] | None = None) -> Tensors:
        """For a picture, uint8 RGB of `seen`, at full strength."""
        levels = picture.astype(np.float32) / 255 if self.float_io else picture
        if state is None:
            state = np.zeros((1, *self.small, 8), np.float32)
        controls = np.array([1.0, 0.5], np.float32)
        return {self.picture: levels[None], "state": state, "controls": controls}

    def shown(self, picture: Image, outputs: Tensors) -> NDArray[Any]:
        """What is seen in the end, uint8 [H, W, 3]."""
        name = "rendering" if self.whole_frame else "bokeh"
        levels: NDArray[Any] = outputs[name][0]
        if self.float_io:
            levels = np.round(levels * 255).astype(np.uint8)
        if self.whole_frame:
            return levels
        return Recomposer()(picture, levels, outputs["focus"][0, :, :, 0], self.size)

    def metadata(self) -> dict[str, Any]:
        values = "float32 in [0, 1]" if self.float_io else "uint8"
        return {
            "model": self.model.name, "version": __version__, "license": "MIT",
            "weights_sha256": self.model.sha256[WEIGHTS], "precision": self.precision,
            "form": "frame" if self.whole_frame else "core", "colour_order": "RGB",
            "values": values,
            "size": list(self.seen), "network_size": list(self.small),
            "state": {"shape": [1, *self.small, 8], "first": "zeros", "next": "next_state"},
            "controls": ["strength in [0, 1]", "smoothing in [0, 1]"],
        }  # fmt: skip


def convert(spec: TfliteSpec, rearranged: bool = True) -> bytes:
    """A float32 model; not rearranged, it has the network's own layers (see `TfliteSpec.module`).

    Raises:
        EngineError: when the converter fails.
    """
    import litert_torch

    module = spec.module(rearranged)
    blank = np.zeros((*spec.seen, 3), np.uint8)
    inputs = {name: torch.from_numpy(value) for name, value in spec.inputs(blank).items()}
    try:
        exported = torch.export.export(module, (), inputs)
        exported = exported.run_decompositions({torch.ops.aten.clamp.default: _clamp})
        converted = litert_torch.convert(exported.module(), sample_kwargs=inputs)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.tflite"
            converted.export(str(path))
            return path.read_bytes()
    except Exception as error:  # of many kinds
        said = one_line(error)
        raise EngineError(f"litert-torch cannot convert {spec.model.name} ({said})") from error


def _clamp(x: Tensor, low: float, high: float) -> Tensor:
    """To 0 to 1, without the operator RELU_0_TO_1, which XNNPACK leaves to the interpreter."""
    assert (low, high) == (0, 1)
    x = torch.relu(x)
    # not 1 - relu(1 - x), which litert-torch 0.10.0 folds wrongly into a convolution before it
    return x - torch.relu(x - 1)


def quantize(spec: TfliteSpec, content: bytes, pictures: list[Image]) -> bytes:
    """The model in the spec's precision; pictures, uint8 RGB as it sees, show int8 the ranges."""
    if spec.precision == "f32":
        return content
    from ai_edge_quantizer import qtyping, quantizer, recipe

    if spec.precision == "f16":
        half = qtyping.TensorQuantizationConfig(16, dtype=qtyping.TensorDataType.FLOAT)
        maker = quantizer.Quantizer(content)
        maker.update_quantization_recipe(
            ".*",
            qtyping.TFLOperationName.ALL_SUPPORTED,
            qtyping.OpQuantizationConfig(weight_tensor_config=half, explicit_dequantize=True),
            recipe.AlgorithmName.FLOAT_CASTING,
        )
        return bytes(maker.quantize().quantized_model)
    rules = recipe.static_wi8_ai8()
    rules[0]["regex"] = _QUANTIZED
    maker = quantizer.Quantizer(content, rules)
    ranges = maker.calibrate({"serving_default": [spec.inputs(p) for p in pictures]}, num_threads=1)
    return bytes(maker.quantize(ranges).quantized_model)


def describe(content: bytes, metadata: dict[str, Any]) -> bytes:
    """The model with metadata under METADATA."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(json.dumps(metadata).encode(), np.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(content) + 65_536)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def compare_with_pytorch(
    spec: TfliteSpec, content: bytes, module: nn.Module, pictures: list[Image]
) -> str:
    """Run a model beside PyTorch over pictures in order.

    Returns:
        How near they are, for the user.

    Raises:
        EngineError: when they are farther apart than the precision allows.
    """
    found = compare(spec, Interpreter(content), in_torch(module), pictures)
    said = found.sentence("PyTorch")
    matches = {
        "f32": found.levels <= 1 and found.floats <= 1e-4,
        "f16": found.levels <= 2,
    }.get(spec.precision, found.median_psnr >= _LEAST_PSNR)  # the worst may be without a subject
    if not matches:
        raise EngineError(f"The {spec.precision} model is only {said}; nothing was written")
    return said


def export(spec: TfliteSpec, target: Path, pictures: list[Image]) -> str:
    """Convert, quantize, describe, load again, compare with PyTorch and write.

    Args:
        pictures: uint8 RGB of `spec.seen`, frames in order; int8 is calibrated on them.

    Returns:
        How near the model is to PyTorch on the pictures, for the user.

    Raises:
        EngineError: when it cannot be converted or does not match; nothing is written then.
    """
    # described first: what ai-edge-quantizer 0.10.0 makes cannot be packed anew
    content = quantize(spec, describe(convert(spec), spec.metadata()), pictures)
    said = compare_with_pytorch(spec, content, spec.module(), pictures)
    write_atomically(target, content)
    return said
