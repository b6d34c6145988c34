"""Loads the module of Linux's virtual camera, now and at boot, in steps that the user allows."""

import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from realtime_bokeh.errors import BokehError, SinkError, one_line
from realtime_bokeh.sinks import kernel_module
from realtime_bokeh.sinks.kernel_module import ENROL, LABEL, MODULE
from realtime_bokeh.sinks.virtual_camera import install_hint
from realtime_bokeh.video4linux import linux_loopbacks

_ETC = Path("/etc")
_LOAD = ["modprobe", MODULE, "exclusive_caps=1", f"card_label={LABEL}"]


@dataclass(frozen=True)
class Step:
    """Something to do as the system's administrator.

    purpose: what it does, as a sentence.
    command: with sudo in front.
    """

    purpose: str
    command: list[str]


def _written(folder: str, start: str) -> bool:
    """Whether a line of a file in a folder of /etc begins so."""
    for path in (_ETC / folder).glob("*.conf"):
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue
        if any(line.split()[: len(start.split())] == start.split() for line in lines):
            return True
    return False


def _write(line: str, path: Path) -> list[str]:
    return ["sudo", "sh", "-c", f"echo {shlex.quote(line)} > {shlex.quote(str(path))}"]


def steps() -> list[Step]:
    """What is left to do until the virtual camera is there, now and after every start.

    Raises:
        SinkError: when the module has to be installed first.
    """
    if sys.platform != "linux":
        return []
    found = []
    if not kernel_module.is_loaded():
        if not kernel_module.is_installed():
            raise kernel_module.absence()
        found.append(Step("This makes the virtual camera.", ["sudo", *_LOAD]))
    elif not linux_loopbacks() or not _exclusive():
        again = f"modprobe -r {MODULE} && {shlex.join(_LOAD)}"
        found.append(
            Step(
                "This makes the virtual camera anew, for browsers too.", ["sudo", "sh", "-c", again]
            )
        )
    if not _written("modules-load.d", MODULE):
        path = _ETC / "modules-load.d" / "realtime-bokeh.conf"
        found.append(Step("This makes it whenever the computer starts.", _write(MODULE, path)))
    if not _written("modprobe.d", f"options {MODULE}"):
        options = f'options {MODULE} exclusive_caps=1 card_label="{LABEL}"'
        path = _ETC / "modprobe.d" / "realtime-bokeh.conf"
        found.append(Step("This gives it its name then, for browsers too.", _write(options, path)))
    return found


def _exclusive() -> bool:
    """Whether browsers list the virtual camera, as far as is known."""
    from realtime_bokeh.sinks.loopback import check  # not above: Windows has no ioctl

    try:
        return check(None)[1]
    except BokehError:
        return True


def _run(step: Step) -> None:
    line = shlex.join(step.command)
    try:
        done = subprocess.run(step.command, stderr=subprocess.PIPE, text=True, errors="replace")
    except OSError as error:
        raise SinkError(f"sudo cannot be run ({error.strerror}); do it as root: {line}") from error
    if done.returncode == 0:
        return
    if "key was rejected" in done.stderr.lower():
        raise SinkError(f"Secure Boot refuses the module {MODULE}; enrol its key: {ENROL}")
    if "in use" in done.stderr:
        raise SinkError(
            f"The module {MODULE} is in use; close every program that uses a camera and try again"
        )
    reason = one_line(RuntimeError(done.stderr))
    raise SinkError(f"{line} failed ({reason}); try it in a terminal, then run the doctor again")


def fix() -> bool:
    """Ask before each step, and do those that are allowed; without a terminal, none.

    Returns:
        Whether anything was done.

    Raises:
        SinkError: when a step fails, or the module has to be installed first.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        click.echo("--fix asks before each step, so it needs a terminal; nothing was changed.")
        return False
    left = steps()
    if not left:
        only = f"; to install one: {install_hint()}" if sys.platform != "linux" else ""
        click.echo(f"There is nothing to fix for the virtual camera here{only}.")
    done = False
    for step in left:
        click.echo(f"\n{step.purpose}\n  {shlex.join(step.command)}")
        if click.confirm("Run it?"):
            _run(step)
            done = True
    return done
