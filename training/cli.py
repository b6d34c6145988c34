"""What the commands share: options, mistakes in one sentence, results that appear whole."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import cv2

from realtime_bokeh.errors import BokehError, SinkError, UsageError
from realtime_bokeh.files import reason, write_atomically
from realtime_bokeh.frame import Image

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see --help")


def parser(docstring: str | None) -> argparse.ArgumentParser:
    """A parser of options that says a mistake in one sentence, by UsageError.

    Args:
        docstring: of the command's module, whose first line describes the command.
    """
    return _Parser(
        description=(docstring or "").partition("\n")[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run(main: Callable[[], None]) -> NoReturn:
    """Run a command and end the process: status 0, 2 for the user's mistake, 1 for a failure, each
    with one sentence on standard error. `python -X dev` shows tracebacks instead."""
    command = Path(sys.argv[0]).stem.replace("__main__", "training")
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


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8 that appears whole or not at all.

    Raises:
        SinkError: when it cannot be written.
    """
    write_atomically(path, text.encode())


def write_image(path: Path, image: Image, options: Sequence[int] = ()) -> None:
    """Write a picture, coded as its ending says, that appears whole or not at all.

    Args:
        image: uint8 [h, w, 3] BGR, or [h, w].
        options: of `cv2.imencode`.

    Raises:
        SinkError: when it cannot be written.
    """
    write_atomically(path, cv2.imencode(path.suffix, image, options)[1].tobytes())


def write_json(path: Path, result: Json) -> None:
    """Write a result; numbers that are not finite, which JSON has not, become null.

    Raises:
        SinkError: when it cannot be written.
    """
    write_text(path, json.dumps(_finite(result), indent=2) + "\n")


def _finite(value: Json) -> Json:
    if isinstance(value, Mapping):
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
