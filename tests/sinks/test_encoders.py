from pathlib import Path

import av
import numpy as np
import pytest

from realtime_bokeh.errors import UsageError
from realtime_bokeh.sinks.encoders import ENCODERS, choose
from tests import clips


@pytest.mark.parametrize(
    ("name", "codec", "found"),
    [
        ("out.mp4", None, "h264"),
        ("out.webm", None, "vp9"),
        ("out.mp4", "hevc", "hevc"),
        ("out.mov", "hevc", "hevc"),
        ("out.mkv", "hevc", "hevc"),
        ("out.mp4", "av1", "av1"),
        ("out.webm", "av1", "av1"),
        ("out.mkv", "vp9", "vp9"),
    ],
)
def test_a_codec_keeps_frames_and_times(
    tmp_path: Path, name: str, codec: str | None, found: str
) -> None:
    moments = [0.0, 0.04, 0.5, 0.51, 0.6, 1.4, 1.44]
    before = clips.make(tmp_path / "in.mkv", moments, clips.steps(7))
    clips.copy(before, tmp_path / name, codec=codec)
    assert clips.times(tmp_path / name) == pytest.approx(moments, abs=0.0015)
    levels = clips.levels(tmp_path / name)
    assert levels == pytest.approx(clips.levels(before), abs=3)
    with av.open(str(tmp_path / name)) as container:
        context = container.streams.video[0].codec_context
        assert context.codec.canonical_name == found
        assert context.pix_fmt == "yuv420p"
        apple = name.endswith((".mp4", ".mov")) and found == "hevc"
        assert (context.codec_tag == "hvc1") == apple


def test_more_crf_is_less_data(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8)
    before = clips.make(tmp_path / "in.mkv", image=noise)
    for codec in ("h264", "hevc", "av1", "vp9"):
        sizes = []
        for crf in (10, 45):
            after = tmp_path / f"{codec}{crf}.mkv"
            clips.copy(before, after, codec=codec, crf=crf)
            sizes.append(after.stat().st_size)
        assert sizes[0] > 1.5 * sizes[1]


@pytest.mark.parametrize(
    ("name", "codec", "crf", "sentence"),
    [
        ("out.webm", "h264", None, r"out\.webm cannot hold h264; choose --codec vp9 or av1"),
        ("out.mov", "av1", None, r"out\.mov cannot hold av1; choose --codec h264 or hevc"),
        ("out.mp4", "h264_videotoolbox", None, "PyAV has no encoder h264_videotoolbox here"),
        ("out.mp4", "hevc", 52, "--crf 52 is out of range for hevc; give 0 to 51"),
    ],
)
def test_what_cannot_be_is_refused(name: str, codec: str, crf: int | None, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        choose(Path(name), codec, crf)


def test_an_encoder_without_its_hardware_is_refused(tmp_path: Path) -> None:
    before = clips.make(tmp_path / "in.mkv")
    for name in ("h264_nvenc", "h264_qsv", "h264_amf"):
        try:
            clips.copy(before, tmp_path / "out.mp4", codec=name)
        except UsageError as error:
            assert str(error).endswith("leave out --codec")  # noqa: PT017 - it may be there
            assert not (tmp_path / "out.mp4").exists()
        else:
            assert len(clips.times(tmp_path / "out.mp4")) == 12


def test_qualities_lie_in_their_ranges() -> None:
    for encoder in ENCODERS.values():
        assert 0 < encoder.crf < encoder.most
        assert str(encoder.crf) in encoder.told(None).values()
        assert "{crf}" not in "".join(encoder.told(None).values())
        assert encoder.told(47) != encoder.told(48)
