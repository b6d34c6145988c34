"""Cameras on the network, which are servers on this computer."""

import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime_bokeh.errors import BokehError, SourceError, UsageError
from realtime_bokeh.frame import Frame
from realtime_bokeh.live import camera
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import stream
from realtime_bokeh.sources.address import without_secrets
from realtime_bokeh.sources.stream import Stream
from tests import clips, servers


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_MEASURED", 0.05)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    with servers.web(tmp_path) as address:
        yield address


@pytest.fixture(scope="module")
def rtsp() -> Iterator[str]:
    with servers.rtsp() as address:
        yield address


def _frames(source: Stream, count: int) -> list[Frame]:
    frames = [source.read() for _ in range(count)]
    source.close()
    return [frame for frame in frames if frame is not None]


def _with_password(address: str) -> str:
    return address.replace("://", "://me:s3cret@")


def test_pictures_have_their_colours(web: str, rtsp: str, tmp_path: Path) -> None:
    clips.make(tmp_path / "live.m3u8", image=clips.solid(servers.COLOUR), container_format="hls")
    for address in (f"{web}/video", f"{web}/live.m3u8", f"{rtsp}/live"):
        for frame in _frames(Stream(address), 3):
            mean = frame.image.mean(axis=(0, 1)).tolist()
            assert mean == pytest.approx(servers.COLOUR, abs=4), address


def test_what_is_recorded_comes_at_its_pace_and_ends(web: str, tmp_path: Path) -> None:
    clips.make(tmp_path / "live.m3u8", container_format="hls")
    frames = _frames(Stream(f"{web}/live.m3u8"), 20)
    assert [frame.index for frame in frames] == list(range(12))
    # no earlier; later it may be, on a busy computer
    assert frames[-1].captured_at - frames[0].captured_at > 11 / 24 - 0.01


def test_the_rate_of_mjpeg_is_measured(web: str) -> None:
    source = Stream(f"{web}/video")
    source.close()
    assert 1 <= source.fps <= 240
    assert source.fps != 25  # which FFmpeg says of all of them


@pytest.mark.parametrize(
    ("path", "kind", "sentence"),
    [
        ("/private", UsageError, "127.0.0.1 lets nobody in without the right user and password"),
        ("/none", UsageError, "127.0.0.1 has nothing at this path"),
        ("/page.html", UsageError, "127.0.0.1 sends nothing that can be read as a video"),
        ("/sound.mka", UsageError, "127.0.0.1 has no video in it"),
        ("/picture.png", UsageError, "127.0.0.1 gives a single picture at this address"),
        ("/silent", SourceError, "127.0.0.1 does not answer"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(
    path: str, kind: type[BokehError], sentence: str, web: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "page.html").write_text("<html><body>" + "Welcome " * 500)
    with av.open(str(tmp_path / "sound.mka"), "w") as container:
        track = container.add_stream("pcm_s16le", rate=48000, layout="stereo")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.int16), "s16", "stereo")
        silence.sample_rate = 48000
        container.mux(track.encode(silence))
    cv2.imwrite(str(tmp_path / "picture.png"), clips.solid(servers.COLOUR))
    monkeypatch.setattr(stream, "_TIMEOUTS", (0.2, 0.2) if path == "/silent" else (60, 60))
    address = f"{_with_password(web)}{path}?token=s3cret"
    with pytest.raises(kind, match=sentence) as caught:
        Stream(address)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("path", "sentence"), [("/private", "lets nobody in"), ("/none", "has nothing at this path")]
)
def test_rtsp_says_it_too(path: str, sentence: str, rtsp: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Stream(f"{_with_password(rtsp)}{path}")
    source = Stream(f"{_with_password(rtsp)}/live")
    source.close()
    assert (
        source.describe() == f"{without_secrets(_with_password(rtsp))}/live: 64x48 at 50 fps h264"
    )


def test_nobody_there(tmp_path: Path) -> None:
    with servers.web(tmp_path) as address:
        pass  # it has gone, and its port is free
    with pytest.raises(SourceError, match=r"127\.0\.0\.1 refuses connections"):
        Stream(f"{address}/video")
    with pytest.raises(SourceError, match=r"no\.\.name is not known by that name"):
        Stream("http://no..name/video")  # for which no name server is asked


def test_a_stream_that_ends_is_opened_again(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_PAUSES", (0.0,))
    monkeypatch.setattr(camera, "_CLOSING", 60)
    monkeypatch.setattr(stream, "_MEASURED", 0.02)
    opened: list[Stream] = []

    def opener() -> Stream:
        opened.append(Stream(f"{web}/short"))
        return opened[-1]

    watched = WatchedCamera(opener)
    assert watched.size == Size(48, 64)
    while len(opened) < 3 or watched.trouble:
        frame = watched.read()
        assert frame is not None
    assert watched.losses == 2
    watched.close()


def test_a_leap_in_a_streams_time_is_not_waited_for(web: str, tmp_path: Path) -> None:
    clips.make(tmp_path / "leap.mkv", (0.0, 900.0))
    assert len(_frames(Stream(f"{web}/leap.mkv"), 2)) == 2


def test_cancelling_ends_a_wait(web: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips.make(tmp_path / "slow.mkv", (0.0, 900.0))
    monkeypatch.setattr(stream, "_LEAP", 1000)
    source = Stream(f"{web}/slow.mkv")
    assert source.read() is not None
    threading.Timer(0.05, source.cancel).start()
    assert source.read() is None  # not after a quarter of an hour
    source.close()
