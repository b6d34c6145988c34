"""Commands that write the network for other runtimes: TFLite (LiteRT) and ONNX."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from realtime_bokeh.app.display import console, libraries_silenced, work_progress
from realtime_bokeh.app.options import option
from realtime_bokeh.errors import EngineError, UsageError
from realtime_bokeh.extras import install_hint
from realtime_bokeh.files import check_output
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size, parse_size
from realtime_bokeh.weights import Model, find

_PICTURES = 24
_FRAME = Size(720, 1280)
Command = TypeVar("Command", bound=Callable[..., None])


@click.group(invoke_without_command=True)
@click.pass_context
def export(context: click.Context) -> None:
    """Write the network for phones and other runtimes."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _options_of_both(size_help: str) -> Callable[[Command], Command]:
    """The options that every format has."""

    def decorate(function: Command) -> Command:
        added = (
            option("model", "lite"),
            click.option("--frame/--core", "whole_frame", default=False,
                         help="The whole frame, or (default) the network's part alone, around "
                         "which the app shrinks and recomposes"),
            click.option("--size", "size_text", metavar="WxH", help=size_help),
            click.option("--pictures", metavar="FOLDER", type=click.Path(path_type=Path),
                         help="Photos to compare on, and to calibrate int8 (default: the "
                         "built-in scene)"),
        )  # fmt: skip
        for add in reversed(added):
            function = add(function)
        return function

    return decorate


@export.command()
@click.argument("target", metavar="OUT.tflite", type=click.Path(path_type=Path))
@_options_of_both("of the network's image, or of the frames with --frame (default: 1280x720)")
@click.option("--precision", metavar="NAME", default="int8", show_default=True,
              help="f32, f16, int8, or int8-float-io, which takes float32 images")  # fmt: skip
def tflite(
    target: Path,
    model: str,
    whole_frame: bool,
    size_text: str | None,
    pictures: Path | None,
    precision: str,
) -> None:
    """Write a model for LiteRT, on phones.

    It is compared with PyTorch before it is written.
    """
    check_output(target, "a TFLite model", (".tflite",))
    found = find(model)
    size = _size(size_text, found, whole_frame)
    need("litert_torch", "ai_edge_quantizer", "ai_edge_litert")
    from realtime_bokeh.export import tflite as writer

    spec = writer.TfliteSpec(found, size, precision, whole_frame)
    with work_progress(f"Converting {model} to TFLite, {precision}") as begin:
        begin()
        images = [image[:, :, ::-1].copy() for image in load_images(pictures, spec.seen)]
        with libraries_silenced():
            said = writer.export(spec, target, images)
    console.print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, {said}")


@export.command()
@click.argument("target", metavar="OUT.onnx", type=click.Path(path_type=Path))
@_options_of_both("of the frames with --frame (default: 1280x720); the core takes any size")
def onnx(
    target: Path, model: str, whole_frame: bool, size_text: str | None, pictures: Path | None
) -> None:
    """Write a graph for ONNX Runtime and others, in f32.

    It is compared with PyTorch before it is written.
    """
    check_output(target, "an ONNX graph", (".onnx",))
    if size_text is not None and not whole_frame:
        raise UsageError("--size is for --frame; the core's graph takes any multiple of 16")
    found = find(model)
    size = _size(size_text, found, whole_frame)
    need("onnx", "onnxscript", "onnxruntime")
    from realtime_bokeh.export import onnx as writer

    with work_progress(f"Writing {model} as ONNX") as begin:
        begin()
        images = load_images(pictures, size if whole_frame else found.seen_size)
        with libraries_silenced():
            said = writer.export(found, target, size if whole_frame else None, images)
    console.print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, {said}")


def _size(text: str | None, model: Model, whole_frame: bool) -> Size:
    if text is not None:
        return parse_size("--size", text, "1280x720" if whole_frame else "256x144")
    return _FRAME if whole_frame else model.inference_size


def need(*modules: str) -> None:
    """Refuse to go on without modules of the extra [export].

    Raises:
        EngineError: naming those that are missing, and what installs them.
    """
    from realtime_bokeh.engines.hardware import installed

    missing = [module for module in ("torch", *modules) if not installed(module)]
    if missing:
        raise EngineError(f"This needs {', '.join(missing)}; {install_hint('export')}")


def load_images(folder: Path | None, size: Size) -> list[Image]:
    """Photos of a folder, or frames of the built-in scene: uint8 [h, w, 3] BGR of one size.

    Raises:
        UsageError: when the folder is none, has no photos, or one cannot be read.
    """
    from realtime_bokeh.sources import demo
    from realtime_bokeh.stills import photos_in, read_still

    if folder is None:
        return demo.images(size, _PICTURES)
    import cv2
    import numpy as np

    if not folder.is_dir():
        raise UsageError(f"--pictures {folder} is not a folder")
    photos = [read_still(path).image for path in photos_in(folder)[:_PICTURES]]
    shape = size[::-1]
    return [np.asarray(cv2.resize(p, shape, interpolation=cv2.INTER_AREA)) for p in photos]
