"""Recordings: their times, their sound, and what is left of them when something ends them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from realtime_bokeh.errors import SinkError
from realtime_bokeh.frame import Frame
from realtime_bokeh.sinks.recording import Recording
from realtime_bokeh.sizes import Size
from realtime_bokeh.sound import RATE
from realtime_bokeh.sources.truncation import stated_length
from tests import clips
from tests.fakes import FakeMicrophone
from tests.program import started, wait_for

SIZE = Size(48, 64)
BEGAN = 1000.0  # on the clock
ENDINGS = [".mp4", ".mov", ".mkv", ".webm"]
every_format = pytest.mark.parametrize("ending", ENDINGS)


DARK, LIGHT = (20, 20, 20), (240, 240, 240)


def _frame(second: float, light: bool = False) -> Frame:
    return Frame(clips.solid(LIGHT if light else DARK), 0, BEGAN + second)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@every_format
def test_frames_are_timed_by_their_capture(tmp_path: Path, ending: str) -> None:
    moments = [0.0, 0.04, 0.1, 0.1001, 0.6, 5.6, 5.63]  # a camera that pauses, too
    recording = Recording(tmp_path / f"out{ending}", SIZE, 30.0)
    for moment in moments:
        recording.write(_frame(moment))
    recording.close(complete=True)
    assert clips.times(tmp_path / f"out{ending}") == pytest.approx(moments, abs=0.0015)
    assert _names(tmp_path) == {f"out{ending}"}


def test_frames_that_come_at_once_or_out_of_order_follow_each_other(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4", SIZE, 30.0)
    for moment in (0.0, 0.1, 0.1, 0.05, 0.2):
        recording.write(_frame(moment))
    recording.close(complete=True)
    assert clips.times(tmp_path / "out.mp4") == pytest.approx([0, 0.1, 0.1, 0.1, 0.2], abs=0.001)


@every_format
@pytest.mark.parametrize("fps", [4, 30])
def test_what_is_older_than_two_seconds_can_be_played(
    tmp_path: Path, ending: str, fps: int
) -> None:
    recording = Recording(tmp_path / f"out{ending}", SIZE, fps)
    for index in range(6 * fps):
        recording.write(_frame(index / fps))
        if index % fps == fps - 1 and index > fps:
            shutil.copy(tmp_path / f"out.recording{ending}", tmp_path / f"copy{ending}")
            assert clips.times(tmp_path / f"copy{ending}")[-1] > index / fps - 2
    recording.close(complete=True)


@pytest.mark.parametrize("ending", [".mp4", ".mov"])
def test_a_complete_recording_is_not_in_pieces(tmp_path: Path, ending: str) -> None:
    recording = Recording(tmp_path / f"out{ending}", SIZE, 10.0)
    for index in range(50):
        recording.write(_frame(index / 10))
    assert "moof" in clips.boxes(tmp_path / f"out.recording{ending}")
    recording.close(complete=True)
    kinds = clips.boxes(tmp_path / f"out{ending}")
    assert kinds.count("moov") == kinds.count("mdat") == 1
    assert "moof" not in kinds
    assert clips.seconds(tmp_path / f"out{ending}") == pytest.approx(5, abs=0.11)


@every_format
def test_a_player_can_go_to_any_second(tmp_path: Path, ending: str) -> None:
    recording = Recording(tmp_path / f"out{ending}", SIZE, 10.0)
    for index in range(50):
        recording.write(_frame(index / 10))
    recording.close(complete=True)
    with av.open(str(tmp_path / f"out{ending}")) as container:
        container.seek(3_500_000)
        assert next(container.decode(video=0)).time == pytest.approx(3, abs=0.11)


_ENDLESS = """
import sys
from pathlib import Path
import numpy as np
from realtime_bokeh.frame import Frame
from realtime_bokeh.sinks.recording import Recording
from realtime_bokeh.sizes import Size
recording = Recording(Path(sys.argv[1]), Size(48, 64), 30.0)
index = 0
while True:
    recording.write(Frame(np.full((48, 64, 3), index % 256, np.uint8), index, index / 30))
    index += 1
