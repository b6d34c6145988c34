import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.frame import Frame
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.loop import Loop
from tests import clips

TIMES = (0.0, 0.1, 0.3, 0.4)  # the second lasts longer


class Clock:
    """A clock that only waiting in the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self._test = threading.current_thread()
        self._really_wait = threading.Event.wait
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(threading.Event, "wait", lambda *given: self._wait(*given))

    def _wait(self, event: threading.Event, seconds: float | None = None) -> bool:
        if threading.current_thread() is not self._test:  # of a library that waits for ever
            return self._really_wait(event, seconds)
        assert seconds is not None
        self.now += max(0.0, seconds)
        return False


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    colours = [clips.solid((0, 0, level)) for level in (40, 90, 140, 190)]
    return clips.make(tmp_path / "clip.mkv", TIMES, colours)


def _read(source: Loop) -> Frame:
    frame = source.read()
    assert frame is not None
    return frame


def test_frames_come_at_the_clips_pace_again_and_again(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Loop(clip)
    clock = Clock(monkeypatch)
    frames = [_read(source) for _ in range(8)]
    assert [frame.index for frame in frames] == list(range(8))
    levels = [int(frame.image[..., 2].mean()) for frame in frames]
    assert levels[:4] == levels[4:] == sorted(set(levels))
    moments = [frame.captured_at - frames[0].captured_at for frame in frames]
    assert moments[:4] == pytest.approx(TIMES, abs=0.002)
    steps = [b - a for a, b in pairwise(moments[4:])]
    assert steps == pytest.approx([0.1, 0.2, 0.1], abs=0.002)
    assert 0.4 < moments[4] < 0.7
    assert clock.now == frames[-1].captured_at


def test_after_a_long_pause_it_goes_on_from_where_it_was(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Loop(clip)
    clock = Clock(monkeypatch)
    _read(source)
    clock.now += 3600
    second, third = _read(source), _read(source)
    assert third.captured_at - second.captured_at == pytest.approx(0.2, abs=0.002)


@pytest.mark.parametrize("audio", [(), ("aac",)])
def test_clips_with_sound_and_odd_sizes(
    audio: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = Size(47, 63)
    path = clips.make(
        tmp_path / "odd.mkv", TIMES, clips.solid((9, 99, 199), size), audio, pix_fmt="yuv444p"
    )
    source = Loop(path)
    Clock(monkeypatch)
    images = [_read(source).image for _ in range(2 * len(TIMES) + 1)]
    assert source.size == size
    assert {image.shape for image in images} == {(*size, 3)}
    assert all(image.mean(axis=(0, 1)) == pytest.approx((9, 99, 199), abs=3) for image in images)


def test_closing_ends_a_wait(tmp_path: Path) -> None:
    source = Loop(clips.make(tmp_path / "slow.mkv", (0.0, 900.0)))
    _read(source)
    threading.Timer(0.05, source.close).start()
    source.read()  # would wait for a quarter of an hour
    source.close()


def test_a_file_that_is_gone_is_said(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Loop(clip)
    Clock(monkeypatch)
    for _ in TIMES:
        _read(source)
    clip.unlink()
    with pytest.raises(SourceError, match=r"clip\.mkv does not exist"):
        source.read()


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    with pytest.raises(UsageError, match="is empty"):
        Loop(tmp_path / "a.mp4")
