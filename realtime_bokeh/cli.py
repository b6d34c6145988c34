"""The command line: the only place where the parts are put together."""

import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table

from realtime_bokeh import __version__
from realtime_bokeh.config import Settings, load_settings
from realtime_bokeh.display import (
    console,
    download_progress,
    frame_progress,
    live_status,
    status_line,
)
from realtime_bokeh.errors import BokehError, UsageError

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
weights_app = typer.Typer(help="List, import and fetch trained weights.")
app.add_typer(weights_app, name="weights")

Option = typer.Option
Model = Annotated[
    str | None, Option(metavar="NAME", help="lite, dmshn, stacked or an imported one")
]
Stacked = Annotated[bool, Option("--stacked", help="Same as --model stacked")]
EngineName = Annotated[str | None, Option(metavar="NAME", help="auto, openvino, pytorch, tensorrt")]
Device = Annotated[str | None, Option(metavar="NAME", help="CPU, GPU, NPU; cpu, cuda, mps")]
Precision = Annotated[str | None, Option(metavar="NAME", help="f32 or int8")]
SizeText = Annotated[str | None, Option(metavar="WxH", help="Picture size asked of the camera")]
Fps = Annotated[float | None, Option(metavar="N", help="Frames a second asked of the camera")]
Inference = Annotated[str | None, Option(metavar="HxW|full", help="Size at which the network runs")]
Strength = Annotated[float | None, Option(metavar="0..1", help="How strong the blur is")]
Smoothing = Annotated[float | None, Option(metavar="0..1", help="How steady it is in time")]
Mirror = Annotated[bool | None, Option("--mirror", help="Flip left and right")]
Config = Annotated[Path | None, Option(metavar="FILE.toml", help="Options from a profile")]


def _settings(config: Path | None, stacked: bool, **flags: Any) -> Settings:
    if stacked:
        if flags["model"] not in (None, "stacked"):
            raise UsageError(f"--stacked and --model {flags['model']} exclude each other")
        flags["model"] = "stacked"
    return load_settings(config, flags)


def _effect(settings: Settings) -> tuple[Callable[[Any], Any], Any, str]:
    """The function from image to image, the engine in it, and the line that describes it."""
    from realtime_bokeh import weights
    from realtime_bokeh.engines import Controls, open_engine

    model = weights.find(settings.model)
    opened = open_engine(
        model, settings.engine, settings.inference_size, settings.device, settings.precision
    )
    controls = Controls(settings.strength, settings.smoothing)

    def effect(image: Any) -> Any:
        if settings.mirror:
            image = image[:, ::-1].copy()
        return opened.engine(image, controls)

    return effect, opened.engine, opened.reason


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"realtime-bokeh {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def live(
    context: typer.Context,
    camera: Annotated[
        str | None, Option(metavar="CAMERA", help="Index, /dev path or by-id name; or: demo")
    ] = None,
    output: Annotated[
        str | None, Option(metavar="FILE", help="A video file instead of the virtual webcam; "
                           "none to measure; - for raw frames")
    ] = None,
    preview: Annotated[bool, Option("--preview", help="Show a window too")] = False,
    model: Model = None, stacked: Stacked = False, engine: EngineName = None,
    device: Device = None, precision: Precision = None, size: SizeText = None, fps: Fps = None,
    inference_size: Inference = None, strength: Strength = None, smoothing: Smoothing = None,
    mirror: Mirror = None, config: Config = None,
    verbose: Annotated[bool, Option("--verbose", help="Show tracebacks")] = False,
    version: Annotated[
        bool, Option("--version", callback=_print_version, is_eager=True, help="Show the version")
    ] = False,
) -> None:  # fmt: skip
    """Photographic background blur, live: a camera goes in, a virtual webcam comes out."""
    if context.invoked_subcommand is not None:
        if camera is not None or output is not None:
            raise UsageError(f"--camera and --output do not go with {context.invoked_subcommand}")
        return
    if camera is None:
        print(context.get_help())
        raise typer.Exit
    settings = _settings(
        config, stacked, model=model, engine=engine, device=device, precision=precision,
        size=size, fps=fps, inference_size=inference_size, strength=strength,
        smoothing=smoothing, mirror=mirror,
    )  # fmt: skip
    _run_live(settings, camera, output, preview)


