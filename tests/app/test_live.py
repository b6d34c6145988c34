"""Live runs: how they start, how they end, what they leave."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realtime_bokeh import pipeline
from realtime_bokeh.app import display, live, outputs, parts
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.engines import Controls
from realtime_bokeh.errors import BokehError, SinkError, UsageError
from realtime_bokeh.frame import Frame, Image, Sink, Source, Stopped
from realtime_bokeh.live import adapt
from realtime_bokeh.live import camera as live_camera
from realtime_bokeh.live.hud import Hud
from realtime_bokeh.live.run import LiveRun
from realtime_bokeh.sinks import kernel_module, preview, viewers, virtual_camera
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import camera, microphone, stream
from tests import clips, servers
from tests.fakes import (
    CameraDriver,
    CountingSource,
    FakeMicrophone,
    HalfEngine,
    LoopbackDevice,
    RecordingSink,
    UnchangedEngine,
    WindowProcess,
)
from tests.program import PROGRAM, started


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

    def open_source(name: str, *_: object) -> Source:
        tried.append(name)
        return CountingSource(total=1)

    monkeypatch.setattr(live, "_open_source", open_source)
    monkeypatch.setattr(live, "stable_name", lambda name: links.get(name, name))
    opener = live._camera_opener("0", Settings())
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
    live.run_live(Settings(camera="demo", output="none"))
    assert {image.shape for image in shown} == {(48, 64, 3)}
    assert shown[0].min() == 200
    assert shown[-1][:, 24:40].mean() > 150
    told = capfd.readouterr().err
    assert told.count("The camera now gives 48x64; black bars bring it to 64x48") == 1


def test_a_background_stands_behind_the_person_whatever_shape_the_camera_has(
    monkeypatch: pytest.MonkeyPatch, sinks: list[RecordingSink]
) -> None:
    phone = _Turned(None, live=True)
    shown: list[Image] = []

    def write(frame: Frame) -> None:
        shown.append(frame.image)
        phone.turned = len(shown) > 3
        if len(shown) > 8 and shown[-1][0, 0].max() == 0:
            raise Stopped

    monkeypatch.setattr(parts, "open_engine", lambda *_: HalfEngine())
    monkeypatch.setattr(live, "_open_source", lambda *_: phone)
    monkeypatch.setattr(sinks[0], "write", write)
    live.run_live(Settings(camera="demo", output="none", background="#102030"))
    assert (shown[0][:, :28] == 200).all()
    assert (shown[0][:, 36:] == (48, 32, 16)).all()
    assert (shown[-1][:, :14] == 0).all()  # 36x48 of 64x48, between bars
    assert (shown[-1][:, 16:28] == 200).all()
    assert (shown[-1][:, 36:48] == (48, 32, 16)).all()
    assert (shown[-1][:, 50:] == 0).all()


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
        live.run_live(Settings(camera="demo", output="none"))
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
        live.run_live(Settings(camera="demo", output="none"))
    assert source.closed
    assert sinks[0].closed == [False]


def test_an_interruption_while_the_camera_is_opened(
    monkeypatch: pytest.MonkeyPatch, sinks: list[RecordingSink]
) -> None:
    driver = CameraDriver()
    monkeypatch.setattr(camera.Camera, "_grab", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        live.run_live(Settings(camera=driver.plug_in(monkeypatch), output="none"))
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
    live.run_live(Settings(camera="demo", output="none"))
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
        ("none", True, "There is no screen for --preview; leave --preview out"),
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
            live.run_live(Settings(camera="demo", output=output, preview=preview))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a screen")
def test_another_output_goes_on_without_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    preview.check_screen.cache_clear()
    (opener,) = outputs.check_outputs(str(tmp_path / "x.mp4"), Hud(()))
    sink = opener(CountingSource(None, live=True))
    assert "x.mp4" in sink.describe()
    sink.close(complete=False)
    (told,) = capfd.readouterr().err.splitlines()
    assert told == "There is no screen for --preview; the run goes on without a window"


@pytest.mark.parametrize("output", ["x.mp4", "none"])
def test_a_window_that_is_lost_ends_only_a_run_that_has_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], output: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preview, "check_screen", lambda: None)
    window = WindowProcess(monkeypatch)
    opener = outputs.check_outputs(output, Hud(()))[0]
    sink = opener(CountingSource(None, live=True))
    window.connection.close()
    if output == "none":
        with pytest.raises(SinkError, match="window is gone, perhaps with its screen; leave --pre"):
            sink.idle()
    else:
        sink.idle()
        sink.idle()
        (told,) = capfd.readouterr().err.splitlines()
        assert told.endswith("is gone, perhaps with its screen; the run goes on without a window")
    sink.close(complete=True)


@pytest.mark.skipif(sys.platform != "linux", reason="v4l2loopback is Linux's")
@pytest.mark.parametrize("viewer", [False, True])
@pytest.mark.parametrize("always", [False, True])
def test_a_window_counts_as_a_viewer_until_it_is_gone(
    viewer: bool, always: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(preview, "check_screen", lambda: None)
    monkeypatch.setattr(viewers.Viewers, "watched", lambda self: viewer)
    monkeypatch.setattr(viewers, "_STAYS", 0.0)
    LoopbackDevice.plug_in(monkeypatch, LoopbackDevice(tmp_path))
    window = WindowProcess(monkeypatch)
    camera = CountingSource(None, live=True)
    sinks = [opener(camera) for opener in outputs.check_outputs(None, Hud(()))]
    with outputs.demand(sinks, always) as wanted:
        assert wanted()
        window.connection.close()
        sinks[0].idle()
        assert wanted() is (viewer or always)
    for sink in sinks:
        sink.close(complete=True)


@pytest.mark.skipif(sys.platform != "linux", reason="v4l2loopback is Linux's")
def test_a_loopback_that_cannot_be_written_to_is_found_out_before_anything_slow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    device = LoopbackDevice(tmp_path, "Mine")
    LoopbackDevice.plug_in(monkeypatch, device)
    device.captures, device.outputs = True, False
    with pytest.raises(SinkError, match=r"can be opened .another program sends"):
        outputs.check_outputs(None, None, device="Mine")
    with pytest.raises(UsageError, match="There is no virtual camera 'Yours'"):
        outputs.check_outputs(None, None, device="Yours")


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
    live.run_live(Settings(camera="demo", output="none"))
    assert engine.closed == (not hangs)
    done.set()
    users[0].join()


@pytest.mark.parametrize(("asked", "taken"), [(None, 3), (5, 5)])
def test_the_effect_leaves_room_unless_told_otherwise(
    asked: int | None, taken: int, monkeypatch: pytest.MonkeyPatch, sinks: list[RecordingSink]
) -> None:
    opened: list[object] = []

    def open_engine(*given: object) -> UnchangedEngine:
        opened.append(given[-1])
        return UnchangedEngine()

    def stop(frame: Frame) -> None:
        raise Stopped

    monkeypatch.setattr(parts, "open_engine", open_engine)
    monkeypatch.setattr(live, "threads_with_room", lambda: 3)
    monkeypatch.setattr(sinks[0], "write", stop)
    live.run_live(Settings(camera="demo", output="none", threads=asked))
    assert opened == [taken]


@pytest.mark.parametrize("asked", [False, True])
def test_it_gives_way_only_if_it_is_asked_to_and_before_all_else(
    asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(live, "give_way", lambda: done.append("gave way"))
    monkeypatch.setattr(live, "engine_opener", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        live.run_live(Settings(camera="demo", output="none", low_priority=asked))
    assert done == ["gave way"] * asked


def test_figures_are_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sinks: list[RecordingSink]
) -> None:
    path = tmp_path / "run.json"
    shown: list[int] = []

    def write(frame: Frame) -> None:
        shown.append(frame.index)
        if len(shown) > 3:
            raise Stopped

    monkeypatch.setattr(sinks[0], "write", write)
    live.run_live(
        Settings(camera="demo", output="none", metrics=str(path), size=Size(48, 64), fps=240)
    )
    figures = json.loads(path.read_text())
    assert (figures["model"], figures["camera_size"], figures["trouble"]) == ("lite", "64x48", "")
    assert figures["latency_p50_ms"] > 0


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("run.txt", "cannot hold figures; end its name with one of .json"), ("no/x.json", "create")],
)
def test_a_file_of_figures_that_cannot_be_is_refused(
    name: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "open_engine", _interrupt)
    with pytest.raises(UsageError, match=sentence):
        live.run_live(Settings(camera="demo", output="none", metrics=str(tmp_path / name)))


@pytest.mark.parametrize(
    ("model", "advice"), [("lite", "try a smaller --inf"), ("stacked", "lite")]
)
def test_advice_for_slow_runs_fits_the_model(model: str, advice: str) -> None:
    assert advice in live._advice(Settings(model=model))


def test_an_engine_that_cannot_be_opened_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, sinks: list[RecordingSink], capfd: pytest.CaptureFixture[str]
) -> None:
    def write(frame: Frame) -> None:
        if len(sinks[0].frames) == 10:
            raise Stopped
        sinks[0].frames.append(frame)

    monkeypatch.setattr(LiveRun, "refused", "Model mine: graph.onnx is missing")
    monkeypatch.setattr(live, "_open_source", lambda *_: CountingSource(None, live=True))
    monkeypatch.setattr(sinks[0], "write", write)
    live.run_live(Settings(camera="demo", output="none"))
    told = capfd.readouterr().err.splitlines()
    assert told.count("Model mine: graph.onnx is missing") == 1


def test_a_rate_that_no_quality_holds_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, sinks: list[RecordingSink]
) -> None:
    class Slow(UnchangedEngine):
        def _begin(self, image: Image, controls: Controls) -> Callable[[], Image]:
            time.sleep(0.05)
            return super()._begin(image, controls)

    said: list[str] = []
    later: list[Frame] = []

    def note(line: str) -> None:
        if "Not even" in line:
            said.append(line)

    def write(frame: Frame) -> None:
        if said:
            later.append(frame)
        if len(later) == 10:
            raise Stopped

    monkeypatch.setattr(adapt, "_SLOW", 0.1)
    monkeypatch.setattr(parts, "open_engine", lambda *_: Slow())
    monkeypatch.setattr(live, "_open_source", lambda *_: CountingSource(None, live=True))
    monkeypatch.setattr(display.console, "print", note)
    monkeypatch.setattr(sinks[0], "write", write)
    live.run_live(Settings(camera="demo", output="none", fps=30))
    assert len(said) == 1
    assert re.search(r"holds the frame rate, \d+(\.\d)? fps is the most here: lower --fps", said[0])


@pytest.mark.parametrize("output", [None, "-", "none"])
def test_sound_needs_a_file(output: str | None) -> None:
    with pytest.raises(UsageError, match="--audio records sound into a file; give one"):
        live.run_live(Settings(camera="demo", output=output, audio="default"))


def test_a_microphone_is_looked_for_before_anything_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str) -> None:
        raise UsageError(f"There is no microphone {name}")

    monkeypatch.setattr(microphone, "find_microphone", find)
    with pytest.raises(UsageError, match="There is no microphone usb"):
        outputs.check_outputs(str(tmp_path / "x.mp4"), None, audio="usb")
    assert list(tmp_path.iterdir()) == []


def test_a_file_gets_the_sound_of_a_microphone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = FakeMicrophone()
    monkeypatch.setattr(microphone, "find_microphone", lambda name: None)
    monkeypatch.setattr(microphone, "Microphone", lambda name: heard)
    (opener,) = outputs.check_outputs(str(tmp_path / "x.mp4"), None, audio="usb")
    sink = opener(CountingSource(None, live=True))
    assert sink.describe().endswith("with sound from a fake")
    heard.trouble = "It is gone"
    sink.idle()
    assert "It is gone; the recording goes on in silence" in capfd.readouterr().err
    sink.close(complete=True)
    assert heard.closed


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
        while not any(path.stat().st_size > 4096 for path in tmp_path.iterdir()):
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
    live.run_live(Settings(camera=str(clip), output="none"))
    assert max(shown) >= len(clips.HALF_A_SECOND)
    assert "in.mp4: 64x48 at 24 fps h264, again and again" in capfd.readouterr().err


def test_a_clip_that_is_away_for_a_while_is_told_of_as_a_file(
    tmp_path: Path, sinks: list[RecordingSink], monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(live_camera, "_PAUSES", (0.001,))
    clip, away = clips.make(tmp_path / "in.mp4"), tmp_path / "away.mp4"
    told = ""
    looks = 0  # since it was told of

    def show(frame: Frame) -> None:
        if looks:
            raise Stopped
        if clip.exists():
            clip.rename(away)

    def be_idle() -> None:
        nonlocal told, looks
        told += capfd.readouterr().err
        looks += "trying again" in told
        if looks == 3:
            away.rename(clip)

    monkeypatch.setattr(sinks[0], "write", show)
    monkeypatch.setattr(sinks[0], "idle", be_idle)
    live.run_live(Settings(camera=str(clip), output="none"))
    assert f"{clip} does not exist or is not a file; trying again" in told
    assert "There is no camera" not in told


def test_a_camera_on_the_network(
    tmp_path: Path, sinks: list[RecordingSink], monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(stream, "_MEASURED", 0.02)

    def write(frame: Frame) -> None:
        assert frame.image.mean(axis=(0, 1)).tolist() == pytest.approx(servers.COLOUR, abs=4)
        raise Stopped

    monkeypatch.setattr(sinks[0], "write", write)
    with servers.web(tmp_path) as address:
        camera = f"{address.replace('//', '//me:s3cret@')}/video?s3cret"
        live.run_live(Settings(camera=camera, output="none"))
    told = capfd.readouterr().err
    assert f"{address.replace('//', '//me:***@')}/video?***: 64x48 at " in told
    assert "s3cret" not in told


@pytest.mark.parametrize("camera", ["in.mp4", "rtsp://me:s3cret@host/live"])
def test_clips_and_streams_have_a_size_of_their_own(
    camera: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clips.make(tmp_path / "in.mp4")
    with pytest.raises(UsageError, match="leave them out") as caught:
        live.run_live(Settings(camera=camera, output="none", fps=30))
    assert "s3cret" not in str(caught.value)
