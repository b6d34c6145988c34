"""Live runs: how they start, how they end, what they leave."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realtime_bokeh import pipeline
from realtime_bokeh.app import live, outputs, parts
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.engines import Controls
from realtime_bokeh.errors import BokehError, SinkError, UsageError
from realtime_bokeh.frame import Frame, Image, Sink, Source, Stopped
from realtime_bokeh.sinks import kernel_module, virtual_camera
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import camera, microphone
from tests import clips
from tests.fakes import (
    CameraDriver,
    CountingSource,
    FakeMicrophone,
    LoopbackDevice,
    RecordingSink,
    UnchangedEngine,
)
from tests.program import PROGRAM, started, wait_for


class _Turned(CountingSource):
    """A phone's camera, which is turned after the first frame that was shown."""

    size = Size(48, 64)
    turned = False

    def read(self) -> Frame | None:
        frame = super().read()
        if frame is None:
            return None
        image = clips.solid((200, 200, 200), Size(64, 48) if self.turned else self.size)
        return Frame(image, frame.index, frame.captured_at)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> UnchangedEngine:
    """The one that a live run opens."""
    opened = UnchangedEngine()
    monkeypatch.setattr(parts, "open_engine", lambda *_: opened)
    return opened


@pytest.fixture
def sinks(monkeypatch: pytest.MonkeyPatch, engine: UnchangedEngine) -> list[RecordingSink]:
    """Two that a live run opens, with an engine that needs no time."""
    opened = [RecordingSink(), RecordingSink()]

    def opener(sink: Sink) -> Callable[[Source], Sink]:
        return lambda source: sink

    openers = [opener(sink) for sink in opened]
    monkeypatch.setattr(live, "check_outputs", lambda *_: openers)
    return opened


def test_a_camera_that_comes_late_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    links: dict[str, str] = {}
    tried: list[str] = []

    def open_source(name: str, _: Settings) -> Source:
        tried.append(name)
        return CountingSource(total=1)

    monkeypatch.setattr(live, "_open_source", open_source)
    monkeypatch.setattr(live, "stable_name", lambda name: links.get(name, name))
    opener, _ = live._camera_opener("0", Settings())
    opener()
    links["0"] = "/dev/v4l/by-id/webcam"  # it is there
    opener()
    links.clear()  # it was unplugged
    opener()
    assert tried == ["0", "/dev/v4l/by-id/webcam", "/dev/v4l/by-id/webcam"]


def test_a_camera_that_is_turned_gets_bars_and_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, sinks: list[RecordingSink], capfd: pytest.CaptureFixture[str]
) -> None:
    phone = _Turned(None, live=True)
    shown: list[Image] = []

    def write(frame: Frame) -> None:
        shown.append(frame.image)
        phone.turned = True
        if shown[-1][0, 0].max() == 0 and len(shown) > 5:
            raise Stopped

    monkeypatch.setattr(live, "_open_source", lambda *_: phone)
    monkeypatch.setattr(sinks[0], "write", write)
    live.run_live(Settings(), "demo", "none", preview=False)
    assert {image.shape for image in shown} == {(48, 64, 3)}
    assert shown[0].min() == 200
    assert shown[-1][:, 24:40].mean() > 150
    told = capfd.readouterr().err
    assert told.count("The camera now gives 48x64; black bars bring it to 64x48") == 1


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("moment", ["State", "LiveRun", "_Report", "Keys"])
def test_an_interrupted_start_closes_what_is_open(
    monkeypatch: pytest.MonkeyPatch,
    sinks: list[RecordingSink], engine: UnchangedEngine, moment: str,
) -> None:  # fmt: skip
    source = CountingSource(None, live=True)
    monkeypatch.setattr(live, "_open_source", lambda *_: source)
    monkeypatch.setattr(live, moment, _interrupt)
    with pytest.raises(KeyboardInterrupt):
        live.run_live(Settings(), "demo", "none", preview=False)
    assert source.closed
    assert engine.closed
    assert [sink.closed for sink in sinks] == [[False], [False]]


