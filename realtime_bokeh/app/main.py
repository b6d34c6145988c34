"""The command line: its commands, and errors turned into sentences."""

import contextlib
import json
import os
import shutil
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NoReturn

import click
from click.core import ParameterSource
from click.shell_completion import get_completion_class

from realtime_bokeh import __version__, interrupts
from realtime_bokeh.app.control import control
from realtime_bokeh.app.export import export
from realtime_bokeh.app.manage import engines, weights
from realtime_bokeh.app.options import BENCH, DEMO, LIVE, RENDER, options_of
from realtime_bokeh.app.panel import panel, run_with_panel
from realtime_bokeh.app.profile import find_default, find_profile, profile_option, shown
from realtime_bokeh.app.profiles import profiles
from realtime_bokeh.app.service import service
from realtime_bokeh.app.settings import (
    Settings,
    defaults,
    environment,
    load_settings,
    load_with_origins,
    read_profile,
)
from realtime_bokeh.app.tray import tray
from realtime_bokeh.errors import BokehError, UsageError

_NAME = "realtime-bokeh"
_SCENE = Path("out/demo.mp4")
_COMPLETE = "_REALTIME_BOKEH_COMPLETE"  # the variable by which a shell asks


@dataclass
class _State:
    """What a run of the command line remembers for the case that it fails."""

    verbose: bool


def _load(
    config: Path | None, flags: Mapping[str, object], variables: Mapping[str, str] = {}
) -> Settings:
    """The settings of the present command; --verbose counts before the command's name too."""
    root = click.get_current_context().find_root()
    if flags["verbose"] is None:
        flags = {**flags, "verbose": root.params["verbose"]}
    settings = load_settings(config, flags, variables)
    if "alpha" not in flags:  # a profile may serve several commands; only one writes transparency
        settings = replace(settings, alpha=False)
    root.ensure_object(_State).verbose |= settings.verbose
    return settings


class _InOrder(click.Group):
    """A group that lists its commands as they stand below, not by the alphabet."""

    def list_commands(self, context: click.Context, /) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    invoke_without_command=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": min(120, shutil.get_terminal_size().columns),
    },
)
@options_of(LIVE, defaults())
@profile_option
@click.option("--show-config", is_flag=True,
              help="Print every option's value and where it comes from, and end")  # fmt: skip
