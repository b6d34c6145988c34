"""The table of options: each is stated once, and all else follows from it.

The command line, the keys of profiles, the checks of both and the table in the README are made from
OPTIONS. What a value becomes is in `settings`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from realtime_bokeh.errors import UsageError
from realtime_bokeh.panel import PORT
from realtime_bokeh.sinks.encoders import ENCODERS
from realtime_bokeh.sizes import InferenceSize, Size, parse_inference_size, parse_size

Value = str | float | bool | Size | InferenceSize
Command = TypeVar("Command", bound=Callable[..., None])


class Kind(Enum):
    """What an option's value is; the text says so where a profile holds something else."""

    TEXT = "a text in quotes"
    NUMBER = "a number"
    COUNT = "a whole number"
    TIME = 'a time in quotes, such as "1:23.5"'
    SWITCH = "true or false"
    SIZE = 'a size in quotes, such as "1280x720"'
    INFERENCE_SIZE = 'a size in quotes, such as "256x144", or "full"'


_SWITCHES = {"true": True, "1": True, "false": False, "0": False}  # as texts


@dataclass(frozen=True)
class Option:
    """One option of the command line and key of a profile.

    name: of the field in `Settings`, and of the key; the flag has dashes for underscores.
    kind: what its value is.
    shape: how its value is written, as help shows it; empty for switches.
    help: what it does, without the default.
    commands: that have it.
    choices: all values, for a text of which there are few.
    bounds: the least and the largest value of a number.
    unset: what holds where it has no default and is not given.
    bare: the value of the flag alone, if it may stand without one.
    """

    name: str
    kind: Kind
    shape: str
    help: str
    commands: tuple[str, ...]
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    unset: str = ""
    bare: str | None = None

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def off_flag(self) -> str:
        """What switches a switch off."""
        return "--no-" + self.flag[2:]

    @property
    def variable(self) -> str:
        """The variable of the environment that stands for it in live use."""
        return f"REALTIME_BOKEH_{self.name.upper()}"

    def read(self, text: str) -> Value:
        """The value of a text from the command line or the environment.

        Raises:
            UsageError: when it is none.
        """
        if self.kind is Kind.SWITCH:
            if text.lower() not in _SWITCHES:
                raise UsageError(f"{self.flag} {text!r} is not {self.kind.value}")
            return _SWITCHES[text.lower()]
        if self.kind is Kind.SIZE:
            return parse_size(self.flag, text)
        if self.kind is Kind.INFERENCE_SIZE:
            return parse_inference_size(self.flag, text)
        if self.kind is Kind.TIME:
            return _seconds(self.flag, text)
        if self.kind in (Kind.NUMBER, Kind.COUNT):
            try:
                return float(text) if self.kind is Kind.NUMBER else int(text)
            except ValueError:
                raise UsageError(f"{self.flag} {text!r} is not {self.kind.value}") from None
        return text

    def read_toml(self, value: object) -> Value:
        """The value of an entry of a profile.

        Raises:
            UsageError: when it is of another kind or cannot be read.
        """
        if isinstance(value, bool):  # first, since Python counts it among the numbers
            if self.kind is Kind.SWITCH:
                return value
        elif isinstance(value, (int, float)):
            if self.kind in (Kind.NUMBER, Kind.TIME):
                return float(value)
            if self.kind is Kind.COUNT and isinstance(value, int):
                return value
        elif isinstance(value, str) and self.kind not in (Kind.SWITCH, Kind.NUMBER, Kind.COUNT):
            return self.read(value)
        raise UsageError(f"{self.name} = {value!r} is not {self.kind.value}")

    def check(self, value: Value | None) -> None:
        """Refuse a value out of the option's range; None is "not given".

        Raises:
            UsageError: when it is not among the choices or out of bounds.
        """
        if value is None:
            return
        if self.choices and value not in self.choices:
            raise UsageError(f"{self.flag} {value!r} is unknown; choose {', '.join(self.choices)}")
        if self.bounds is not None:
            low, high = self.bounds
            if not (isinstance(value, (int, float)) and low <= value <= high):  # NaN is neither
                said = f"{value:g}" if isinstance(value, float) else value
                raise UsageError(f"{self.flag} {said} is out of range; give {low:g} to {high:g}")


_DAYS = 1e6  # seconds, more than any video has
LIVE, RENDER, DEMO, BENCH = "live", "render", "demo", "bench"
_ALL = (LIVE, RENDER, DEMO, BENCH)

