"""What every sink holds to, wherever frames go."""

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import pytest
import pyvirtualcam

from realtime_bokeh.frame import Frame, Sink
from realtime_bokeh.look import Look
from realtime_bokeh.sinks.discard import Discard
from realtime_bokeh.sinks.preview import Preview
from realtime_bokeh.sinks.raw import RawFrames
from realtime_bokeh.sinks.recording import Recording
from realtime_bokeh.sinks.video import VideoWriter
from realtime_bokeh.sinks.virtual_camera import VirtualCamera
from realtime_bokeh.sinks.window import READY
from realtime_bokeh.sizes import Size
from tests import clips
from tests.fakes import LoopbackDevice, VirtualCameraDevice, WindowProcess

SIZE = Size(48, 64)

Open = Callable[[Path, pytest.MonkeyPatch], Sink]


def _video(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sink:
    return VideoWriter(folder / "out.mp4", SIZE, 30.0, Fraction(1, 30))


def _recording(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sink:
    return Recording(folder / "out.mp4", SIZE, 30.0)


def _raw(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sink:
    return RawFrames()


def _discard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sink:
    return Discard()


def _obs_camera(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sink:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(pyvirtualcam, "Camera", VirtualCameraDevice)
    return VirtualCamera(SIZE, 30.0)


def _loopback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sink:
    if sys.platform != "linux":
        pytest.skip("v4l2loopback is Linux's")
    LoopbackDevice.plug_in(monkeypatch, LoopbackDevice(folder))
    return VirtualCamera(SIZE, 30.0)


def _preview(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sink:
    window = WindowProcess(monkeypatch)
    size = Size.of(clips.solid((0, 0, 0)))
    sink = Preview(size, Look, lambda: None, lambda key: None, lambda sentence: None)
    window.tell(READY)
    return sink


@pytest.fixture(
    params=[_video, _recording, _raw, _discard, _obs_camera, _loopback, _preview],
    ids=["video", "recording", "raw", "discard", "virtual camera", "loopback", "preview"],
)
def sink(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sink]:
    with monkeypatch.context() as patch, (tmp_path / "frames").open("w") as output:
        patch.setattr(sys, "stdout", output)
        opened = request.param(tmp_path, patch)
        assert isinstance(opened, Sink)
        yield opened


def _frame(index: int) -> Frame:
    return Frame(clips.solid((9, 99, 10 * index)), index, 100 + index / 30, index)


def _names(folder: Path) -> list[str]:
    """Of its files, but those that are only there while a sink is open."""
    unfinished = (".part", ".recording.mp4")
    return [path.name for path in folder.iterdir() if not path.name.endswith(unfinished)]


def test_it_says_where_frames_go_in_one_line(sink: Sink) -> None:
    assert sink.describe()
    assert "\n" not in sink.describe()


def test_frames_are_not_changed(sink: Sink) -> None:
    frame = _frame(3)
    sink.write(frame)
    assert (frame.image == clips.solid((9, 99, 30))).all()
    sink.close(complete=True)


def test_it_may_be_idle_at_any_time(sink: Sink) -> None:
    sink.idle()
    for index in range(5):
        sink.write(_frame(index))
        sink.idle()
    sink.close(complete=True)


@pytest.mark.parametrize("second", [False, True])
def test_closing_twice_is_closing_once(sink: Sink, tmp_path: Path, second: bool) -> None:
    for index in range(5):
        sink.write(_frame(index))
    sink.close(complete=True)
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    sink.close(complete=second)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_a_failed_run_leaves_no_file(sink: Sink, tmp_path: Path) -> None:
    if isinstance(sink, Recording):
        pytest.skip("a recording is kept, however the run ended")
    before = _names(tmp_path)
    for index in range(5):
        sink.write(_frame(index))
    sink.close(complete=False)
    sink.close(complete=True)
    assert [path.name for path in tmp_path.iterdir()] == before


def test_it_can_be_closed_unused(sink: Sink, tmp_path: Path) -> None:
    before = _names(tmp_path)
    sink.close(complete=True)
    assert [path.name for path in tmp_path.iterdir()] == before