def _open_source(camera: str, settings: Settings) -> Any:
    size = settings.size and (settings.size[1], settings.size[0])
    if camera == "demo":
        from realtime_bokeh.sources.demo import Demo

        return Demo(size or (480, 640), settings.fps or 30.0)
    from realtime_bokeh.sources.camera import Camera

    return Camera(camera, size, settings.fps)


def _open_sinks(output: str | None, preview: bool, source: Any) -> list[Any]:
    from realtime_bokeh import sinks

    opened: list[Any] = []
    if preview:
        from realtime_bokeh.sinks.preview import Preview

        opened.append(Preview())
    if output is None:
        from realtime_bokeh.sinks.virtual_camera import VirtualCamera

        opened.append(VirtualCamera(source.size, source.fps))
    elif output == "-":
        from realtime_bokeh.sinks.raw import RawFrames

        opened.append(RawFrames())
    elif output == "none":
        opened.append(sinks.Null())
    else:
        from realtime_bokeh.sinks.video import VideoFile

        opened.append(VideoFile(Path(output), source.size, source.fps))
    return opened


def _run_live(settings: Settings, camera: str, output: str | None, preview: bool) -> None:
    from realtime_bokeh.card import holding_card
    from realtime_bokeh.metrics import Metrics
    from realtime_bokeh.pipeline import Pipeline, Stopped

    effect, _, reason = _effect(settings)
    source = _open_source(camera, settings)
    try:
        sinks = _open_sinks(output, preview, source)
    except BaseException:
        source.close()
        raise
    console.print(source.describe())
    console.print(f"to {', '.join(sink.describe() for sink in sinks)}")
    console.print(reason)
    metrics = Metrics()
    card = holding_card(source.size, "Realtime Bokeh: no picture yet")
    pipeline = Pipeline(source, effect, sinks, metrics, card)
    begin = time.monotonic()
    short = reason.split(" (")[0]
    try:
        with live_status(lambda: status_line(metrics, pipeline.dropped, short)) as tick:
            pipeline.run(tick)
    except (KeyboardInterrupt, Stopped):
        pass  # the way to end it
    seconds = time.monotonic() - begin
    console.print(
        f"{metrics.count('emit')} frames in {seconds:.1f} s; "
        + status_line(metrics, pipeline.dropped, short)
    )


@app.command()
def render(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Video, photo or folder of photos")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File, or folder for a folder")],
    model: Model = None, stacked: Stacked = False, engine: EngineName = None,
    device: Device = None, precision: Precision = None, inference_size: Inference = None,
    strength: Strength = None, smoothing: Smoothing = None, mirror: Mirror = None,
    config: Config = None,
) -> None:  # fmt: skip
    """Render a video, a photo or a folder of photos."""
    from realtime_bokeh.stills import is_still

    settings = _settings(
        config, stacked, model=model, engine=engine, device=device, precision=precision,
        inference_size=inference_size, strength=strength, smoothing=smoothing, mirror=mirror,
    )  # fmt: skip
    if not source.exists():
        raise UsageError(f"{source} does not exist")
    if target.exists() and source.samefile(target):
        raise UsageError(f"IN and OUT are the same ({source}); give another name for OUT")
    if source.is_dir():
        _render_folder(settings, source, target)
    elif is_still(source):
        _render_stills(settings, [(source, target)])
    else:
        _render_video(settings, source, target)


def _render_folder(settings: Settings, source: Path, target: Path) -> None:
    from realtime_bokeh.stills import is_still

    photos = sorted(p for p in source.iterdir() if p.is_file() and is_still(p))
    if not photos:
        raise UsageError(f"There are no photos (.jpg, .png, .webp) in {source}")
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{target} cannot be made a folder ({error.strerror})") from error
    _render_stills(settings, [(photo, target / photo.name) for photo in photos])