OPTIONS = (
    Option("camera", Kind.TEXT, "CAMERA",
           "Camera by its index, /dev path or by-id name, or by its address on the network, such "
           "as rtsp://host/path; or a video file, again and again; demo is the built-in scene",
           (LIVE,)),
    Option("wait", Kind.SWITCH, "", "Begin without the camera, and wait for it", (LIVE,)),
    Option("on_error", Kind.TEXT, "card|passthrough",
           "What is shown when the effect fails: a card that says so, or the camera as it is",
           (LIVE,), choices=("card", "passthrough")),
    Option("output", Kind.TEXT, "FILE",
           "A video file instead of the virtual webcam; none writes nothing, - writes raw bgr24 "
           "frames to standard output", (LIVE,), unset="the virtual webcam"),
    Option("virtual_camera", Kind.TEXT, "NAME",
           "Virtual webcam by its /dev path or label, where Linux has several", (LIVE,),
           unset="the first that is free"),
    Option("audio", Kind.TEXT, "[DEVICE]",
           "Record sound into the video file too, from the microphone with this number or part of "
           "a name, or from the system's own", (LIVE,), unset="no sound", bare="default"),
    Option("preview", Kind.SWITCH, "", "Show a window too; ? in it lists the keys", (LIVE,)),
    Option("panel", Kind.COUNT, "[PORT]",
           "Serve the control page too, for this computer alone", (LIVE,), bounds=(1, 65535),
           unset="no page", bare=str(PORT)),
    Option("background", Kind.TEXT, "COLOR|FILE",
           "Instead of the blur, a color, a photo or a clip behind what is in focus: the person, "
           "and what is as near", (LIVE, RENDER, DEMO), unset="your own, blurred"),
    Option("alpha", Kind.SWITCH, "",
           "Cut out what is in focus, the person and what is as near, with transparency: .png, "
           ".webp, .mov, .webm, .mkv", (RENDER,)),
    Option("model", Kind.TEXT, "NAME", "Network: lite, dmshn, stacked, or one that you imported",
           _ALL),
    Option("stacked", Kind.SWITCH, "", "The same as --model stacked", _ALL),
    Option("strength", Kind.NUMBER, "0..1",
           "How strong the blur is, as by opening a lens's aperture; 0 is none", _ALL,
           bounds=(0, 1)),
    Option("smoothing", Kind.NUMBER, "0..1",
           "How steady the blur is from frame to frame; what comes in is in focus at once", _ALL,
           bounds=(0, 1)),
    Option("inference_size", Kind.INFERENCE_SIZE, "WxH|full",
           "Size at which the network runs; full is the frame's own, up to the area of 1536x1024",
           _ALL, unset="what the model was made for"),
    Option("size", Kind.SIZE, "WxH", "Frame size to request from the camera or the built-in scene",
           (LIVE, DEMO, BENCH), unset="1280x720; 640x480 for the scene"),
    Option("fps", Kind.NUMBER, "N", "Frames per second to request from the camera or the scene",
           (LIVE, DEMO), bounds=(1, 240), unset="the camera's; 30 for the scene"),
    Option("always_on", Kind.SWITCH, "",
           "Keep the camera on while nobody watches the virtual webcam (Linux; elsewhere it is)",
           (LIVE,)),
    Option("adapt", Kind.SWITCH, "",
           "Render smaller or by a lighter model where the frame rate cannot be held", (LIVE,),
           unset="on"),
    Option("mirror", Kind.SWITCH, "", "Flip left and right", (LIVE, RENDER)),
    Option("engine", Kind.TEXT, "NAME", "Runtime: auto, openvino, pytorch or tensorrt", _ALL,
           choices=("auto", "openvino", "pytorch", "tensorrt")),
    Option("device", Kind.TEXT, "NAME",
           "Where it runs: CPU, GPU or NPU for OpenVINO; cpu, cuda or mps for PyTorch", _ALL,
           unset="the fastest"),
    Option("precision", Kind.TEXT, "NAME",
           "Precision of the network's arithmetic: f32, f16 or int8", _ALL,
           choices=("f32", "f16", "int8"), unset="the fastest"),
    Option("threads", Kind.COUNT, "N", "Threads of the CPU that the effect takes at a time", _ALL,
           bounds=(1, 1024), unset="half of the cores in live use; else every core"),
    Option("low_priority", Kind.SWITCH, "",
           "Give way to other programs, such as the call's own, where all want the CPU", (LIVE,)),
    Option("metrics", Kind.TEXT, "FILE.json",
           "A file that follows the run: its rates, latencies and troubles, anew every 5 seconds",
           (LIVE,), unset="none"),
    Option("start", Kind.TIME, "TIME", "Where in the video to begin, such as 83.5 or 1:23.5",
           (RENDER,), bounds=(0, _DAYS), unset="its beginning"),
    Option("end", Kind.TIME, "TIME", "Where in the video to end", (RENDER,), bounds=(0, _DAYS),
           unset="its end"),
    Option("codec", Kind.TEXT, "NAME",
           "Codec of the video: h264, hevc, av1 or vp9; with _nvenc, _qsv, _amf or _videotoolbox "
           "behind it, a GPU's encoder", (RENDER,), choices=tuple(ENCODERS),
           unset="h264; vp9 in .webm"),
    Option("crf", Kind.COUNT, "N", "Quality of the video; less is better and larger", (RENDER,),
           bounds=(0, 100), unset="one at which no loss is seen"),
    Option("verbose", Kind.SWITCH, "", "Say more, and show tracebacks", _ALL),
)  # fmt: skip
BY_NAME = {option.name: option for option in OPTIONS}


