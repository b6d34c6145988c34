"""Frames, their order and their times are what a player shows."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from realtime_bokeh.errors import UsageError
from tests import clips

SECOND = [i / 24 for i in range(24)]
ROUNDING = 0.0015  # Matroska counts milliseconds


def _rising(path: Path) -> bool:
    found = clips.levels(path)
    return bool((np.diff(found) > 2).all())


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_time_stamps_that_wrap_go_on(tmp_path: Path, ending: str) -> None:
    wrap = 2**33 / 90_000
    moments = [wrap - 0.5 + moment for moment in SECOND]
    before = clips.make(
        tmp_path / "in.ts", moments, clips.steps(24), audio=["aac"], audio_start=wrap - 0.5
    )
    after = tmp_path / f"out{ending}"
    clips.copy(before, after)
    assert np.diff(clips.times(after)) == pytest.approx([1 / 24] * 23, abs=ROUNDING)
    assert clips.times(after)[0] < 0.06
    assert clips.seconds(after) == pytest.approx(1, abs=0.06)
    assert _rising(after)


def test_recordings_that_were_joined_follow_each_other(tmp_path: Path) -> None:
    once = clips.make(tmp_path / "once.ts", SECOND, clips.steps(24), audio=["aac"])
    joined = tmp_path / "in.ts"
    joined.write_bytes(once.read_bytes() * 3)
    after = tmp_path / "out.mp4"
    clips.copy(joined, after)
    found = np.diff(clips.times(after))
    assert len(found) == 71
    assert found.min() > 0.02
    assert found.max() < 0.13
    assert clips.seconds(after) == pytest.approx(3, abs=0.2)
    assert len(clips.sounds(after)[0]) == 3 * len(clips.sounds(once)[0])


@pytest.mark.parametrize("lead", [0.3, -0.3])
@pytest.mark.parametrize("length", [3, 13])
def test_one_track_may_lead_at_a_seam(tmp_path: Path, lead: float, length: int) -> None:
    """A recording whose sound begins before its picture, or behind it, comes twice."""
    frames = [max(lead, 0) + i / 24 for i in range(24 * length)]
    once = clips.make(
        tmp_path / "once.ts", frames, audio=["mp2"], audio_start=max(-lead, 0.0),
        codec="mpeg2video", options={}, rate=24,
    )  # fmt: skip
    joined = tmp_path / "in.ts"
    joined.write_bytes(once.read_bytes() * 2)
    after = tmp_path / "out.mkv"
    clips.copy(joined, after)
    found = np.diff(clips.times(after))
    assert len(found) == 48 * length - 1
    assert found.min() > 0.02
    assert found.max() < 0.5
    assert clips.seconds(after) == pytest.approx(2 * length + 0.4, abs=0.4)
    with av.open(str(after)) as container:
        packets = container.demux(container.streams.audio[0])
        heard = [float(p.pts * p.time_base) for p in packets if p.pts is not None]
    assert np.diff(heard).max() < 0.5


def test_a_pause_of_one_track_is_no_seam(tmp_path: Path) -> None:
    before = clips.make(
        tmp_path / "in.ts", [i / 8 for i in range(15 * 8)], audio=["aac"], audio_start=12
    )
    after = tmp_path / "out.mkv"
    clips.copy(before, after)
    assert np.diff(clips.times(after)) == pytest.approx([1 / 8] * (15 * 8 - 1), abs=ROUNDING)
    assert len(clips.sounds(after)) == 1
    assert clips.sound_starts(after) == pytest.approx(12, abs=0.1)


def test_a_format_without_times_of_presentation_runs_evenly(tmp_path: Path) -> None:
    before = clips.make(
        tmp_path / "in.avi", SECOND, clips.steps(24), options={"bf": "3", "crf": "4"}
    )
    clips.copy(before, tmp_path / "out.mp4")
    found = clips.times(tmp_path / "out.mp4")
    assert np.diff(found) == pytest.approx([1 / 24] * 23, abs=0.001)
    assert found[0] == 0
    assert _rising(tmp_path / "out.mp4")


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """A clip whose first half an edit list hides, as editors leave it that copy packets."""
    whole = clips.make(tmp_path / "whole.mp4", SECOND, clips.steps(24), audio=["aac"])
    path = tmp_path / "in.mp4"
    with av.open(str(whole)) as source, av.open(str(path), "w") as container:
        copies = {s.index: container.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is None or packet.pts is None:
                continue
            shift = round(Fraction(1, 2) / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = copies[packet.stream.index]
            container.mux(packet)
    return path


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_what_an_edit_list_hides_stays_hidden(tmp_path: Path, edited: Path, ending: str) -> None:
    after = tmp_path / f"out{ending}"
    clips.copy(edited, after)
    assert len(clips.times(after)) == 12
    assert clips.levels(after)[0] == pytest.approx(clips.levels(edited)[0], abs=2)
    assert clips.seconds(after) == pytest.approx(0.5, abs=0.12)
    assert len(clips.sounds(after)[0]) < 30


@pytest.mark.parametrize("source", ["in.mp4", "in.mkv", "in.ts", "in.avi"])
@pytest.mark.parametrize(("start", "end"), [(0.5, None), (0, 0.5), (0.25, 0.75)])
def test_a_part_is_taken(tmp_path: Path, source: str, start: float, end: float | None) -> None:
    before = clips.make(
        tmp_path / source, SECOND, clips.steps(24), audio=["aac"],
        options={"crf": "4", "g": "5", "bf": "2"},
    )  # fmt: skip
    after = tmp_path / "out.mp4"
    clips.copy(before, after, start, end)
    length = (end or 1) - start
    assert len(clips.times(after)) == pytest.approx(length * 24, abs=1)
    assert clips.times(after)[0] < 1 / 24 + 0.001
    assert clips.seconds(after) == pytest.approx(length, abs=0.07)
    whole = clips.levels(before)
    first = whole.index(min(whole, key=lambda level: abs(level - clips.levels(after)[0])))
    assert first == pytest.approx(start * 24, abs=1)


def test_what_is_shown_at_the_start_may_have_begun_before(tmp_path: Path) -> None:
    """As in recordings of screens, on which nothing moves for seconds."""
    before = clips.make(tmp_path / "in.mkv", [0.0, 5.0, 5.08], clips.steps(3))
    for start, end, times in ((2, None, [0, 3, 3.08]), (1, 2, [0])):
        after = tmp_path / f"{start}.mkv"
        clips.copy(before, after, start, end)
        assert clips.times(after) == pytest.approx(times, abs=ROUNDING)
        assert clips.levels(after)[0] == pytest.approx(clips.levels(before)[0], abs=2)


def test_a_part_behind_the_end_is_refused(tmp_path: Path) -> None:
    before = clips.make(tmp_path / "in.mp4")
    with pytest.raises(UsageError, match=r"in\.mp4 ends before --start 9 s"):
        clips.copy(before, tmp_path / "out.mp4", 9)
