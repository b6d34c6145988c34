"""The encoders that videos may be written with, and what each is told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from realtime_bokeh.errors import UsageError
from realtime_bokeh.files import STANDARD
from realtime_bokeh.hdr import UNKNOWN, Light

FORMATS = {
    ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm",
}  # fmt: skip


@dataclass(frozen=True)
class Encoder:
    """One way to encode video.

    name: PyAV's.
    crf: the quality where none is asked for: one at which no loss is seen.
    least, most: the best and the worst value of it.
    options: what it is told; {crf} stands for the quality, {light} for the light of high dynamic
        range.
    pix_fmt: what it takes.
    light: how it is told that light.
    live: what it is told beside its options for what is live: to keep no picture back, and to make
        a picture that shall be whole one where a player can begin.
    """

    name: str
    crf: int
    most: int
    options: dict[str, str] = field(default_factory=dict)
    pix_fmt: str = "yuv420p"
    least: int = 0
    light: Callable[[Light], str] = lambda light: ""
    live: dict[str, str] = field(default_factory=dict)

    def told(self, crf: int | None, light: Light = UNKNOWN) -> dict[str, str]:
        """Its options with a quality in them, or its own, and the light of what is written."""
        quality = str(self.crf if crf is None else crf)
        return {
            name: value.format(crf=quality, light=self.light(light))
            for name, value in self.options.items()
        }


def _hardware() -> Iterator[tuple[str, Encoder]]:
    for codec, crf, most in (("h264", 20, 51), ("hevc", 24, 51), ("av1", 30, 63)):
        yield (
            f"{codec}_nvenc",
            Encoder(
                f"{codec}_nvenc", crf, most, {"rc": "vbr", "cq": "{crf}", "preset": "p5", "bf": "0"}
            ),
        )
        yield (
            f"{codec}_qsv",
            Encoder(f"{codec}_qsv", crf, most, {"global_quality": "{crf}", "bf": "0"}, "nv12"),
        )
        yield (
            f"{codec}_amf",
            Encoder(
                f"{codec}_amf", crf, most, {"rc": "cqp", "qp_i": "{crf}", "qp_p": "{crf}"}, "nv12"
            ),
        )
    for codec in ("h264", "hevc"):  # quality of 100 is the best of VideoToolbox
        yield (
            f"{codec}_videotoolbox",
            Encoder(
                f"{codec}_videotoolbox", 65, 100, {"flags": "+qscale", "global_quality": "{crf}"}
            ),
        )


# Codecs of the formats that do not hold all of them.
_HOLDS = {"webm": ("vp9", "av1"), "mov": ("h264", "hevc")}

# At speeds that leave the processor to the network. B-frames would make the length that an MP4
# states wrong where frames are not evenly spaced.
ENCODERS = {
    "h264": Encoder(
        "libx264", 18, 51, {"crf": "{crf}", "preset": "veryfast", "bf": "0"},
        least=1,  # 0 makes another profile, which few players know
        live={"tune": "zerolatency", "forced-idr": "1"},
    ),
    "hevc": Encoder(
        "libx265", 20, 51,
        {"crf": "{crf}", "preset": "veryfast", "x265-params": "log-level=none:bframes=0"},
    ),
    "av1": Encoder("libsvtav1", 28, 63, {"crf": "{crf}", "preset": "9"}),
    "vp9": Encoder(
        "libvpx-vp9", 24, 63,
        {"crf": "{crf}", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"},
        live={"lag-in-frames": "0"},
    ),
    **dict(_hardware()),
}  # fmt: skip


# Those that keep transparency, by the format: for editors, for browsers, and without any loss.
_CLEAR_ENCODERS = {
    "mov": Encoder("prores_ks", 0, 0, {"profile": "4444", "vendor": "apl0"}, "yuva444p10le"),
    "webm": replace(
        ENCODERS["vp9"], options={**ENCODERS["vp9"].options, "auto-alt-ref": "0"},
        pix_fmt="yuva420p",
    ),
    "matroska": Encoder("ffv1", 0, 0, {"level": "3", "slices": "4"}, "bgra"),
}  # fmt: skip
CLEAR = tuple(ending for ending, kind in FORMATS.items() if kind in _CLEAR_ENCODERS)
"""Endings of the files that hold transparency."""


def _light(
    light: Light, display: str, content: str, of_chroma: int, of_luma: int, digits: int
) -> str:
    """Parameters of one of the two encoders, with its names and units."""
    told: list[str] = []
    if light.display:
        *chroma, least, most = light.display
        x_y = [f"{value * of_chroma:.{digits}f}" for value in chroma]
        red, green, blue, white = (f"({x},{y})" for x, y in zip(x_y[::2], x_y[1::2], strict=True))
        range_ = f"({most * of_luma:.{digits}f},{least * of_luma:.{digits}f})"
        told.append(f"{display}=G{green}B{blue}R{red}WP{white}L{range_}")
    if light.content:
        told.append(f"{content}={light.content[0]},{light.content[1]}")
    return ":".join(told)


# Those that keep high dynamic range, in 10 bits.
_HDR_ENCODERS = {
    "hevc": replace(
        ENCODERS["hevc"], pix_fmt="yuv420p10le",
        options={
            **ENCODERS["hevc"].options,
            "x265-params": ENCODERS["hevc"].options["x265-params"] + ":repeat-headers=1:{light}",
        },
        light=lambda light: _light(light, "master-display", "max-cll", 50_000, 10_000, 0),
    ),
    "av1": replace(
        ENCODERS["av1"], pix_fmt="yuv420p10le",
        options={**ENCODERS["av1"].options, "svtav1-params": "{light}"},
        light=lambda light: _light(light, "mastering-display", "content-light", 1, 1, 5),
    ),
}  # fmt: skip


def format_of(path: Path) -> str:
    """FFmpeg's name of a file's format."""
    return "matroska" if path == STANDARD else FORMATS[path.suffix.lower()]


def _held(path: Path) -> tuple[str, ...]:
    """The codecs that a file may have, the usual one first."""
    return _HOLDS.get(format_of(path), ("h264", "hevc", "av1", "vp9"))


def _exists(encoder: Encoder) -> bool:
    from av.codec import Codec  # not above: the command line names the encoders in its help
    from av.codec.codec import UnknownCodecError

    try:
        Codec(encoder.name, "w")
    except UnknownCodecError:
        return False
    return True


def choose_hdr(path: Path, codec: str | None) -> Encoder | None:
    """The encoder that keeps high dynamic range in a file, by default HEVC, or AV1 in WebM; None if
    `codec`, which the file can hold, does not keep it."""
    encoders = [_HDR_ENCODERS.get(name) for name in ([codec] if codec else _held(path))]
    return next((encoder for encoder in encoders if encoder and _exists(encoder)), None)


def choose_clear(path: Path, codec: str | None, crf: int | None) -> Encoder:
    """The encoder that keeps transparency in a file: ProRes 4444, VP9 in WebM, FFV1 in Matroska.

    Raises:
        UsageError: when the format holds none, or a codec or a quality is asked for that it does
            not have.
    """
    encoder = _CLEAR_ENCODERS.get(format_of(path))
    if encoder is None:
        raise UsageError(f"{path} cannot hold transparency; end its name in {', '.join(CLEAR)}")
    if codec is not None:
        raise UsageError(f"With --alpha the ending of {path} says the codec; leave out --codec")
    if not _exists(encoder):
        raise UsageError(f"PyAV has no encoder {encoder.name} here; choose another format")
    if crf is not None and not encoder.most:
        raise UsageError(f"--crf has no meaning for {encoder.name}, as {path} has it; leave it out")
    _check_quality(encoder, crf, "vp9")
    return encoder


def choose(path: Path, codec: str | None, crf: int | None) -> Encoder:
    """The encoder for a file, by default H.264, or VP9 in WebM.

    Raises:
        UsageError: when the format cannot hold it, PyAV has no such encoder, or the quality is out
            of its range.
    """
    held = _held(path)
    name = codec or held[0]
    encoder = ENCODERS[name]
    if not name.startswith(held):
        remedy = f"choose --codec {' or '.join(held)}, or end its name in .mkv"
        raise UsageError(f"{path} cannot hold {name}; {remedy}")
    if not _exists(encoder):
        raise UsageError(f"PyAV has no encoder {encoder.name} here; leave out --codec")
    _check_quality(encoder, crf, name)
    return encoder


def _check_quality(encoder: Encoder, crf: int | None, name: str) -> None:
    if crf is not None and not encoder.least <= crf <= encoder.most:
        fitting = f"give {encoder.least} to {encoder.most}"
        raise UsageError(f"--crf {crf} is out of range for {name}; {fitting}")
