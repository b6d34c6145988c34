"""Output files: checked before any work is done, and appearing whole or not at all."""

import os
from collections.abc import Iterable
from pathlib import Path

from realtime_bokeh.errors import UsageError


def check_output(path: Path, endings: Iterable[str]) -> None:
    """Refuse a file that cannot be written.

    Raises:
        UsageError: for an ending that is not among these, a folder, or a missing or closed one.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the name of a file in it")
    if path.suffix.lower() not in endings:
        raise UsageError(f"OUT {path} must end in one of {', '.join(endings)}")
    if not path.parent.is_dir():
        raise UsageError(f"The folder {path.parent} does not exist; create it first")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"The folder {path.parent} cannot be written to; choose another")


def beside(path: Path) -> Path:
    """Where a file is written before it is renamed to its name."""
    return path.with_name(f".{path.name}.part")


def reason(error: Exception) -> str:
    """Why the system or a codec refused, in its own words."""
    return getattr(error, "strerror", None) or str(error)
