"""Settings: defaults, a TOML profile, flags; in that order, the later override the earlier."""

import difflib
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from realtime_bokeh.errors import UsageError
from realtime_bokeh.sizes import InferenceSize, Size, parse_inference_size, parse_size

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_ENGINES = ("auto", "openvino", "pytorch", "tensorrt")
_PRECISIONS = ("f32", "f16", "int8")


@dataclass(frozen=True)
class Settings:
    """What the command line's common options say.

    model: name of the weights. engine, device, precision: see `engines.open_engine`.
    size: asked of a camera or of the demo; None is what they prefer.
    fps: frames a second asked of them; None likewise.
    inference_size: None is what the model is made for.
    strength: of the blur, in [0, 1]. smoothing: in time, in [0, 1].
    mirror: flip left and right.

    Raises:
        UsageError: for a value out of its range.
    """

    model: str = "lite"
    engine: str = "auto"
    device: str | None = None
    precision: str | None = None
    size: Size | None = None
    fps: float | None = None
    inference_size: InferenceSize | None = None
    strength: float = 1.0
    smoothing: float = 0.5
    mirror: bool = False

    def __post_init__(self) -> None:
        _check_choice("engine", self.engine, _ENGINES)
        if self.precision is not None:
            _check_choice("precision", self.precision, _PRECISIONS)
        for name in ("strength", "smoothing"):
            _check_range(name, getattr(self, name), 0, 1)
        if self.fps is not None:
            _check_range("fps", self.fps, 1, 240)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{_option(name)} {value!r} is unknown; choose {', '.join(choices)}")


def _check_range(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(f"{_option(name)} {value} is out of range; give {low} to {high}")


_NUMBER = ((int, float), "a number")
_TEXT = ((str,), "a text in quotes")
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "strength": _NUMBER,
    "smoothing": _NUMBER,
    "fps": _NUMBER,
    "mirror": ((bool,), "true or false"),
}


def load_settings(profile: Path | None, flags: dict[str, Any]) -> Settings:
    """Settings from a profile, if any, and flags; sizes may be texts such as "1280x720".

    Args:
        profile: a TOML file whose keys are the names of the options (inference-size or
            inference_size).
        flags: by field name; None means "not given".

    Raises:
        UsageError: when the profile cannot be read, has an unknown key, or a value is wrong.
    """
    values = _read_profile(profile) if profile else {}
    values |= {name: value for name, value in flags.items() if value is not None}
    for name, parse in (("size", parse_size), ("inference_size", parse_inference_size)):
        if isinstance(values.get(name), str):
            values[name] = parse(_option(name), values[name])
    return replace(Settings(), **values)


def read_toml(option: str, path: Path) -> dict[str, Any]:
    """What a TOML file given by an option holds.

    Raises:
        UsageError: when it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{option} {path} cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{option} {path} is not TOML ({error})") from error


def _read_profile(path: Path) -> dict[str, Any]:
    entries = read_toml("--config", path)
    known = [f.name for f in fields(Settings)]
    values = {}
    for key, value in entries.items():
        name = key.replace("-", "_")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"--config {path}: {key!r} is unknown; {hint}")
        types, kind = _KINDS.get(name, _TEXT)
        if not isinstance(value, types) or (bool not in types and isinstance(value, bool)):
            raise UsageError(f"--config {path}: {key} = {value!r} is not {kind}")
        values[name] = value
    return values