"""


@every_format
def test_a_killed_recording_can_be_played(tmp_path: Path, ending: str) -> None:
    part = tmp_path / f"out.recording{ending}"
    line = [sys.executable, "-c", _ENDLESS, str(tmp_path / f"out{ending}")]
    with started(line, stderr=subprocess.PIPE) as process:
        wait_for(lambda: part.exists() and part.stat().st_size > 20_000, process)
        process.kill()
        process.wait()
    found = clips.times(part)
    assert found[-1] > 1
    assert np.diff(found).max() < 0.05
    assert _names(tmp_path) == {part.name}


def test_neither_an_older_file_nor_another_recording_is_lost(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_text("old")
    (tmp_path / "out.recording.mp4").write_text("killed")
    recording = Recording(tmp_path / "out.mp4", SIZE, 30.0)
    recording.write(_frame(0))
    assert "out.recording-2.mp4" in recording.describe()
    assert (tmp_path / "out.mp4").read_text() == "old"
    recording.close(complete=True)
    assert len(clips.times(tmp_path / "out.mp4")) == 1
    assert (tmp_path / "out.recording.mp4").read_text() == "killed"
    assert _names(tmp_path) == {"out.mp4", "out.recording.mp4"}


@every_format
def test_a_recording_without_frames_is_not_kept(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    path.write_text("old")
    Recording(path, SIZE, 30.0, FakeMicrophone()).close(complete=True)
    assert path.read_text() == "old"
    assert _names(tmp_path) == {path.name}


def test_a_run_that_fails_keeps_its_recording(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4", SIZE, 30.0)
    recording.write(_frame(0))
    recording.close(complete=False)
    assert len(clips.times(tmp_path / "out.mp4")) == 1


def test_a_long_name_has_one_for_its_part(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 125 + ".mp4")
    recording = Recording(path, SIZE, 30.0)
    recording.write(_frame(0))
    recording.close(complete=True)
    assert _names(tmp_path) == {path.name}


def test_a_folder_that_takes_no_files() -> None:
    microphone = FakeMicrophone()
    with pytest.raises(SinkError, match=r"/proc/out.mp4 cannot be written \("):
        Recording(Path("/proc/out.mp4"), SIZE, 30.0, microphone)
    assert microphone.closed


def _fill(recording: Recording) -> None:
    """Write what cannot be compressed, and is soon too much."""
    random = np.random.default_rng(0)
    for index in range(400):
        noise = random.integers(0, 255, (*SIZE, 3)).astype(np.uint8)
        recording.write(Frame(noise, index, index / 30))


@contextmanager
def _limit(size: int) -> Iterator[None]:
    """No file may become larger than so many bytes, as when a disk is nearly full.

    Not for longer than it must be: the report of the tests is a file, too.
    """
    resource = pytest.importorskip("resource", reason="no such limit on Windows")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@every_format
def test_what_was_recorded_before_a_disk_is_full_stays(tmp_path: Path, ending: str) -> None:
    part = tmp_path / f"out.recording{ending}"
    recording = Recording(tmp_path / f"out{ending}", SIZE, 30.0)
    sentence = rf"out{ending} cannot be written \(File too large\); what was .* in .*{part.name}$"
    with _limit(400_000), pytest.raises(SinkError, match=sentence) as caught:
        _fill(recording)
    assert caught.value.status == 1
    recording.close(complete=True)  # there is room again, but a piece is lost
    assert _names(tmp_path) == {part.name}
    assert stated_length(part) <= part.stat().st_size  # no piece of it is cut off
    found = clips.times(part)
    assert found[0] == 0
    assert found[-1] > 0.9
    assert np.diff(found).max() < 0.05


def test_a_disk_that_is_full_from_the_beginning_keeps_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4", SIZE, 30.0)
    with _limit(2_000):
        with pytest.raises(SinkError, match="nothing was kept"):
            _fill(recording)
        recording.close(complete=True)
    assert _names(tmp_path) == set()


def test_a_disk_that_is_full_at_the_end_keeps_what_can_be_played(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "out.mp4", SIZE, 30.0)
    for index in range(75):
        recording.write(_frame(index / 30))
    part = tmp_path / "out.recording.mp4"
    full = _limit(part.stat().st_size + 100)
    with full, pytest.raises(SinkError, match=r"in .*out.recording.mp4$"):
        recording.close(complete=True)
    assert _names(tmp_path) == {part.name}
    assert len(clips.times(part)) == 60


def _click_times(path: Path) -> list[float]:
    """When the clicks of a recording begin, in seconds."""
    loud: list[float] = []
    with av.open(str(path)) as container:
        for sound in container.decode(audio=0):
            assert sound.time is not None
            places = np.flatnonzero(np.abs(sound.to_ndarray().ravel()) > 0.3)
            loud += [sound.time + place / RATE for place in places]
    return [moment for before, moment in pairwise([-1.0, *loud]) if moment - before > 0.5]


def _flash_times(path: Path) -> list[float]:
    """When its light pictures begin."""
    shown = list(zip(clips.times(path), clips.levels(path), strict=True))
    return [time for (_, was), (time, is_) in pairwise(shown) if was < 128 < is_]


@every_format
def test_clicks_are_heard_when_flashes_are_seen(tmp_path: Path, ending: str) -> None:
    """With an effect that takes its time, frames that come as they can, a camera that pauses, and a
    microphone whose clock is slow and whose stamps tremble."""
    random = np.random.default_rng(0)
    events = [2.5, 9.5, 15.0, 27.5]  # at the third the camera pauses
    block, slow, lag, delay = 960, 1.0005, 0.1, 0.3
    click = 0.8 * np.sin(np.arange(block // 2) * 2 * np.pi * 2000 / RATE)
    microphone, now = FakeMicrophone(), [BEGAN]
    recording = Recording(
        tmp_path / f"out{ending}", SIZE, 20.0, microphone, clock=lambda: now[0]
    )  # fmt: skip
    heard = -10  # blocks; it listens before the first picture
    for second in sorted([0.0, *events, *np.cumsum(random.choice([0.03, 0.05, 0.1], 490))]):
        now[0] = BEGAN + second + delay
        while (at := heard * block / RATE * slow) < second + delay - lag:
            samples = np.zeros(2 * block, np.float32)
            for first in [round((event - at) / slow * RATE) for event in events]:
                if 0 <= first < block:
                    samples[first : first + len(click)] = click
            microphone.hear(samples[:block], BEGAN + at + random.uniform(-0.004, 0.004))
            heard += 1
        if 13 < second < 17:
            recording.idle()
        else:
            recording.write(_frame(second, any(0 <= second - event < 0.2 for event in events)))
    part = tmp_path / f"out.recording{ending}"
    shutil.copy(part, tmp_path / f"killed{ending}")
    recording.close(complete=True)
    for name in ("out", "killed"):
        path = tmp_path / f"{name}{ending}"
        assert _click_times(path) == pytest.approx(events, abs=0.02)
        assert _flash_times(path) == pytest.approx([2.5, 9.5, 27.5], abs=0.002)


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_sound_is_stored_while_the_camera_pauses(tmp_path: Path, ending: str) -> None:
    microphone, now = FakeMicrophone(), [BEGAN]
    recording = Recording(
        tmp_path / f"out{ending}", SIZE, 20.0, microphone, clock=lambda: now[0]
    )  # fmt: skip
    recording.write(_frame(0))
    recording.write(_frame(1.5))
    for index in range(200):
        now[0] = BEGAN + (index + 1) / 10
        microphone.hear(np.full(RATE // 10, 0.5, np.float32), BEGAN + index / 10)
        recording.idle()
    shutil.copy(tmp_path / f"out.recording{ending}", tmp_path / f"killed{ending}")
    recording.close(complete=True)
    assert clips.ends(tmp_path / f"killed{ending}", 0.02, "audio") > 20 - 5


def test_a_microphone_that_vanishes_is_told_of_once_and_leaves_silence(tmp_path: Path) -> None:
    microphone, told = FakeMicrophone(), list[str]()
    recording = Recording(tmp_path / "out.mp4", SIZE, 10.0, microphone, told.append)
    for index in range(100):
        if index < 30:
            microphone.hear(np.full(RATE // 10, 0.5, np.float32), BEGAN + index / 10)
        elif index == 50:
            microphone.trouble = "The microphone gives no more sound"
        recording.write(_frame(index / 10))
    recording.close(complete=True)
    assert told == ["The microphone gives no more sound; the recording goes on in silence"]
    assert microphone.closed
    with av.open(str(tmp_path / "out.mp4")) as container:
        sound = np.concatenate([s.to_ndarray().ravel() for s in container.decode(audio=0)])
    assert len(sound) / RATE == pytest.approx(10, abs=0.05)
    assert np.abs(sound[: round(2.9 * RATE)]).mean() > 0.3
    assert np.abs(sound[round(3.1 * RATE) :]).max() < 0.01
    assert len(clips.times(tmp_path / "out.mp4")) == 100


def test_what_is_said_of_sound(tmp_path: Path) -> None:
    said = []
    for microphone in (None, FakeMicrophone()):
        recording = Recording(tmp_path / "out.mp4", SIZE, 10.0, microphone)
        said.append(recording.describe().partition(", ")[2])
        recording.close(complete=True)
    assert said == ["without sound, which --audio records", "with sound from a fake"]


@pytest.mark.parametrize(("ending", "codec"), [(".mp4", "aac"), (".webm", "opus")])
def test_sound_has_the_codec_that_players_expect(tmp_path: Path, ending: str, codec: str) -> None:
    recording = Recording(tmp_path / f"out{ending}", SIZE, 10.0, FakeMicrophone())
    recording.write(_frame(0))
    recording.close(complete=True)
    with av.open(str(tmp_path / f"out{ending}")) as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == codec
