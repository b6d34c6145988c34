"""Transparent videos: what is written comes back, with its opacity, in every format."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec import CodecContext
from av.video.codeccontext import VideoCodecContext

from realtime_bokeh.colours import BT601, BT709, RGB
from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import EXACT, Frame, Image
from realtime_bokeh.sinks.encoders import choose_clear
from realtime_bokeh.sinks.video import VideoWriter
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.video import VideoReader
from tests import clips

LIMITED, FULL = 1, 2
FORMATS = [("out.mov", "prores", 1), ("out.webm", "vp9", 6), ("out.mkv", "ffv1", 0)]


def _cutout(size: Size = Size(48, 64)) -> Image:
    """Colour that changes downwards, and opacity that does to the right."""
    rows, columns = np.mgrid[: size.height, : size.width]
    opacity = np.clip(columns * 6 - 60, 0, 255)
    return np.dstack([rows * 4, 200 - rows, 90 + rows * 0, opacity]).astype(np.uint8)


def _read(path: Path) -> list[Image]:
    """Every frame, uint8 [H, W, 4]."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = stream.codec_context
        if decoder.name == "vp9":  # FFmpeg's own decoder leaves the opacity out
            decoder = CodecContext.create("libvpx-vp9", "r")
        assert isinstance(decoder, VideoCodecContext)
        frames = [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]
        return [frame.to_ndarray(format="bgra", interpolation=EXACT) for frame in frames]


def _write(path: Path, cutout: Image, original: VideoReader | None = None) -> None:
    size, time_base = Size.of(cutout), Fraction(1, 24)
    writer = VideoWriter(path, size, 24, time_base, original, alpha=True)
    for index in range(3):
        writer.write(Frame(cutout, index, 0.0, index, 1))
    writer.close(complete=True)


@pytest.mark.parametrize(("name", "codec", "off"), FORMATS)
def test_colours_and_opacity_come_back(tmp_path: Path, name: str, codec: str, off: int) -> None:
    cutout = _cutout()
    _write(tmp_path / name, cutout)
    frames = _read(tmp_path / name)
    assert len(frames) == 3
    for frame in frames:
        difference = np.abs(frame.astype(int) - cutout)
        assert difference[..., :3].mean() <= off / 3
        assert difference[..., :3].max() <= 2 * off
        assert difference[..., 3].max() <= off
        assert (frame[..., 3][cutout[..., 3] == 0] <= off).all()
    with av.open(str(tmp_path / name)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.codec.canonical_name == codec
        matrix, colour_range = (RGB, FULL) if codec == "ffv1" else (BT709, LIMITED)
        assert stream.codec_context.colorspace == matrix
        assert stream.codec_context.color_range == colour_range
        assert codec != "vp9" or stream.metadata["alpha_mode"] == "1"  # players go by it


@pytest.mark.parametrize(("name", "codec", "off"), FORMATS)
def test_sound_and_odd_sides_stay(tmp_path: Path, name: str, codec: str, off: int) -> None:
    kind = "libopus" if name.endswith("webm") else "aac"
    before = clips.make(tmp_path / "in.mkv", audio=[kind], matrix=BT601, full_range=True)
    reader = VideoReader(before, tracks=True)
    while reader.read():
        pass
    _write(tmp_path / name, _cutout(Size(47, 63)), reader)
    reader.close()
    frame = _read(tmp_path / name)[0]
    difference = np.abs(frame[:47, :63].astype(int) - _cutout(Size(47, 63)))
    assert difference.max() <= 2 * off
    assert clips.sounds(tmp_path / name) == clips.sounds(before)


def test_standard_output_gets_what_loses_nothing() -> None:
    assert choose_clear(Path("-"), None, None).name == "ffv1"


def test_quality_is_that_of_vp9() -> None:
    encoder = choose_clear(Path("out.webm"), None, 40)
    assert encoder.told(40)["crf"] == "40"


@pytest.mark.parametrize("name", ["out.mp4", "out.m4v"])
def test_mp4_holds_no_transparency(name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name} cannot hold transparency; .*\.mov, \.mkv, \.we"):
        choose_clear(Path(name), None, None)