def options_of(command: str, defaults: Mapping[str, object]) -> Callable[[Command], Command]:
    """Give a Click command the options that the table lists for it, and --config.

    Args:
        command: LIVE, RENDER, DEMO or BENCH.
        defaults: by the option's name, for the help.
    """

    def decorate(function: Command) -> Command:
        config = click.option(
            "--config", type=click.Path(path_type=Path), metavar="FILE.toml",
            help="Any of these options from a file, such as: strength = 0.8",
        )  # fmt: skip
        for added in [config, *(_click_option(o, defaults) for o in reversed(_options(command)))]:
            function = added(function)
        return function

    return decorate


def option(name: str, default: str | None = None) -> Callable[[Command], Command]:
    """Give a Click command one option of the table, as a text with a default of its own."""
    listed = BY_NAME[name]
    said = f"{listed.help} (default: {default or listed.unset})"
    return click.option(
        listed.flag, metavar=listed.shape, default=default, help=said,
        shell_complete=_completion(listed),
    )  # fmt: skip


def _seconds(flag: str, text: str) -> float:
    """A time such as "83.5", "1:23.5" or "1:02:03" in seconds."""
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or any(part < 0 for part in parts):
        raise UsageError(f"{flag} {text!r} is not a time, such as 83.5 or 1:23.5")
    return sum(part * unit for part, unit in zip(reversed(parts), (1, 60, 3600), strict=False))


def _options(command: str) -> list[Option]:
    return [option for option in OPTIONS if command in option.commands]


def _click_option(option: Option, defaults: Mapping[str, object]) -> Callable[[Command], Command]:
    default = default_text(option, defaults)
    said = f"{option.help} (default: {default})" if default else option.help
    if option.kind is Kind.SWITCH:
        return click.option(f"{option.flag}/{option.off_flag}", default=None, help=said)
    alone: dict[str, Any] = (
        {} if option.bare is None else {"is_flag": False, "flag_value": option.bare}
    )
    return click.option(
        option.flag, metavar=option.shape, help=said, shell_complete=_completion(option), **alone
    )


def default_text(option: Option, defaults: Mapping[str, object]) -> str:
    """What holds where an option is not given, for people; empty for switches, which are off."""
    default = defaults.get(option.name)
    if option.kind is Kind.SWITCH or default is None:
        return option.unset
    return f"{default:g}" if isinstance(default, float) else str(default)


def _completion(
    option: Option,
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]] | None:
    """What a shell offers for an option's value; None: files, as is usual."""

    def complete(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(v) for v in _suggestions(option) if v.startswith(incomplete)]

    return None if option.name in ("output", "metrics") else complete


def _suggestions(option: Option) -> Iterable[str]:
    if option.name == "model":
        from realtime_bokeh.weights import models

        return [model.name for model in models()]
    return option.choices


def markdown_table(defaults: Mapping[str, object]) -> str:
    """The options as the README shows them."""
    rows = ["| option | meaning | default | commands |", "|---|---|---|---|"]
    for option in OPTIONS:
        shape = option.shape.replace("|", "\\|")
        flag = f"`{option.flag} {shape}`" if shape else f"`{option.flag}`"
        commands = "all" if option.commands == _ALL else ", ".join(option.commands)
        rows.append(f"| {flag} | {option.help} | {default_text(option, defaults)} | {commands} |")
    return "\n".join(rows) + "\n"
