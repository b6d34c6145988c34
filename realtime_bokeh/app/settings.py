"""Settings: defaults, a profile, the environment, flags; the later override the earlier."""

import difflib
import os
import re
import sys
from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from realtime_bokeh.app.options import BY_NAME, LIVE, OPTIONS, Value
from realtime_bokeh.errors import UsageError
from realtime_bokeh.sizes import InferenceSize, Size

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Settings:
    """What the options say; `options.OPTIONS` tells what each means.

    output: None is the virtual webcam.
    virtual_camera: None is the first that is free.
    panel: the port of the control page; None is no page.
    audio: a microphone as `sources.microphone.find_microphone` has it; None is no sound.
    device, precision: None is what is fastest; see `engines.open_engine`.
    threads: None is half of the cores in live use, and else the engine's choice.
    metrics: a file; None is none.
    size, fps: None is what the camera prefers.
    inference_size: None is what the model was made for.
    start, end: seconds; None is the video's own.
    codec, crf: None is what `sinks.encoders.choose` takes.

    Raises:
        UsageError: for a value out of its range.
    """

    camera: str | None = None
    wait: bool = False
    on_error: str = "card"
    output: str | None = None
    virtual_camera: str | None = None
    audio: str | None = None
    preview: bool = False
    panel: int | None = None
    model: str = "lite"
    strength: float = 1.0
    smoothing: float = 0.5
    inference_size: InferenceSize | None = None
    size: Size | None = None
    fps: float | None = None
    always_on: bool = False
    adapt: bool = True
    mirror: bool = False
    engine: str = "auto"
    device: str | None = None
    precision: str | None = None
    threads: int | None = None
    low_priority: bool = False
    metrics: str | None = None
    start: float | None = None
    end: float | None = None
    codec: str | None = None
    crf: int | None = None
    verbose: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            BY_NAME[field.name].check(getattr(self, field.name))
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError(f"--end {self.end:g} s is not behind --start {self.start or 0:g} s")


def defaults() -> dict[str, object]:
    """The defaults by the option's name."""
    return {field.name: field.default for field in fields(Settings)}


def environment() -> dict[str, str]:
    """What the environment says for live use, by the option's name; empty texts say nothing."""
    texts = {option.name: os.environ.get(option.variable, "") for option in OPTIONS}
    return {name: text for name, text in texts.items() if text and LIVE in BY_NAME[name].commands}


def load_settings(
    profile: Path | None, flags: Mapping[str, object], variables: Mapping[str, str] = {}
) -> Settings:
    """Settings from a profile, if any, flags and variables; see `load_with_origins`."""
    return load_with_origins(profile, flags, variables)[0]


def load_with_origins(
    profile: Path | None, flags: Mapping[str, object], variables: Mapping[str, str] = {}
) -> tuple[Settings, dict[str, str]]:
    """Settings from a profile, if any, flags and variables, and where they come from.

    Args:
        profile: a TOML file whose keys are the names of the options, with - or _.
        flags: by the option's name: texts as they were written, or true or false; None means that
            a flag was not given.
        variables: as `environment` gives them; they override the profile.

    Returns:
        The settings, and by the option's name the profile's path, the variable or the flag that
        gave the value;
        what has its default is not among them, nor `stacked`, which is a `model` here.

    Raises:
        UsageError: when the profile cannot be read, has an unknown key, or a value is wrong.
    """
    given = {
        name: BY_NAME[name].read(value) if isinstance(value, str) else bool(value)
        for name, value in flags.items()
        if value is not None
    }
    from_variables = _read_variables(variables, overridden=given)
    values = read_profile(profile, overridden={*given, *from_variables}) if profile else {}
    origins = dict.fromkeys(values, str(profile))
    values |= from_variables
    for name in from_variables:
        stands_for = name == "model" and "model" not in variables
        origins[name] = BY_NAME["stacked" if stands_for else name].variable
    stacked = given.get("stacked")
    if stacked is False and values.get("model") == "stacked":
        del values["model"]
        origins["model"] = BY_NAME["stacked"].off_flag
    given = _choose_stacked(given)
    for name, value in given.items():
        origins[name] = BY_NAME[name].off_flag if value is False else BY_NAME[name].flag
    if stacked:
        origins["model"] = BY_NAME["stacked"].flag
    return replace(Settings(), **(values | given)), origins


def _read_variables(texts: Mapping[str, str], overridden: Container[str]) -> dict[str, Any]:
    """What variables say, by the option's name; as `read_profile`."""
    values: dict[str, Value] = {}
    for name, text in texts.items():
        option = BY_NAME[name]
        try:
            values[name] = option.read(text)
            if name not in overridden:
                option.check(values[name])
        except UsageError as error:
            raise UsageError(f"{option.variable}: {error}") from error
    return _choose_stacked(values)


def _choose_stacked(values: dict[str, Value]) -> dict[str, Any]:
    """Values with `stacked`, which only stands for a model, made the model."""
    stacked = values.pop("stacked", None)
    if stacked:
        model = values.setdefault("model", "stacked")
        if model != "stacked":
            raise UsageError(f"--stacked and --model {model} exclude each other; leave one out")
    return values


def read_toml(said: str, path: Path) -> dict[str, object]:
    """What a TOML file holds.

    Args:
        said: what it is, for errors, such as the option that names it.

    Raises:
        UsageError: when it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{said} {path} cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{said} {path} is not TOML ({error})") from error


def read_profile(path: Path, overridden: Container[str] = ()) -> dict[str, Any]:
    """What a profile says, by the option's name; `stacked` is a `model` there.

    Args:
        overridden: names whose values need not be within their range.

    Raises:
        UsageError: as `load_settings`.
    """
    values: dict[str, Value] = {}
    for key, entry in read_toml("Profile", path).items():
        name = key.replace("-", "_")
        option = BY_NAME.get(name)
        if option is None:
            known = [option.name for option in OPTIONS]
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"Profile {_line(path, key)}: {key!r} is unknown; {hint}")
        try:
            values[name] = option.read_toml(entry)
            if name not in overridden:
                option.check(values[name])
        except UsageError as error:
            raise UsageError(f"Profile {_line(path, key)}: {error}") from error
    try:
        return _choose_stacked(values)
    except UsageError as error:
        raise UsageError(f"Profile {path}: {error}") from error


def _line(path: Path, key: str) -> str:
    """A profile's path and the line of a key in it, where one begins with that."""
    begins = re.compile(rf"""\s*\[?\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if begins.match(line):
            return f"{path}, line {number}"
    return f"{path}"