@click.version_option(__version__, prog_name=_NAME, message="%(prog)s %(version)s")
@click.pass_context
def main_command(
    context: click.Context, /, config: Path | None, profile: str | None, show_config: bool,
    **flags: object,
) -> None:  # fmt: skip
    """Photographic background blur, live: a camera goes in, a virtual webcam comes out.

    realtime-bokeh --camera 0 starts it, or realtime-bokeh alone, once the default profile names a
    camera (--show-config says where it lies). The commands below do the rest.
    """
    given = [
        f"--{name.replace('_', '-')}"
        for name in context.params
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    command = context.invoked_subcommand
    if command is not None:
        before = [flag for flag in given if flag != "--verbose"]
        if before:
            raise UsageError(
                f"{before[0]} stands before {command} and would not count; put it behind, "
                f"if {command} has it (see {_NAME} {command} --help)"
            )
        return
    if config and profile:
        raise UsageError(f"--config and --profile {profile} exclude each other; leave one out")
    path = find_profile(profile) if profile else config or find_default()
    variables = environment()
    if show_config:
        click.echo(shown(*load_with_origins(path, flags, variables), path))
        return
    settings = _load(path, flags, variables)
    if settings.camera is None:
        if not given:
            click.echo(context.get_help())
            return
        raise UsageError("--camera is missing; give its index, or demo for the built-in scene")
    if settings.panel is not None:
        run_with_panel(settings, settings.panel, begins=True)
        return
    from realtime_bokeh.app.live import run_live

    run_live(settings)


@main_command.command()
@click.argument("files", metavar="IN... OUT", type=click.Path(path_type=Path), nargs=-1)
@options_of(RENDER, defaults())
def render(files: Sequence[Path], config: Path | None, **flags: object) -> None:
    """Render videos and photos.

    IN is a file and OUT the new file. With several IN, or a folder of videos and photos, OUT is a
    folder. A video may come from standard input and go to standard output, as Matroska: give - for
    IN or OUT.
    """
    from realtime_bokeh.app import commands

    if len(files) < 2:
        raise click.UsageError(f"Missing argument {'OUT' if files else 'IN'}.")
    commands.render(_load(config, flags), files[:-1], files[-1])


@main_command.command()
@click.argument("target", metavar="[OUT.mp4]", type=click.Path(path_type=Path), default=_SCENE)
@click.option("--seconds", type=float, metavar="N", default=8.0, show_default=True,
              help="Length of the clip in seconds")  # fmt: skip
@options_of(DEMO, defaults())
def demo(target: Path, seconds: float, config: Path | None, **flags: object) -> None:
    """Render the built-in scene, before and after.

    OUT.mp4 is a clip of both side by side (out/demo.mp4 if not given); a picture of one of its
    frames lies beside it.
    """
    from realtime_bokeh.app.commands import render_demo

    settings = _load(config, flags)
    if not 0.1 <= seconds <= 600:
        raise UsageError(f"--seconds {seconds:g} is out of range; give 0.1 to 600")
    if target == _SCENE:
        with contextlib.suppress(OSError):  # what is wrong with it is said below
            target.parent.mkdir(exist_ok=True)
    render_demo(settings, target, seconds)


@main_command.command()
def devices() -> None:
    """List cameras, virtual cameras and inference devices."""
    from realtime_bokeh.app.devices import list_devices

    list_devices()


@main_command.command()
@click.option(
    "--fix", is_flag=True, help="Also offer to load the virtual webcam's driver, now and at boot"
)
def doctor(fix: bool) -> None:
    """Say what works here, and what to do about the rest.

    The exit status is 0 if live use can run.
    """
    from realtime_bokeh.app.doctor import report

    raise click.exceptions.Exit(report(fix))


@main_command.command()
@click.option("--frames", type=click.IntRange(min=20), metavar="N", default=300,
              show_default=True, help="Frames to measure")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs")
@options_of(BENCH, {**defaults(), "model": "all three", "size": "1280x720"})
def bench(frames: int, as_json: bool, config: Path | None, **flags: object) -> None:
    """Measure how fast it is here, without a camera.

    Measures the three shipped models, unless a model is chosen.
    """
    from realtime_bokeh.app import bench as benchmark

    settings = _load(config, flags)
    chosen = flags["model"] or flags["stacked"] or (config and "model" in read_profile(config))
    names = [settings.model] if chosen else ["lite", "dmshn", "stacked"]
    results = [benchmark.run(replace(settings, model=name), frames) for name in names]
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], indent=2))
    else:
        benchmark.print_results(results)


for _group in (panel, control, tray, profiles, service, weights, export, engines):
    main_command.add_command(_group)


@main_command.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script that completes commands and options in a shell.

    \b
    bash: add to ~/.bashrc  eval "$(realtime-bokeh completion bash)"
    zsh:  add to ~/.zshrc   eval "$(realtime-bokeh completion zsh)"
    fish: realtime-bokeh completion fish > ~/.config/fish/completions/realtime-bokeh.fish
    """
    script = get_completion_class(shell)
    assert script is not None  # Click has those three
    click.echo(script(main_command, {}, _NAME, _COMPLETE).source())


def _explain(message: str, status: int) -> int:
    if sys.stderr is not None:  # else `print` would take standard output
        print(f"{_NAME}:", " ".join(message.splitlines()), file=sys.stderr)
    return status


def _run(state: _State) -> int:
    """The exit status; every failure is one sentence."""
    try:
        status = main_command.main(
            prog_name=_NAME, standalone_mode=False, complete_var=_COMPLETE, obj=state
        )
        return int(status or 0)
    except (KeyboardInterrupt, click.Abort):
        return _explain("interrupted; no unfinished file was kept", 130)
    except click.ClickException as error:
        path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else None
        return _explain(f"{error.format_message()} (see {path or _NAME} --help)", 2)
    except Exception as error:
        if state.verbose:
            traceback.print_exc()
        if isinstance(error, BokehError):
            return _explain(str(error), error.status)
        sentence = "internal error, please report it with the output of --verbose"
        return _explain(f"{sentence}: {error!r}", 1)


def main() -> NoReturn:
    """Run the command line."""
    interrupts.listen()
    state = _State("--verbose" in sys.argv)
    if not state.verbose:
        warnings.simplefilter("ignore")  # libraries' remarks about odd files
    status = _run(state)
    interrupts.ignore()
    if any(thread.name.startswith("bokeh ") for thread in threading.enumerate()):
        # a driver or a compiler holds one: the interpreter's own end would crash under it
        sys.stdout.flush()
        os._exit(status)
    sys.exit(status)
