import errno
import itertools
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from realtime_bokeh.errors import SinkError
from realtime_bokeh.frame import Frame
from realtime_bokeh.sinks.video import VideoWriter
from realtime_bokeh.sizes import Size
from tests import clips

FRAME = 1 / 24
ROUNDING = 0.0015  # Matroska counts milliseconds


@pytest.mark.parametrize(
    ("source", "target", "audio"),
    [
        ("in.mp4", "out.mp4", ["aac"]),
        ("in.mp4", "out.mkv", ["aac"]),
        ("in.mkv", "out.mkv", ["libopus"]),
        ("in.mkv", "out.mp4", ["libopus"]),
        ("in.mkv", "out.mkv", ["vorbis"]),
        ("in.mov", "out.mov", ["pcm_s16le"]),
        ("in.mkv", "out.mkv", ["aac", "libmp3lame"]),
        ("in.mp4", "out.mov", []),
    ],
)
def test_audio_frames_and_length_are_kept(
    tmp_path: Path, source: str, target: str, audio: list[str]
) -> None:
    before = clips.make(tmp_path / source, audio=audio)
    after = tmp_path / target
    clips.copy(before, after)
    assert clips.sounds(after) == clips.sounds(before)
    assert len(clips.sounds(after)) == len(audio)
    assert len(clips.times(after)) == 12
    # Matroska cannot say that the first 21 ms of AAC are not heard: everything moves by them
    assert clips.seconds(after) == pytest.approx(clips.seconds(before), abs=FRAME)


def test_sound_lies_beside_its_picture_in_the_file(tmp_path: Path) -> None:
    moments = [i / 2 for i in range(60)]  # FFmpeg itself waits 10 s for the other track
    after = tmp_path / "out.mp4"
    clips.copy(clips.make(tmp_path / "in.mp4", moments, audio=["aac"]), after)
    with av.open(str(after)) as container:
        places = sorted((p.pos, p.stream.type) for p in container.demux() if p.size)
    kinds = [kind for _, kind in places]
    changes = sum(one != other for one, other in itertools.pairwise(kinds))
    assert changes > 100


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_variable_frame_rate_is_kept(tmp_path: Path, ending: str) -> None:
    moments = [0.0, 0.04, 0.5, 0.51, 0.6, 1.4, 1.44]
    after = tmp_path / f"out{ending}"
    clips.copy(clips.make(tmp_path / f"in{ending}", moments), after)
    assert clips.times(after) == pytest.approx(moments, abs=ROUNDING)
    assert clips.seconds(after) == pytest.approx(1.44 + FRAME, abs=0.2)  # the last one's is a guess


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_long_last_frame_stays_long(tmp_path: Path, ending: str) -> None:
    before = clips.make(tmp_path / f"in{ending}", hold=2.0, options={"bf": "0"})
    clips.copy(before, tmp_path / f"out{ending}")
    assert clips.seconds(before) == pytest.approx(11 / 24 + 2, abs=FRAME)
    assert clips.seconds(tmp_path / f"out{ending}") == pytest.approx(11 / 24 + 2, abs=FRAME)


@pytest.mark.parametrize(("source", "target"), [("in.mkv", "out.mkv"), ("in.mp4", "out.mkv")])
@pytest.mark.parametrize(("video_start", "audio_start"), [(0.5, 0.0), (0.0, 0.5), (3.0, 3.5)])
def test_sound_and_picture_stay_together(
    tmp_path: Path, source: str, target: str, video_start: float, audio_start: float
) -> None:
    moments = [video_start + i / 24 for i in range(24)]
    before = clips.make(tmp_path / source, moments, audio=["libopus"], audio_start=audio_start)
    after = tmp_path / target
    clips.copy(before, after)
    shift = clips.times(before)[0] - clips.sound_starts(before)
    assert clips.times(after)[0] - clips.sound_starts(after) == pytest.approx(shift, abs=0.003)
    assert shift == pytest.approx(video_start - audio_start, abs=0.03)
    assert min(clips.times(after)[0], clips.sound_starts(after)) < 0.05


def test_a_transport_stream_starts_at_zero(tmp_path: Path) -> None:
    before = clips.make(
        tmp_path / "in.ts", [40 + i / 24 for i in range(12)], audio=["aac"], audio_start=40
    )
    clips.copy(before, tmp_path / "out.mp4")
    assert clips.times(before)[0] > 39
    assert clips.times(tmp_path / "out.mp4")[0] < 0.1
    framed = [[packet[7:] for packet in track] for track in clips.sounds(before)]  # ADTS headers
    assert clips.sounds(tmp_path / "out.mp4") == framed


def test_one_frame(tmp_path: Path) -> None:
    before = clips.make(tmp_path / "in.mp4", [0.0])
    clips.copy(before, tmp_path / "out.mp4")
    assert len(clips.times(tmp_path / "out.mp4")) == 1
    assert clips.seconds(tmp_path / "out.mp4") == pytest.approx(clips.seconds(before), abs=FRAME)


