"""An int8 graph for imported weights, as the shipped models have: on CPUs twice as fast or more."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import onnx

from realtime_bokeh.architectures import Form
from realtime_bokeh.checkpoints import model_folder
from realtime_bokeh.errors import EngineError, UsageError, one_line
from realtime_bokeh.export.compare import compare
from realtime_bokeh.export.onnx import OnnxInterface, core_graph, quantize, share_weights
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size
from realtime_bokeh.weights import GRAPHS, WEIGHTS, Model, find, save_manifest

_LEAST_PSNR = 35.0  # dB of int8 against f32, after recomposition, in the median


def int8_graph(weights: Path, form: Form, pictures: Sequence[Image]) -> onnx.ModelProto:
    """The graph of a network in int8, naming its weights file.

    Args:
        weights: a safetensors file in float16.
        pictures: uint8 [h, w, 3] BGR as the network sees them, by which the ranges of values are
            found.

    Raises:
        ValueError: when the file's weights do not come out as they were quantized.
    """
    quantized = quantize(core_graph(weights, form), list(pictures), form.finer)
    return share_weights(quantized, weights)


def quantize_model(model: Model, pictures: Sequence[Image]) -> tuple[Model, str]:
    """Give an imported model an int8 graph, compared with its f32 graph before it is kept.

    Args:
        pictures: uint8 BGR of the size that the model sees, frames in order; the more they are
            like those that it will see, the better.

    Returns:
        The model with the graph, and how near that is to f32 on the pictures, for the user.

    Raises:
        UsageError: for a shipped model, which has one, and for pictures that do not fit.
        EngineError: when it cannot be quantized or is not near enough; nothing is changed then.
        WeightsError: when the model is damaged, or the graph cannot be written; likewise.
    """
    if model.shipped:
        raise UsageError(f"{model.name!r} is a shipped model and has an int8 graph already")
    size = model.inference_size
    if not pictures or any(Size.of(picture) != model.seen_size for picture in pictures):
        raise UsageError(f"Give pictures of {model.seen_size}, as {model.name} sees them")
    originals = [model.file(name) for name in (WEIGHTS, GRAPHS["f32"])]
    try:
        graph = int8_graph(originals[0], model.form, pictures)
    except Exception as error:  # of many kinds: the tracer's, NNCF's, ours
        raise EngineError(f"{model.name} cannot be quantized ({one_line(error)})") from error
    with model_folder(model.name) as folder:
        for original in originals:
            shutil.copyfile(original, folder / original.name)
        (folder / GRAPHS["int8"]).write_bytes(graph.SerializeToString())
        interface = OnnxInterface(size, size)
        quantized, full = (interface.run(folder / GRAPHS[p]) for p in ("int8", "f32"))
        found = compare(interface, quantized, full, pictures)
        said = found.sentence("f32")
        if found.median_psnr < _LEAST_PSNR:
            raise EngineError(f"{model.name} in int8 is only {said}; nothing was written")
        save_manifest(model, folder)
    return find(model.name), said