def test_an_interruption_while_outputs_are_opened(
    monkeypatch: pytest.MonkeyPatch, sinks: list[RecordingSink]
) -> None:
    source = CountingSource(None, live=True)
    monkeypatch.setattr(live, "_open_source", lambda *_: source)
    monkeypatch.setattr(live, "check_outputs", lambda *_: [lambda _: sinks[0], _interrupt])
    with pytest.raises(KeyboardInterrupt):
        live.run_live(Settings(), "demo", "none", preview=False)
    assert source.closed
    assert sinks[0].closed == [False]


def test_an_interruption_while_the_camera_is_opened(
    monkeypatch: pytest.MonkeyPatch, sinks: list[RecordingSink]
) -> None:
    driver = CameraDriver()
    monkeypatch.setattr(camera.Camera, "_grab", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        live.run_live(Settings(), driver.plug_in(monkeypatch), "none", preview=False)
    assert driver.released
    assert [sink.closed for sink in sinks] == [[], []]


@pytest.mark.parametrize("moment", ["live_status", "Pipeline.run"])
def test_an_interruption_before_the_first_frame_is_the_usual_end(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    sinks: list[RecordingSink], engine: UnchangedEngine, moment: str,
) -> None:  # fmt: skip
    source = CountingSource(None, live=True)
    monkeypatch.setattr(live, "_open_source", lambda *_: source)
    if moment == "live_status":
        monkeypatch.setattr(live, moment, _interrupt)
    else:
        monkeypatch.setattr(pipeline.Pipeline, "_emit", _interrupt)
    live.run_live(Settings(), "demo", "none", preview=False)
    assert source.closed
    assert all(sink.closed for sink in sinks)
    assert engine.closed
    assert capfd.readouterr().err.splitlines()[-1] == "Stopped before the first frame was ready"


@pytest.mark.parametrize(
    ("output", "preview", "sentence"),
    [
        ("out.gif", False, "out.gif cannot hold a video"),
        ("none/out.mp4", False, "The folder none does not exist"),
        ("-", False, "send it to one, or to a file"),
        ("none", True, "There is no screen for --preview"),
        (None, False, "No virtual camera.* window: --output none --preview"),
    ],
)
def test_outputs_are_checked_before_anything_slow(
    monkeypatch: pytest.MonkeyPatch, output: str | None, preview: bool, sentence: str
) -> None:
    def no_driver(device: str | None) -> None:
        raise kernel_module.absence()

    def opened(*_: object) -> None:
        raise AssertionError("too early")

    monkeypatch.setattr(virtual_camera, "check_virtual_camera", no_driver)
    monkeypatch.setattr(parts, "open_engine", opened)
    monkeypatch.setattr(live, "_open_source", opened)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    _, terminal = os.openpty()
    with os.fdopen(terminal, "w") as screen:
        monkeypatch.setattr(sys, "stdout", screen)
        with pytest.raises(BokehError, match=sentence):
            live.run_live(Settings(), "demo", output, preview)


@pytest.mark.skipif(sys.platform != "linux", reason="v4l2loopback is Linux's")
def test_a_loopback_that_cannot_be_written_to_is_found_out_before_anything_slow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    device = LoopbackDevice(tmp_path, "Mine")
    LoopbackDevice.plug_in(monkeypatch, device)
    device.captures, device.outputs = True, False
    with pytest.raises(SinkError, match=r"can be opened .another program sends"):
        outputs.check_outputs(None, preview=False, pressed=[], device="Mine")
    with pytest.raises(UsageError, match="There is no virtual camera 'Yours'"):
        outputs.check_outputs(None, preview=False, pressed=[], device="Yours")


@pytest.mark.parametrize("hangs", [False, True])
def test_a_live_run_closes_its_engine_unless_a_frame_is_still_in_it(
    monkeypatch: pytest.MonkeyPatch, sinks: list[RecordingSink], engine: UnchangedEngine,
    hangs: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(pipeline, "_PATIENCE", 0.01 if hangs else 60)
    monkeypatch.setattr(live, "_open_source", lambda *_: CountingSource(None, live=True))
    begun, done = threading.Event(), threading.Event()
    users: list[threading.Thread] = []

    def begin(image: Image, controls: Controls) -> Callable[[], Image]:
        users.append(threading.current_thread())
        begun.set()
        assert not hangs or done.wait(60)
        return lambda: image

    def stop() -> None:
        if begun.is_set():
            raise Stopped

    monkeypatch.setattr(engine, "begin", begin)
    monkeypatch.setattr(sinks[0], "idle", stop)
    monkeypatch.setattr(sinks[0], "write", lambda frame: stop())
    live.run_live(Settings(), "demo", "none", preview=False)
    assert engine.closed == (not hangs)
    done.set()
    users[0].join()


@pytest.mark.parametrize(
    ("model", "advice"), [("lite", "try a smaller --inf"), ("stacked", "lite")]
)
def test_advice_for_slow_runs_fits_the_model(model: str, advice: str) -> None:
    assert advice in live._advice(Settings(model=model))


def _records(folder: Path) -> bool:
    """Whether the first frames are in a file."""
    return any(path.stat().st_size > 4096 for path in folder.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_recording_is_finished(tmp_path: Path, end: signal.Signals) -> None:
    line = [*PROGRAM, "--camera", "demo", "--output", "x.mp4"]
    with started(line, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        wait_for(lambda: _records(tmp_path), process)
        process.send_signal(end)
        process.send_signal(signal.SIGTERM)  # a session that ends sends two
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert [p.name for p in tmp_path.iterdir()] == ["x.mp4"]
    assert len(clips.times(tmp_path / "x.mp4")) >= 1
    assert "moof" not in clips.boxes(tmp_path / "x.mp4")  # it was brought to its end
    assert b" in " in errors.splitlines()[-1]
    assert b"Ctrl-C stops" in errors.splitlines()


@pytest.mark.parametrize("output", [None, "-", "none"])
def test_sound_needs_a_file(output: str | None) -> None:
    with pytest.raises(UsageError, match="--audio records sound into a file; give one"):
        live.run_live(Settings(audio="default"), "demo", output, preview=False)


def test_a_microphone_is_looked_for_before_anything_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str) -> None:
        raise UsageError(f"There is no microphone {name}")

    monkeypatch.setattr(microphone, "find_microphone", find)
    with pytest.raises(UsageError, match="There is no microphone usb"):
        outputs.check_outputs(str(tmp_path / "x.mp4"), False, [], audio="usb")
    assert list(tmp_path.iterdir()) == []


def test_a_file_gets_the_sound_of_a_microphone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = FakeMicrophone()
    monkeypatch.setattr(microphone, "find_microphone", lambda name: None)
    monkeypatch.setattr(microphone, "Microphone", lambda name: heard)
    (opener,) = outputs.check_outputs(str(tmp_path / "x.mp4"), False, [], audio="usb")
    sink = opener(CountingSource(None, live=True))
    assert sink.describe().endswith("with sound from a fake")
    heard.trouble = "It is gone"
    sink.idle()
    assert "It is gone; the recording goes on in silence" in capfd.readouterr().err
    sink.close(complete=True)
    assert heard.closed


def test_a_killed_recording_is_there(tmp_path: Path) -> None:
    line = [*PROGRAM, "--camera", "demo", "--size", "320x240", "--output", "x.mp4"]
    part, sizes = tmp_path / "x.recording.mp4", set[int]()

    def has_grown() -> bool:
        if part.exists():
            sizes.add(part.stat().st_size)
        return len(sizes) > 3  # empty, its head, and two pieces

    with started(line, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        wait_for(has_grown, process)
        process.kill()
        process.wait()
    assert clips.times(part)[-1] > 0.5


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_a_full_disk_ends_a_recording_and_loses_nothing(tmp_path: Path) -> None:
    program = (
        "import resource, sys\n"
        "from realtime_bokeh.app.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))\n"
        "sys.argv[1:] = '--camera demo --output x.mp4'.split()\n"
        "main()"
    )
    with started([sys.executable, "-c", program], cwd=tmp_path, stderr=subprocess.PIPE) as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.splitlines()[-1] == (
        b"realtime-bokeh: x.mp4 cannot be written (File too large); what was recorded until then "
        b"is in x.recording.mp4"
    )
    assert b"Traceback" not in errors
    assert [p.name for p in tmp_path.iterdir()] == ["x.recording.mp4"]
    assert clips.times(tmp_path / "x.recording.mp4")[-1] > 0.5


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")
def test_signals_after_the_end_change_nothing(tmp_path: Path) -> None:
    late = (
        "import os, signal, sys\n"
        "from realtime_bokeh.app import main\n"
        "main._run = lambda verbose: 3\n"
        "try: main.main()\n"
        "finally: [os.kill(os.getpid(), n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]"
    )
    with started([sys.executable, "-c", late], cwd=tmp_path, stderr=subprocess.PIPE) as process:
        _, errors = process.communicate()
    assert process.returncode == 3, errors


@pytest.mark.skipif(sys.platform != "linux", reason="terminals are closed in other ways there")
def test_a_recording_survives_its_terminal(tmp_path: Path) -> None:
    line = [*PROGRAM, "--camera", "demo", "--output", "x.mp4"]
    # a program that makes the terminal its own, as a shell in a new window does
    own = (
        "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    master, slave = os.openpty()
    with started(
        [sys.executable, "-c", own, *line], cwd=tmp_path,
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(slave)
        while not _records(tmp_path):
            assert process.poll() is None
            os.read(master, 65536)
        os.close(master)  # the window is closed
        process.wait()
    assert process.returncode == 0
    assert [p.name for p in tmp_path.iterdir()] == ["x.mp4"]
    assert len(clips.times(tmp_path / "x.mp4")) >= 1


def test_raw_frames_end_when_their_reader_has_seen_enough() -> None:
    line = [*PROGRAM, "--camera", "demo", "--output", "-", "--size", "64x48"]
    end, start = os.pipe()
    with started(line, stdout=start, stderr=subprocess.PIPE) as process:
        os.close(start)
        with os.fdopen(end, "rb") as reader:
            frames = [reader.read(64 * 48 * 3) for _ in range(3)]
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert [len(frame) for frame in frames] == [64 * 48 * 3] * 3
    pictures = [np.frombuffer(frame, np.uint8).reshape(48, 64, 3) for frame in frames]
    assert all(picture.std() > 10 for picture in pictures)
    assert not np.array_equal(pictures[1], pictures[2])  # the scene moves


def test_a_clip_stands_for_the_camera(
    tmp_path: Path, sinks: list[RecordingSink], monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    clip = clips.make(tmp_path / "in.mp4", image=clips.solid((9, 99, 199)))
    shown = []

    def write(frame: Frame) -> None:
        shown.append(frame.index)
        if len(shown) > len(clips.HALF_A_SECOND) + 3:  # it has come round
            raise Stopped

    monkeypatch.setattr(sinks[0], "write", write)
    live.run_live(Settings(), str(clip), "none", preview=False)
    assert max(shown) >= len(clips.HALF_A_SECOND)
    assert "in.mp4: 64x48 at 24 fps h264, again and again" in capfd.readouterr().err


def test_a_clip_has_a_size_of_its_own(tmp_path: Path) -> None:
    clip = clips.make(tmp_path / "in.mp4")
    with pytest.raises(UsageError, match="leave them out"):
        live.run_live(Settings(fps=30), str(clip), "none", preview=False)
