"""The command line: the only place where the parts are put together."""

import contextlib
import json
import os
import sys
import threading
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.table import Table

from realtime_bokeh import __version__, interrupts
from realtime_bokeh.app.display import print_table
from realtime_bokeh.app.export import export_app
from realtime_bokeh.app.manage import engines_app, weights_app
from realtime_bokeh.app.settings import Settings, load_settings
from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.sizes import Size

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
app.add_typer(weights_app, name="weights")
app.add_typer(engines_app, name="engines")
app.add_typer(export_app, name="export")

Option = typer.Option
Model = Annotated[
    str | None, Option(metavar="NAME", help="lite, dmshn, stacked or an imported one")
]
Stacked = Annotated[bool, Option("--stacked", help="Same as --model stacked")]
EngineName = Annotated[str | None, Option(metavar="NAME", help="auto, openvino, pytorch, tensorrt")]
Device = Annotated[str | None, Option(metavar="NAME", help="CPU, GPU, NPU; cpu, cuda, mps")]
Precision = Annotated[str | None, Option(metavar="NAME", help="f32, f16 or int8")]
SizeText = Annotated[str | None, Option(metavar="WxH", help="Picture size asked of the camera")]
Fps = Annotated[float | None, Option(metavar="N", help="Frames a second asked of the camera")]
Inference = Annotated[str | None, Option(metavar="WxH|full", help="Size at which the network runs")]
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
    given = [name for name, value in context.params.items() if value not in (None, False)]
    options = [f"--{name.replace('_', '-')}" for name in given if name != "verbose"]
    command = context.invoked_subcommand
    if command is not None:
        if options:
            raise UsageError(
                f"{options[0]} stands before {command} and would not count; put it behind, "
                f"if {command} has it (see realtime-bokeh {command} --help)"
            )
        return
    if camera is None:
        if options:
            raise UsageError("--camera is missing; give its index, or demo for the built-in scene")
        print(context.get_help())
        raise typer.Exit
    from realtime_bokeh.app.commands import run_live

    settings = _settings(
        config, stacked, model=model, engine=engine, device=device, precision=precision,
        size=size, fps=fps, inference_size=inference_size, strength=strength,
        smoothing=smoothing, mirror=mirror,
    )  # fmt: skip
    run_live(settings, camera, output, preview)


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
    from realtime_bokeh.app import commands

    settings = _settings(
        config, stacked, model=model, engine=engine, device=device, precision=precision,
        inference_size=inference_size, strength=strength, smoothing=smoothing, mirror=mirror,
    )  # fmt: skip
    commands.render(settings, source, target)


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
    from realtime_bokeh.app.commands import render_demo

    settings = _settings(
        config, stacked, model=model, engine=engine, device=device, precision=precision,
        size=size, fps=fps, inference_size=inference_size, strength=strength, smoothing=smoothing,
    )  # fmt: skip
    if not 0.1 <= seconds <= 600:
        raise UsageError(f"--seconds {seconds} is out of range; give 0.1 to 600")
    if target == Path("out/demo.mp4"):
        with contextlib.suppress(OSError):  # what is wrong with it is said below
            target.parent.mkdir(exist_ok=True)
    render_demo(settings, target, seconds)


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
    print_table(table)


@app.command()
def doctor() -> None:
    """Say what works, what does not, and what to do about it; status 0 if live use can run."""
    from realtime_bokeh.app.doctor import examine

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
    from realtime_bokeh import weights
    from realtime_bokeh.app import bench as benchmark
    from realtime_bokeh.engines import Controls, open_engine

    settings = _settings(
        config, stacked, model=model, engine=engine, device=device, precision=precision,
        size=size, inference_size=inference_size, strength=strength, smoothing=smoothing,
    )  # fmt: skip
    frame = settings.size or Size(720, 1280)
    names = [settings.model] if model or stacked or config else ["lite", "dmshn", "stacked"]
    results = []
    for name in names:
        engine_ = open_engine(
            weights.find(name), settings.engine, settings.inference_size, settings.device,
            settings.precision,
        ).engine  # fmt: skip
        controls = Controls(settings.strength, settings.smoothing)
        results.append(benchmark.run(name, engine_, controls, frame, frames))
    if as_json:
        print(json.dumps([asdict(r) for r in results], indent=2))
        return
    table = Table("model", "engine", "fps", "frame", "p99", "network", "rest", "memory")
    for r in results:
        times = (r.frame_ms, r.frame_p99_ms, r.network_ms, r.overhead_ms)
        milliseconds = (f"{time:.1f} ms" for time in times)
        table.add_row(r.model, r.engine, f"{r.fps:.0f}", *milliseconds, f"{r.memory_mb:.0f} MB")
    print(f"{frames} frames of {frame}")
    print_table(table)


def _explain(message: str, status: int) -> int:
    print("realtime-bokeh:", " ".join(message.splitlines()), file=sys.stderr)
    return status


def _run(verbose: bool) -> int:
    """The exit status; every failure is one sentence."""
    try:
        status: int = app(prog_name="realtime-bokeh", standalone_mode=False) or 0
        if status == 130:  # what Typer makes of the exception
            raise KeyboardInterrupt
        return status
    except KeyboardInterrupt:
        return _explain("interrupted; no unfinished file was kept", 130)
    except BokehError as error:
        if verbose:
            raise
        return _explain(str(error), error.status)
    except Exception as error:
        if hasattr(error, "format_message"):  # the parser's own errors
            return _explain(f"{error.format_message()} (see realtime-bokeh --help)", 2)
        if verbose:
            raise
        sentence = "internal error, please report it with the output of --verbose"
        return _explain(f"{sentence}: {error!r}", 1)


def main() -> NoReturn:
    """Run the command line."""
    interrupts.listen()
    verbose = "--verbose" in sys.argv
    if not verbose:
        warnings.simplefilter("ignore")  # libraries' remarks about odd files
    status = _run(verbose)
    from realtime_bokeh.pipeline import THREADS  # not above: --help needs no numpy

    if any(thread.name in THREADS for thread in threading.enumerate()):
        # a driver or a compiler holds one: the interpreter's own end would crash under it
        sys.stdout.flush()
        os._exit(status)
    sys.exit(status)
