"""What becomes of high dynamic range, from a file through a rendering into another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from realtime_bokeh.app import commands, parts
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.frame import Image
from realtime_bokeh.hdr import HLG, PQ, Curve
from realtime_bokeh.sources.video import VideoReader
from tests import clips
from tests.fakes import UnchangedEngine

pytestmark = pytest.mark.skipif(
    int(av.__version__.split(".")[0]) < 18,
    reason="PyAV before 18, the newest for Python 3.10, takes another matrix for BT.2020",
)

LEVELS = np.arange(300, 620)  # of luma in 10 bits
DISPLAY = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
DISPLAY_READ = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329, 0.005, 1000)
WRITTEN_TO = [".mp4", ".mov", ".mkv", ".webm"]
MAPPED = "high dynamic range (PQ) was mapped to standard range, in 8 bits"


def _ramp(height: int = 64) -> Image:
    """All of LEVELS in every row, each one pixel wide."""
    row = np.rint((LEVELS - 64) / 876 * 0xFF00).astype(np.uint16)
    return np.tile(row[None, :, None], (height, 1, 3))


def _clip(path: Path, transfer: int = PQ, **how: Any) -> Path:
    """A ramp of high dynamic range."""
    also: Callable[[VideoStream], object] = how.pop("prepare", lambda stream: None)

    def tagged(stream: VideoStream) -> None:
        stream.codec_context.color_trc = transfer
        stream.codec_context.color_primaries = 9
        also(stream)

    light = f"log-level=none:repeat-headers=1:{DISPLAY}:max-cll=1000,400"
    usual = {
        "image": _ramp(), "times": clips.HALF_A_SECOND[:4], "codec": "libx265", "matrix": 9,
        "pix_fmt": "yuv420p10le", "options": {"crf": "4", "x265-params": light},
    }  # fmt: skip
    return clips.make(path, prepare=tagged, **{**usual, **how})


def _first(path: Path) -> VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(container.streams.video[0]))


def _luma(picture: VideoFrame) -> Image:
    return picture.to_ndarray()[: picture.height].astype(int)


def _light(picture: VideoFrame) -> tuple[list[float], list[int]]:
    display: Any = picture.side_data.get("MASTERING_DISPLAY_METADATA")
    content: Any = picture.side_data.get("CONTENT_LIGHT_LEVEL")
    fractions = np.frombuffer(display, np.int32)[:20].reshape(10, 2)
    return list(fractions[:, 0] / fractions[:, 1]), np.frombuffer(content, np.int32).tolist()


def _half_blurred(image: Image) -> Callable[[], Image]:
    """An effect whose focus is on the right half."""
    rendering = image.copy()
    half = image.shape[1] // 2
    rendering[:, :half] = cv2.blur(image, (41, 41))[:, :half]
    return lambda: rendering


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("ending", WRITTEN_TO)
def test_levels_tags_and_light_are_kept(tmp_path: Path, transfer: int, ending: str) -> None:
    before, after = _clip(tmp_path / "in.mp4", transfer), tmp_path / f"out{ending}"
    assert clips.copy(before, after) == []
    source, target = _first(before), _first(after)
    assert target.format.name == "yuv420p10le"
    assert (target.colorspace, target.color_primaries, target.color_trc) == (9, 9, transfer)
    assert target.color_range == source.color_range
    assert abs(_luma(target).mean() - _luma(source).mean()) < 2
    assert len(np.unique(_luma(target)[32])) >= 256
    display, content = _light(target)
    assert display == pytest.approx(DISPLAY_READ, abs=1e-4)
    assert content == [1000, 400]
    with av.open(str(after)) as container:
        found = container.streams.video[0].codec_context.codec.canonical_name
    assert found == ("av1" if ending == ".webm" else "hevc")


def test_what_says_nothing_about_its_light_stays_so(tmp_path: Path) -> None:
    before = _clip(tmp_path / "in.mp4", HLG, options={"x265-params": "log-level=none"})
    for ending in WRITTEN_TO:
        after = tmp_path / f"out{ending}"
        clips.copy(before, after)
        assert _first(after).side_data.get("MASTERING_DISPLAY_METADATA") is None
        assert _first(after).side_data.get("CONTENT_LIGHT_LEVEL") is None


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_what_is_in_focus_keeps_its_depth(tmp_path: Path, transfer: int) -> None:
    before, after = _clip(tmp_path / "in.mp4", transfer), tmp_path / "out.mp4"
    clips.copy(before, after, crf=4, effect=_half_blurred)
    source, target = _luma(_first(before)), _luma(_first(after))
    assert np.abs(target - source)[:, 170:].max() <= 1
    # beyond the blur's reach from the ends, that of a ramp is the ramp
    assert np.abs(target - source)[:, 24:136].max() <= 8
    assert target[32, 2] > source[32, 2] + 4  # at its dark end it is lighter


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_what_is_seen_is_in_order_and_leads_back(transfer: int) -> None:
    curve = Curve(transfer)
    deep = np.repeat(np.arange(0x10000, dtype=np.uint16), 3).reshape(256, 256, 3)
    seen = curve.seen(deep)
    assert seen.dtype == np.uint8
    assert (np.diff(seen[..., 0].ravel().astype(int)) >= 0).all()
    assert (np.unique(seen) == np.arange(256)).all()
    assert (curve.restored(deep, seen) == deep).all()
    for level in (0, 90, 255):  # nothing of the original shows in what is blurred to one level
        assert (curve.seen(curve.restored(deep, np.full_like(seen, level))) == level).all()


def test_white_paper_is_seen_bright_and_what_is_brighter_brighter() -> None:
    paper, lamp = (np.full((1, 1, 3), share * 0xFF00, np.uint16) for share in (0.58, 0.75))
    seen = [int(Curve(PQ).seen(image)[0, 0, 0]) for image in (paper, lamp)]
    assert 190 < seen[0] < 220
    assert seen[0] + 20 < seen[1] < 250


@pytest.mark.parametrize(
    ("name", "codec"), [("out.mp4", "h264"), ("out.mkv", "vp9"), ("out.webm", "vp9")]
)
def test_a_codec_of_eight_bits_gets_standard_range(tmp_path: Path, name: str, codec: str) -> None:
    before = _clip(tmp_path / "in.mp4")
    assert clips.copy(before, tmp_path / name, codec=codec) == [MAPPED]
    assert _first(tmp_path / name).format.name == "yuv420p"
    assert _first(tmp_path / name).color_trc == 1


@pytest.mark.parametrize(
    ("pix_fmt", "matrix", "more"),
    [
        ("gbrp10le", 0, []),
        ("yuva444p10le", 9, ["transparent parts, if it has any, became black"]),
    ],
)
def test_rgb_and_transparency_get_standard_range(
    tmp_path: Path, pix_fmt: str, matrix: int, more: list[str]
) -> None:
    before = _clip(
        tmp_path / "in.mkv", codec="ffv1", pix_fmt=pix_fmt, matrix=matrix, options={"g": "1"}
    )
    assert clips.copy(before, tmp_path / "out.mkv") == [MAPPED, *more]
    assert _first(tmp_path / "out.mkv").color_trc == 1


@pytest.mark.parametrize("mirror", [False, True])
def test_a_rendering_keeps_it_unless_it_is_mirrored(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mirror: bool,
) -> None:
    monkeypatch.setattr(parts, "open_engine", lambda *_: UnchangedEngine())
    before, after = _clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    commands.render(Settings(mirror=mirror), [before], after)
    assert (_first(after).color_trc == PQ) != mirror
    assert (MAPPED in " ".join(capsys.readouterr().err.split())) == mirror


@pytest.mark.parametrize("ending", [".mkv", ".webm"])
def test_full_range_keeps_its_levels(tmp_path: Path, ending: str) -> None:
    before, after = _clip(tmp_path / "in.mkv", full_range=True), tmp_path / f"out{ending}"
    clips.copy(before, after)
    assert _first(after).color_range == _first(before).color_range == 2
    difference = _luma(_first(after)) - _luma(_first(before))
    assert abs(difference.mean()) < 0.5


def test_eight_bits_of_it_are_kept_in_ten(tmp_path: Path) -> None:
    options = {"crf": "4"}
    before = _clip(tmp_path / "in.mkv", HLG, codec="libx264", pix_fmt="yuv420p", options=options)
    assert clips.copy(before, tmp_path / "out.mkv") == []
    target = _first(tmp_path / "out.mkv")
    assert (target.format.name, target.color_trc) == ("yuv420p10le", HLG)
    assert abs(_luma(target).mean() - 4 * _luma(_first(before)).mean()) < 2


def test_more_than_ten_bits_are_cut_with_a_word(tmp_path: Path) -> None:
    before = _clip(tmp_path / "in.mkv", pix_fmt="yuv422p12le")
    assert clips.copy(before, tmp_path / "out.mkv") == ["more than 10 bits a channel became 10"]
    assert len(np.unique(_luma(_first(tmp_path / "out.mkv"))[32])) >= 256


def test_a_turned_clip_of_odd_sides_is_upright_and_even(tmp_path: Path) -> None:
    before = _clip(
        tmp_path / "in.mp4", image=_ramp(65)[:, :319], pix_fmt="yuv444p10le",
        prepare=lambda stream: stream.set_display_rotation(-90),
    )  # fmt: skip
    after = tmp_path / "out.mp4"
    assert clips.copy(before, after) == ["65x319 became 66x320, as players need even sides"]
    column = _luma(_first(after))[:319, 32]
    assert np.abs(column - LEVELS[:319]).max() <= 2


def test_two_fields_become_one_picture(tmp_path: Path) -> None:
    before = _clip(
        tmp_path / "in.mkv", codec="libx264",
        options={"crf": "4", "flags": "+ildct+ilme", "x264-params": "tff=1"},
    )  # fmt: skip
    after = tmp_path / "out.mkv"
    assert clips.copy(before, after) == ["it was interlaced, and is deinterlaced now"]
    assert np.abs(_luma(_first(after)) - _luma(_first(before))).max() <= 3


def _with_hdr10_plus(path: Path, clip: Path) -> Path:
    """A clip as raw HEVC with dynamic metadata before its first picture, which say nothing."""
    kind = b"\x04\x16\xb5\x00\x3c\x00\x01\x04\x01"  # SEI of ITU-T T.35, 22 bytes, SMPTE ST 2094-40
    body = b"\x40" + b"\x00\x00\x03" * 7 + b"\x80"  # one window; no three zeros may follow
    with av.open(str(clip)) as container:
        packets = [bytes(p) for p in container.demux(container.streams.video[0])]
    path.write_bytes(b"\x00\x00\x00\x01\x4e\x01" + kind + body + b"".join(packets))
    return path


def test_dynamic_metadata_are_left_out_with_a_word(tmp_path: Path) -> None:
    raw = _clip(tmp_path / "raw.hevc", container_format="hevc")
    before = _with_hdr10_plus(tmp_path / "in.hevc", raw)
    assert _first(before).side_data.get("DYNAMIC_HDR_PLUS") is not None
    remarks = clips.copy(before, tmp_path / "out.mkv")
    assert remarks == ["dynamic metadata (HDR10+, Dolby Vision) were left out"]


def test_frames_come_deep_only_where_they_are_wanted(tmp_path: Path) -> None:
    before = _clip(tmp_path / "in.mp4")
    for wanted in (False, True):
        reader = VideoReader(before, keep_hdr=wanted)
        frame = reader.read()
        reader.close()
        assert frame is not None
        assert frame.image.dtype == np.uint8
        assert (frame.deep is not None) == wanted
