"""Commands that speak to the panel that runs: for shells, shortcuts and stream decks."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from realtime_bokeh.errors import UsageError
from realtime_bokeh.sources.address import without_secrets

_NUMBERS = ("strength", "smoothing")
_SWITCHES = ("mirror", "off", "blank", "frozen")
_TEXTS = ("camera", "model", "engine", "inference_size")
KEYS = (*_TEXTS, *_NUMBERS, *_SWITCHES)

_WORDS = {"on": True, "true": True, "off": False, "false": False}
_ROOM = "The blur is off: everybody sees your room; realtime-bokeh control off off switches it on"

_on_off = click.argument(
    "value", metavar="on|off|toggle", type=click.Choice(["on", "off", "toggle"])
)


@click.group(invoke_without_command=True)
@click.pass_context
def control(context: click.Context) -> None:
    """Tell a run that has a panel: realtime-bokeh panel, or --panel."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@control.command()
def status() -> None:
    """Say how the run is.

    The exit status is 0 if it goes on.
    """
    state = _ask("GET", "state")
    rows = {"run": state["phase"], "trouble": state["trouble"] or "none"}
    if measured := state["measured"]:
        rows |= {
            "renders by": state["engine"], "for the moment": state["lesser"] or "as it was told",
            "captures": f"{measured['fps_in']:g} fps" if state["camera_open"] else "nothing",
            "gives": f"{state['frame']} to {state['output']}",
            "frames": f"{measured['fps_out']:g} fps, {measured['dropped']} dropped",
            "latency": f"{measured['latency_p50_ms']:g} ms "
            f"(p99 {measured['latency_p99_ms']:g} ms)",
        }  # fmt: skip
    for key, value in [*rows.items(), *state["settings"].items()]:
        click.echo(f"{key:16}{_said(value)}")
    raise click.exceptions.Exit(0 if state["running"] else 1)


def _complete(
    context: click.Context, parameter: click.Parameter, text: str
) -> list[CompletionItem]:
    return [CompletionItem(key) for key in KEYS if key.startswith(text.replace("-", "_"))]


@control.command("set")
@click.argument("key", metavar="KEY", shell_complete=_complete)
@click.argument("value", metavar="VALUE")
def set_key(key: str, value: str) -> None:
    """Change a setting, such as: set strength 0.6.

    KEY is one of camera, model, engine, inference_size, strength, smoothing, mirror, off, blank and
    frozen.
    """
    _change(key.replace("-", "_"), value)


def _add_switch(name: str, key: str, help: str) -> None:
    @control.command(name, help=help)
    @_on_off
    def switch(value: str) -> None:
        if value == "toggle":
            value = "off" if _ask("GET", "state")["settings"][key] else "on"
        _change(key, value)


_add_switch("blank", "blank", "Show a card instead of the picture, and release the camera.")
_add_switch("freeze", "frozen", "Keep the latest picture, and release the camera.")
_add_switch("off", "off", "Show the camera as it is, without blur, so that all see your room.")


@control.command()
@click.argument("name", metavar="CAMERA")
def camera(name: str) -> None:
    """Read another camera."""
    _change("camera", name)


@control.command()
@click.argument("name", metavar="NAME")
def model(name: str) -> None:
    """Render with another model."""
    _change("model", name)


@control.command()
def start() -> None:
    """Start a run."""
    click.echo(_ask("POST", "start")["phase"])


@control.command()
def stop() -> None:
    """Stop the run; the panel stays."""
    click.echo(_ask("POST", "stop")["phase"])


def _change(key: str, text: str) -> None:
    """Change a setting to what was written, and say what it is now."""
    settings = _ask("PATCH", "state", {key: _value(key, text)})["settings"]
    click.echo(f"{key} {_said(settings[key])}")
    if key == "off" and settings["off"]:
        click.echo(_ROOM)


def _value(key: str, text: str) -> str | float | bool:
    """A value of a setting as a person wrote it.

    Raises:
        UsageError: when there is no such setting, or it takes none such.
    """
    if key in _TEXTS:
        return text
    if key in _SWITCHES:
        if text not in _WORDS:
            raise UsageError(f"{key} {text!r} is unknown; give on or off")
        return _WORDS[text]
    if key in _NUMBERS:
        try:
            return float(text)
        except ValueError:
            raise UsageError(f"{key} {text!r} is not a number; give 0 to 1") from None
    raise UsageError(f"There is no setting {key!r}; choose {', '.join(KEYS)}")


def _said(value: object) -> object:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return without_secrets(value)  # a camera's address may have a password in it
    return f"{value:g}" if isinstance(value, float) else value


def _ask(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    from realtime_bokeh.panel.client import ask

    return ask(method, path, body)