def _render_stills(settings: Settings, photos: list[tuple[Path, Path]]) -> None:
    from realtime_bokeh.files import check_output
    from realtime_bokeh.stills import FORMATS, read_still, write_still

    for _, target in photos:
        check_output(target, FORMATS)
    settings = replace(settings, smoothing=0)  # photos have no past
    effect, engine, reason = _effect(settings)
    console.print(reason)
    failures: list[BokehError] = []
    with frame_progress("Rendering", len(photos)) as tick:
        for source, target in photos:
            try:
                still = read_still(source)
                engine.reset()
                write_still(target, effect(still.image), still)
            except BokehError as error:
                if len(photos) == 1:
                    raise
                console.print(f"{error}", markup=False)
                failures.append(error)
            tick()
    if failures:
        raise BokehError(f"{len(failures)} of {len(photos)} photos could not be rendered")


def _render_video(settings: Settings, path: Path, target: Path) -> None:
    from realtime_bokeh.files import check_output
    from realtime_bokeh.sinks.video import FORMATS
    from realtime_bokeh.sinks.video import VideoFile as Writer
    from realtime_bokeh.sources.video import VideoFile

    check_output(target, FORMATS)
    source = VideoFile(path)
    effect, _, reason = _effect(settings)
    console.print(source.describe())
    console.print(reason)
    writer = Writer(target, source.size, source.fps, source.time_base, path)
    _run_file(source, effect, writer, f"Rendering {target.name}")


def _run_file(source: Any, effect: Callable[[Any], Any], writer: Any, title: str) -> None:
    from realtime_bokeh.metrics import Metrics
    from realtime_bokeh.pipeline import Pipeline

    metrics = Metrics()
    begin = time.monotonic()
    with frame_progress(title, source.total) as tick:
        Pipeline(source, effect, [writer], metrics).run(tick)
    seconds = time.monotonic() - begin
    frames = metrics.count("emit")
    console.print(f"{writer.describe()}: {frames} frames, {frames / seconds:.1f} fps")