def test_a_stream_without_time_stamps_runs_at_its_rate(tmp_path: Path) -> None:
    before = clips.make(tmp_path / "in.h264", options={"bf": "0"}, container_format="h264")
    clips.copy(before, tmp_path / "out.mp4")
    found = np.diff(clips.times(tmp_path / "out.mp4"))
    assert len(found) == 11
    assert found.max() == pytest.approx(found.min(), abs=0.001)
    assert found.min() > 1 / 60


@pytest.mark.parametrize(
    ("pix_fmt", "matrix", "full_range"),
    [
        ("yuv420p", 1, False),
        ("yuv420p", 1, True),
        ("yuv420p", 5, False),
        ("yuv420p", 6, False),
        ("yuv420p", 7, False),
        ("yuv420p", 2, False),
        ("yuv420p10le", 1, False),
        ("yuv420p10le", 9, False),
        ("yuv422p", 6, True),
        ("gray", 2, True),
        ("bgr24", 0, True),
    ],
)
def test_colours_survive(tmp_path: Path, pix_fmt: str, matrix: int, full_range: bool) -> None:
    if matrix == 9 and int(av.__version__.split(".")[0]) < 18:
        pytest.skip("PyAV before 18, the newest for Python 3.10, takes another matrix for BT.2020")
    codec = "libx264rgb" if pix_fmt == "bgr24" else "libx264"
    before = clips.make(
        tmp_path / "in.mp4", image=clips.solid((180, 60, 120)), codec=codec, pix_fmt=pix_fmt,
        matrix=matrix, full_range=full_range,
    )  # fmt: skip
    clips.copy(before, tmp_path / "out.mp4")
    old, new = (clips.picture(p).mean((0, 1)) for p in (before, tmp_path / "out.mp4"))
    assert np.abs(old - new).max() < 2.5
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert context.colorspace == (matrix or 1)
        # RGB is written as players expect what was RGB
        assert (context.color_range == 2) == (full_range and pix_fmt != "bgr24")


def test_a_portrait_clip_comes_out_upright_and_unrotated(tmp_path: Path) -> None:
    before = clips.make(
        tmp_path / "in.mp4", image=clips.RED_LEFT_BLUE_RIGHT,
        prepare=lambda stream: stream.set_display_rotation(-90),
    )  # fmt: skip
    clips.copy(before, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
        assert frame.rotation == 0
    stored = clips.picture(tmp_path / "out.mp4")
    assert stored.shape[:2] == (64, 48)
    top, bottom = stored[:28].mean((0, 1)), stored[36:].mean((0, 1))
    assert top[2] > 150 > 50 > top[0]
    assert bottom[0] > 150 > 50 > bottom[2]


@pytest.mark.parametrize(("rotation", "expected"), [(0, (4, 3)), (90, (3, 4))])
def test_pixel_shape_is_kept(tmp_path: Path, rotation: int, expected: tuple[int, int]) -> None:
    def prepare(stream: Any) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        stream.set_display_rotation(rotation)

    before = clips.make(tmp_path / "in.mp4", prepare=prepare)
    clips.copy(before, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        aspect = container.streams.video[0].sample_aspect_ratio
        assert aspect is not None
        assert (aspect.numerator, aspect.denominator) == expected


def test_odd_sides_become_even_with_a_word(tmp_path: Path) -> None:
    before = clips.make(
        tmp_path / "in.mp4", image=clips.solid((9, 99, 199), Size(33, 47)), pix_fmt="yuv444p"
    )
    remarks = clips.copy(before, tmp_path / "out.mp4")
    assert remarks == ["47x33 became 48x34, as players need even sides"]
    assert clips.picture(tmp_path / "out.mp4").shape == (34, 48, 3)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p"


def _writer(path: Path) -> VideoWriter:
    return VideoWriter(path, Size(48, 64), 30.0, Fraction(1, 30))


def _frame(index: int) -> Frame:
    return Frame(clips.solid((10, 20, 30)), index, 100.0, index)


def test_what_is_not_complete_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_text("old")
    sink = _writer(tmp_path / "out.mp4")
    sink.write(_frame(0))
    sink.close(complete=False)
    assert (tmp_path / "out.mp4").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_full_disk_ends_a_rendering_and_keeps_nothing(tmp_path: Path) -> None:
    import resource

    random = np.random.default_rng(0)
    sink = _writer(tmp_path / "out.mp4")

    def fill() -> None:
        for index in range(200):
            noise = random.integers(0, 255, (48, 64, 3)).astype(np.uint8)
            sink.write(Frame(noise, index, 100.0, index))

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(SinkError, match=r"out.mp4 cannot be written \(File too large\)"):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    sink.close(complete=True)  # there is room again, but a frame is lost
    assert list(tmp_path.iterdir()) == []


def test_a_video_without_frames_is_not_kept(tmp_path: Path) -> None:
    _writer(tmp_path / "out.mkv").close(complete=True)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_files() -> None:
    with pytest.raises(SinkError, match="cannot be written"):
        _writer(Path("/proc/out.mp4"))


def test_a_file_that_cannot_be_removed_hides_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: object, other: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def locked(path: Path, missing_ok: bool) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    sink = _writer(tmp_path / "out.mp4")
    sink.write(_frame(0))
    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "unlink", locked)
    with pytest.raises(SinkError, match="No space left"):
        sink.close(complete=True)
