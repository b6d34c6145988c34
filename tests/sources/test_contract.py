"""What every source holds to, whatever it reads."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from realtime_bokeh.app.bench import RepeatedImages
from realtime_bokeh.frame import Frame, Source
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import stream
from realtime_bokeh.sources.camera import Camera
from realtime_bokeh.sources.demo import Demo
from realtime_bokeh.sources.loop import Loop
from realtime_bokeh.sources.stream import Stream
from realtime_bokeh.sources.video import VideoReader
from tests import clips, servers
from tests.fakes import CameraDriver

SIZE = Size(48, 64)
FRAMES = 6

Open = Callable[[Path, pytest.MonkeyPatch, ExitStack], Source]


def _demo(live: bool) -> Open:
    return lambda folder, monkeypatch, at_end: Demo(SIZE, 240.0, FRAMES, live)


def _camera(folder: Path, monkeypatch: pytest.MonkeyPatch, at_end: ExitStack) -> Source:
    return Camera(CameraDriver(*[clips.solid((9, 99, 199))] * FRAMES).plug_in(monkeypatch))


def _video(folder: Path, monkeypatch: pytest.MonkeyPatch, at_end: ExitStack) -> Source:
    return VideoReader(clips.make(folder / "in.mp4", clips.HALF_A_SECOND[:FRAMES]))


def _loop(folder: Path, monkeypatch: pytest.MonkeyPatch, at_end: ExitStack) -> Source:
    return Loop(clips.make(folder / "in.mp4", clips.HALF_A_SECOND[:4]))


def _mjpeg(folder: Path, monkeypatch: pytest.MonkeyPatch, at_end: ExitStack) -> Source:
    monkeypatch.setattr(stream, "_MEASURED", 0.05)
    return Stream(f"{at_end.enter_context(servers.web(folder))}/video")


def _hls(folder: Path, monkeypatch: pytest.MonkeyPatch, at_end: ExitStack) -> Source:
    clips.make(folder / "live.m3u8", container_format="hls")
    return Stream(f"{at_end.enter_context(servers.web(folder))}/live.m3u8")


def _rtsp(folder: Path, monkeypatch: pytest.MonkeyPatch, at_end: ExitStack) -> Source:
    return Stream(f"{at_end.enter_context(servers.rtsp())}/live")


def _memory(folder: Path, monkeypatch: pytest.MonkeyPatch, at_end: ExitStack) -> Source:
    return RepeatedImages([clips.solid((9, 99, 199)), clips.solid((199, 99, 9))], FRAMES)


@pytest.fixture(
    params=[_demo(live=True), _demo(live=False), _camera, _video, _loop, _mjpeg, _hls, _rtsp,
            _memory],
    ids=["live demo", "demo", "camera", "video", "loop", "mjpeg", "hls", "rtsp", "memory"],
)  # fmt: skip
def source(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Source]:
    with ExitStack() as at_end:
        opened = request.param(tmp_path, monkeypatch, at_end)
        assert isinstance(opened, Source)
        yield opened
        opened.close()


def _frames(source: Source) -> list[Frame]:
    frames = [source.read() for _ in range(FRAMES)]
    return [frame for frame in frames if frame is not None]


def test_it_says_what_it_is_in_one_line(source: Source) -> None:
    assert source.describe()
    assert "\n" not in source.describe()
    assert f"{SIZE}" in source.describe()


def test_its_images_are_of_its_size(source: Source) -> None:
    frames = _frames(source)
    assert len(frames) == FRAMES
    assert source.size == SIZE
    for frame in frames:
        assert frame.image.shape == (*SIZE, 3)
        assert frame.image.dtype == np.uint8
        assert frame.image.flags["C_CONTIGUOUS"]


def test_frames_are_counted_and_their_time_goes_forward(source: Source) -> None:
    frames = _frames(source)
    assert [frame.index for frame in frames] == list(range(FRAMES))
    moments = [frame.captured_at for frame in frames]
    assert moments == sorted(moments)
    stamps = [frame.pts for frame in frames if frame.pts is not None]
    if source.live:
        assert (stamps, source.time_base) == ([], None)
    else:
        assert len(stamps) == FRAMES
        assert stamps == sorted(set(stamps))
        assert source.time_base is not None
        span = (stamps[-1] - stamps[0]) * source.time_base
        assert float(span) == pytest.approx((FRAMES - 1) / source.fps)


def test_its_rate_and_length_are_possible(source: Source) -> None:
    assert 1 <= source.fps <= 240
    assert source.total in (None, FRAMES)


def test_a_file_ends_more_than_once(source: Source) -> None:
    _frames(source)
    if source.total is not None:
        assert [source.read(), source.read()] == [None, None]


def test_it_can_be_closed_at_any_time_and_twice(source: Source) -> None:
    source.read()
    source.close()
    source.close()


def test_it_can_be_closed_unread(source: Source) -> None:
    source.close()