@app.command()
def demo(
    target: Annotated[Path, typer.Argument(metavar="OUT.mp4")] = Path("out/demo.mp4"),
    seconds: Annotated[float, Option(metavar="N", help="Length of the clip")] = 8.0,
    model: Model = None, stacked: Stacked = False, engine: EngineName = None,
    device: Device = None, precision: Precision = None, size: SizeText = None, fps: Fps = None,
    inference_size: Inference = None, strength: Strength = None, smoothing: Smoothing = None,
    config: Config = None,
) -> None:  # fmt: skip
    """Render the built-in scene before | after, as a clip and a picture beside it."""
    import numpy as np

    from realtime_bokeh.files import check_output
    from realtime_bokeh.sinks.video import FORMATS, VideoFile
    from realtime_bokeh.sources.demo import Demo
    from realtime_bokeh.stills import Still, write_still

    settings = _settings(
        config, stacked, model=model, engine=engine, device=device, precision=precision,
        size=size, fps=fps, inference_size=inference_size, strength=strength, smoothing=smoothing,
    )  # fmt: skip
    if not 0.1 <= seconds <= 600:
        raise UsageError(f"--seconds {seconds} is out of range; give 0.1 to 600")
    if target == Path("out/demo.mp4"):
        target.parent.mkdir(exist_ok=True)
    check_output(target, FORMATS)
    width, height = settings.size or (640, 480)
    rate = settings.fps or 30.0
    total = max(1, round(seconds * rate))
    source = Demo((height, width), rate, total, live=False)
    effect, _, reason = _effect(settings)
    console.print(reason)
    pictures: list[Any] = []

    def before_after(image: Any) -> Any:
        both = np.hstack([image, effect(image)])
        pictures.append(both)
        del pictures[: len(pictures) - (total + 1) // 2]  # the last one kept is the middle frame
        return both

    writer = VideoFile(target, (height, 2 * width), rate, source.time_base)
    _run_file(source, before_after, writer, f"Rendering {target.name}")
    picture = target.with_suffix(".png")
    write_still(picture, pictures[0], Still(pictures[0], None, b"", None))
    console.print(f"{picture}: before | after")


@app.command()
def devices() -> None:
    """List cameras, virtual cameras and the devices that engines can use."""
    from realtime_bokeh.engines.openvino import devices as openvino_devices
    from realtime_bokeh.sources.camera import linux_cameras, linux_loopbacks

    table = Table("kind", "device", "name")
    for path, name in linux_cameras().items():
        table.add_row("camera", path, name)
    for path, name in linux_loopbacks().items():
        table.add_row("virtual camera", path, name)
    if sys.platform != "linux":
        table.add_row("camera", "0, 1, ...", "by index, in the order of the system")
    for device, name in openvino_devices().items():
        table.add_row("inference (openvino)", device, name)
    _print_table(table)


@app.command()
def doctor() -> None:
    """Say what works, what does not, and what to do about it; status 0 if live use can run."""
    from realtime_bokeh.doctor import examine

    findings = examine()
    for finding in findings:
        mark = "ok  " if finding.works else "FAIL" if finding.needed else "--  "
        print(f"{mark} {finding.subject}: {finding.sentence}")
    failed = [f.subject for f in findings if f.needed and not f.works]
    print(f"Live use cannot run: {', '.join(failed)}." if failed else "Live use can run.")
    raise typer.Exit(1 if failed else 0)


@app.command()
def bench(
    frames: Annotated[int, Option(metavar="N", min=20, help="Frames to measure")] = 300,
    as_json: Annotated[bool, Option("--json", help="Print JSON")] = False,
    model: Model = None, stacked: Stacked = False, engine: EngineName = None,
    device: Device = None, precision: Precision = None, size: SizeText = None,
    inference_size: Inference = None, strength: Strength = None, smoothing: Smoothing = None,
    config: Config = None,
) -> None:  # fmt: skip
    """Measure the whole way without a camera; all shipped models unless one is chosen."""
    from realtime_bokeh import bench as benchmark
    from realtime_bokeh.engines import Controls

    settings = _settings(
        config, stacked, model=model, engine=engine, device=device, precision=precision,
        size=size, inference_size=inference_size, strength=strength, smoothing=smoothing,
    )  # fmt: skip
    width, height = settings.size or (1280, 720)
    names = [settings.model] if model or stacked or config else ["lite", "dmshn", "stacked"]
    results = []
    for name in names:
        _, opened, _ = _effect(replace(settings, model=name))
        controls = Controls(settings.strength, settings.smoothing)
        results.append(benchmark.run(name, opened, controls, (height, width), frames))
    rows = benchmark.as_json(results)
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(*(key.replace("_", " ") for key in rows[0]))
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    _print_table(table)


@weights_app.callback(invoke_without_command=True)
def weights_list(context: typer.Context) -> None:
    if context.invoked_subcommand is not None:
        return
    from realtime_bokeh.weights import models

    table = Table("name", "network", "runs at", "precisions", "made")
    for model in models():
        size = f"{model.inference_size[0]}x{model.inference_size[1]}"
        precisions = ", ".join(model.precisions())
        table.add_row(model.name, model.architecture, size, precisions, model.origin)
    _print_table(table)


@weights_app.command("import")
def weights_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The authors' .pth or .safetensors")],
    name: Annotated[str | None, Option(metavar="NAME", help="For --model")] = None,
) -> None:
    """Import a checkpoint; it is then chosen with --model NAME."""
    from realtime_bokeh.weights import import_weights

    model = import_weights(file, name)
    print(f"Imported {model.architecture} as {model.name}; use it with --model {model.name}")


@weights_app.command("fetch")
def weights_fetch(
    name: Annotated[str, typer.Argument(metavar="dmshn-ebb|stacked-ebb")],
) -> None:
    """Download the authors' checkpoint trained on EBB!, verify and import it."""
    from realtime_bokeh.weights import fetch

    with download_progress(name) as progress:
        model = fetch(name, progress)
    print(f"Fetched {model.architecture}; use it with --model {model.name}")


def _print_table(table: Table) -> None:
    from rich.console import Console

    Console(highlight=False).print(table)


def _fail(message: str, status: int) -> NoReturn:
    print(f"realtime-bokeh: {message}", file=sys.stderr)
    sys.exit(status)


def main() -> NoReturn:
    """Run the command line; every failure is one sentence and an exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    verbose = "--verbose" in sys.argv
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except KeyboardInterrupt:
        _fail("interrupted; no output was written", 130)
    except BokehError as error:
        if verbose:
            raise
        _fail(str(error), error.status)
    except Exception as error:
        if verbose:
            raise
        if hasattr(error, "format_message"):  # the parser's own errors
            _fail(f"{error.format_message()} (see realtime-bokeh --help)", 2)
        _fail(f"internal error, please report it with the output of --verbose: {error!r}", 1)
