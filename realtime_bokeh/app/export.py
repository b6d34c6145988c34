"""Subcommands that write the network for other runtimes: TFLite (LiteRT) and ONNX."""

from pathlib import Path
from typing import Annotated, Any

import typer

from realtime_bokeh.app.display import console, libraries_silenced, work_progress
from realtime_bokeh.errors import EngineError, UsageError
from realtime_bokeh.files import check_output
from realtime_bokeh.sizes import Size, parse_size

Option = typer.Option
export_app = typer.Typer(help="Write the network for phones and other runtimes.")

_PICTURES = 24
Model = Annotated[str, Option(metavar="NAME", help="lite, dmshn, stacked or an imported one")]
Whole = Annotated[
    bool,
    Option("--frame/--core", help="The whole frame, or the network's part: the app does the rest"),
]
Pictures = Annotated[
    Path | None,
    Option(metavar="FOLDER", help="Photos to compare on, and to calibrate int8; "
           "else the built-in scene")
]  # fmt: skip


@export_app.callback(no_args_is_help=True)
def export() -> None:
    pass


@export_app.command()
def tflite(
    target: Annotated[Path, typer.Argument(metavar="OUT.tflite")],
    model: Model = "lite",
    size: Annotated[
        str | None, Option(metavar="WxH", help="Of the network's picture, or of the frames")
    ] = None,
    precision: Annotated[
        str, Option(metavar="NAME", help="f32, f16, int8, int8-float-io")
    ] = "int8",
    whole: Whole = False,
    pictures: Pictures = None,
) -> None:
    """A model for LiteRT, compared with PyTorch before it is written."""
    check_output(target, "a TFLite model", (".tflite",))
    _need("litert_torch", "ai_edge_quantizer", "ai_edge_litert")
    from realtime_bokeh import weights
    from realtime_bokeh.export import tflite as writer

    found = weights.find(model)
    spec = writer.TfliteSpec(found, _size(size, found, whole), precision, whole)
    with work_progress(f"Converting {model} to TFLite, {precision}") as begin:
        begin()
        frames = [picture[:, :, ::-1].copy() for picture in _load(pictures, spec.size)]
        with libraries_silenced():
            said = writer.export(spec, target, frames)
    console.print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, {said}")


@export_app.command()
def onnx(
    target: Annotated[Path, typer.Argument(metavar="OUT.onnx")],
    model: Model = "lite",
    size: Annotated[
        str | None, Option(metavar="WxH", help="Of the frames; the core takes any size")
    ] = None,
    whole: Whole = False,
    pictures: Pictures = None,
) -> None:
    """A graph for ONNX Runtime and others, in float32, compared before it is written."""
    check_output(target, "an ONNX graph", (".onnx",))
    if size is not None and not whole:
        raise UsageError("--size is for --frame; the core's graph takes any multiple of 16")
    _need("onnx", "onnxscript", "onnxruntime")
    from realtime_bokeh import weights
    from realtime_bokeh.export import onnx as writer

    found = weights.find(model)
    shape = _size(size, found, whole)
    with work_progress(f"Writing {model} as ONNX") as begin:
        begin()
        shown = _load(pictures, shape)
        with libraries_silenced():
            said = writer.export(found, target, shape if whole else None, shown)
    console.print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, {said}")


def _size(text: str | None, model: Any, whole: bool) -> Size:
    if text is not None:
        return parse_size("--size", text, "1280x720" if whole else "256x144")
    return Size(720, 1280) if whole else model.inference_size


def _need(*modules: str) -> None:
    from realtime_bokeh.engines.hardware import installed

    missing = [module for module in ("torch", *modules) if not installed(module)]
    if missing:
        line = 'pip install "realtime-bokeh[export]"'
        raise EngineError(f"Exporting needs {', '.join(missing)}; {line}")


def _load(folder: Path | None, size: Size) -> list[Any]:
    """Photos of a folder, or frames of the built-in scene, uint8 [h, w, 3] BGR of a size."""
    from realtime_bokeh.sources.demo import Demo
    from realtime_bokeh.stills import photos_in, read_still

    if folder is None:
        scene = Demo(size, live=False)
        return [f.image for f in (scene.read() for _ in range(_PICTURES)) if f is not None]
    import cv2

    if not folder.is_dir():
        raise UsageError(f"--pictures {folder} is not a folder")
    photos = photos_in(folder)[:_PICTURES]
    shape = size[::-1]
    return [cv2.resize(read_still(p).image, shape, interpolation=cv2.INTER_AREA) for p in photos]
