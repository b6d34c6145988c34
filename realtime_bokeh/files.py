"""Output files: checked before any work is done, and appearing whole or not at all."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from realtime_bokeh.errors import SinkError, UsageError

STANDARD = Path("-")
"""In the place of a file: standard input or output."""


def check_output(path: Path, kind: str, endings: Iterable[str]) -> None:
    """Refuse a file that cannot be written.

    Args:
        kind: what it shall hold, such as "a video".
        endings: with which it may do so.

    Raises:
        UsageError: for another ending, a folder, or a missing or closed one.
    """
    folder = path.parent
    try:
        if path.suffix.lower() not in endings:
            problem = f"{path} cannot hold {kind}; end its name with one of {', '.join(endings)}"
        elif path.is_dir():
            problem = f"{path} is a folder; give the name of a file in it"
        elif not folder.exists():
            problem = f"The folder {folder} does not exist; create it first"
        elif not folder.is_dir():
            problem = f"{folder} is a file, not a folder; choose another place for {path.name}"
        elif not os.access(folder, os.W_OK):
            problem = f"The folder {folder} cannot be written to; choose another"
        else:
            return
    except OSError as error:  # a name that is too long
        problem = f"{path} cannot be written ({reason(error)}); choose another name"
    raise UsageError(problem)


def ffmpeg_name(path: Path) -> str:
    """A file's name for FFmpeg, which takes what stands before a colon for a protocol."""
    return os.path.abspath(path)


def temporary_path(path: Path) -> Path:
    """Where a file is written before it is renamed to its name, which may be as long as allowed."""
    return path.with_name(f".{path.name[:50]}.{os.getpid()}.part")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        SinkError: when it cannot be written; nothing is left behind then.
    """
    with _written(path, content) as temporary:
        os.replace(temporary, path)


def write_beside(path: Path, content: bytes) -> Path:
    """Write a file that appears whole or not at all, and takes no other's place: where there is
    one, the name gets a number, as in "a-2.png".

    Returns:
        Its name.

    Raises:
        SinkError: when it cannot be written; nothing is left behind then.
    """
    with _written(path, content) as temporary:
        for number in itertools.count(1):
            free = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
            try:
                free.open("xb").close()  # nobody else gets the name now
            except FileExistsError:
                continue
            break
        try:
            os.replace(temporary, free)
        except OSError:
            free.unlink()
            raise
    return free


@contextlib.contextmanager
def _written(path: Path, content: bytes) -> Iterator[Path]:
    """A temporary file beside a path, to be renamed; it is gone afterwards at any rate.

    Raises:
        SinkError: when it cannot be written or renamed.
    """
    temporary = temporary_path(path)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # else a crash could leave the name without the content
        yield temporary
    except OSError as error:
        raise SinkError(f"{path} cannot be written ({reason(error)}); nothing was kept") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def reason(error: Exception) -> str:
    """Why the system or a codec refused, in its own words."""
    return getattr(error, "strerror", None) or str(error)
