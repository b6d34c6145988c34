"""What the commands share: a mistake is one sentence, a file appears whole or not at all."""

import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from realtime_bokeh.errors import BokehError, SinkError, UsageError
from realtime_bokeh.files import reason, temporary_path


def run(main: Callable[[], None]) -> NoReturn:
    """Run a command and end the process: status 0, 2 for the user's mistake, 1 for a failure, each
    with one sentence on standard error. `python -X dev` shows tracebacks instead."""
    command = Path(sys.argv[0]).stem
    status = 0
    try:
        main()
    except KeyboardInterrupt:
        sentence, status = "interrupted; no unfinished file was kept", 130
    except BokehError as error:
        if sys.flags.dev_mode:
            raise
        sentence, status = str(error), error.status
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        sentence, status = f"internal error, see it with python -X dev: {error!r}", 1
    if status:
        print(f"{command}:", " ".join(sentence.splitlines()), file=sys.stderr)
    sys.exit(status)


def make_folder(folder: Path) -> None:
    """Create a folder for results.

    Raises:
        SinkError: when that is refused.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{folder} cannot be a folder for results ({reason(error)})") from error


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        SinkError: when it cannot be written.
    """
    temporary = temporary_path(path)
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, path)
    except OSError as error:
        raise SinkError(f"{path} cannot be written ({reason(error)})") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, result: Any) -> None:
    """Write a result; numbers that are not finite, which JSON has not, become null.

    Raises:
        SinkError: when it cannot be written.
    """
    write_whole(path, json.dumps(_finite(result), indent=2) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def named_paths(option: str, values: Sequence[str]) -> dict[str, Path]:
    """Arguments that are written NAME=PATH.

    Raises:
        UsageError: when one is not, or a name comes twice.
    """
    found: dict[str, Path] = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not (name and equals and path):
            raise UsageError(f"{option} {value!r} must be written NAME=PATH")
        if name in found:
            raise UsageError(f"{option} {name} is given twice; choose another name")
        found[name] = Path(path)
    return found
