"""What the panel keeps on disk: its token, and where a running one is to be found."""

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs
import psutil

from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.files import reason, temporary_path

HOST = "127.0.0.1"
"""Where panels are served: this computer, for itself alone."""


@dataclass(frozen=True)
class Running:
    """A panel that runs: its port, and its process."""

    port: int
    pid: int


def folder() -> Path:
    """Where the token and the running panel's port lie."""
    return Path(platformdirs.user_state_dir("realtime-bokeh", appauthor=False))


def token() -> str:
    """The token, which is made once; only the user may read its file.

    Raises:
        BokehError: when it can be neither read nor made.
    """
    path = folder() / "panel-token"
    try:
        with contextlib.suppress(FileNotFoundError):
            if found := path.read_text(encoding="ascii", errors="replace").strip():
                return found
        made = secrets.token_urlsafe(32)
        _write(path, made)
    except OSError as error:
        raise _unkept(path, error) from error
    return made


def address(port: int) -> str:
    """The address of the page of a panel, which opens it to whoever knows it.

    Raises:
        BokehError: as `token`.
    """
    return f"http://{HOST}:{port}/?token={token()}"


def enter(port: int) -> None:
    """Note that this process has the panel.

    Raises:
        BokehError: when that cannot be written.
    """
    path = _running_path()
    try:
        _write(path, json.dumps(asdict(Running(port, os.getpid()))))
    except OSError as error:
        raise _unkept(path, error) from error


def leave() -> None:
    """Take that back, unless another panel has been noted since."""
    running = _noted()
    if running is not None and running.pid == os.getpid():
        with contextlib.suppress(OSError):
            _running_path().unlink()


def running() -> Running:
    """The panel that runs.

    Raises:
        UsageError: when none does.
    """
    found = _noted()
    if found is None or not psutil.pid_exists(found.pid):
        raise UsageError("No panel runs; start one: realtime-bokeh panel, or a run with --panel")
    return found


def _unkept(path: Path, error: OSError) -> BokehError:
    return BokehError(f"{path} cannot be kept ({reason(error)}); make its folder yours")


def _running_path() -> Path:
    return folder() / "panel.json"


def _noted() -> Running | None:
    try:
        return Running(**json.loads(_running_path().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, text: str) -> None:
    """Write a file for the user's eyes alone, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = temporary_path(path)
    temporary.unlink(missing_ok=True)
    # from its first moment on nobody else may read it
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)
