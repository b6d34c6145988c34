"""A service that runs the program at login, with the default profile."""

import subprocess
import sys
from pathlib import Path

import click
import platformdirs

from realtime_bokeh.app.profile import default_path, find_default
from realtime_bokeh.app.settings import load_settings
from realtime_bokeh.app.startup import UNIT, launchd_agent, systemd_unit, windows_entry
from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.files import reason, write_atomically

_LOG = "journalctl --user-unit realtime-bokeh"


@click.group(invoke_without_command=True)
@click.pass_context
def service(context: click.Context) -> None:
    """Start at every login, as the default profile says."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@service.command()
def install() -> None:
    """Install the service, and start it now and at every login.

    The default profile has to name a camera. On Linux the service is a systemd user unit; on macOS
    and Windows this prints what to put where, and writes nothing.
    """
    command = [sys.executable, "-m", "realtime_bokeh", "--config", str(_profile())]
    if sys.platform == "darwin":
        click.echo(launchd_agent(command, Path.home()), nl=False)
    elif sys.platform == "win32":
        click.echo(windows_entry(command), nl=False)
    else:
        _state()  # first: nothing is written where nobody would read it
        path = _unit_path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BokehError(f"{path.parent} cannot be created ({reason(error)})") from error
        write_atomically(path, systemd_unit(command).encode())
        _order("daemon-reload")
        _order("enable", UNIT)
        _order("restart", UNIT)  # starts it, or has it read the profile again
        click.echo(f"Installed {path}: started now, and at every login.")
        click.echo(f"realtime-bokeh service status says how it is; its log: {_LOG}")


@service.command()
def uninstall() -> None:
    """Stop the service and remove it; the profile stays."""
    _need_systemd("uninstall")
    path = _unit_path()
    state = _state()
    if path.exists():
        _order("disable", "--now", UNIT)
        try:
            path.unlink()
        except OSError as error:
            raise BokehError(f"{path} cannot be removed ({reason(error)})") from error
        _order("daemon-reload")
        click.echo(f"Stopped the service and removed {path}")
    elif state["UnitFileState"] == "enabled":  # Debian's package brings a unit, disabled
        _order("disable", "--now", UNIT)
        click.echo(f"Stopped the service; {state['FragmentPath']} is of the package, and stays")
    else:
        raise UsageError(f"There is no service to remove ({path} does not exist)")


@service.command()
def status() -> None:
    """Say whether the service is installed and how it is.

    The exit status is 0 if it runs.
    """
    _need_systemd("status")
    state = _state()
    if not state["FragmentPath"]:
        click.echo("not installed; realtime-bokeh service install does it")
        raise click.exceptions.Exit(1)
    active, result = state["ActiveState"], state["Result"]
    now = {
        "active": "runs",
        "activating": f"failed ({result}), and is tried again soon",
        "failed": f"failed ({result})",
        "inactive": "does not run",
    }.get(active, active)
    click.echo(f"unit:     {state['FragmentPath']}")
    click.echo(f"at login: {'starts' if state['UnitFileState'] == 'enabled' else 'does not start'}")
    click.echo(f"now:      {now}")
    click.echo(f"log:      {_LOG}")
    raise click.exceptions.Exit(0 if active == "active" else 1)


def _profile() -> Path:
    """The default profile, which can be run without anyone there.

    Raises:
        UsageError: when it cannot, or is not right.
    """
    path = default_path()
    settings = load_settings(find_default(), {})
    if settings.camera is None:
        raise UsageError(f'Profile {path} names no camera; write one there, as in: camera = "0"')
    if settings.output == "-":
        raise UsageError(f'Profile {path}: output = "-" has no reader at login; choose another')
    return path


def _unit_path() -> Path:
    return Path(platformdirs.user_config_dir()) / "systemd" / "user" / UNIT


def _need_systemd(command: str) -> None:
    if sys.platform in ("darwin", "win32"):
        raise UsageError(
            f"service {command} is for Linux; service install says what to do on this system"
        )


def _state() -> dict[str, str]:
    """What the user's service manager says of the unit, by the property's name.

    Raises:
        BokehError: when there is no manager.
    """
    done = _systemctl("show", UNIT, "--property=ActiveState,UnitFileState,Result,FragmentPath")
    if done.returncode:
        raise BokehError(
            f"Your systemd cannot be reached ({done.stderr.strip()}); run this in the session that "
            "you log in to, and without sudo"
        )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def _order(*arguments: str) -> None:
    """Have the user's service manager do something.

    Raises:
        BokehError: when it fails, with its reason.
    """
    done = _systemctl(*arguments)
    if done.returncode:
        raise BokehError(f"systemctl --user {' '.join(arguments)} failed ({done.stderr.strip()})")


def _systemctl(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = ["systemctl", "--user", *arguments]
    try:
        return subprocess.run(line, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BokehError(
            f"systemctl cannot be run ({reason(error)}), and the service is systemd's; have your "
            "desktop start realtime-bokeh at login instead"
        ) from error
