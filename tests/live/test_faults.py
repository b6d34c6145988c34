"""What may go wrong in a live run, in one list: each is survived, or ends it with a sentence.

The camera's own picture is marked, and every frame of every output is searched for the mark. Where
the whole program runs, on the built-in scene, the mark is the detail of the scene's background.

Three faults need devices of the kernel and are in `tests/vm`: the program that watches the virtual
webcam is killed, there are two of them, and ours is started again while they watch.
"""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from realtime_bokeh import weights
from realtime_bokeh.app import live
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.errors import EngineError, SourceError, WeightsError
from realtime_bokeh.frame import Image
from realtime_bokeh.live import adapt
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import camera
from realtime_bokeh.sources.demo import images
from tests import clips
from tests.fakes import CameraDriver
from tests.live.stage import SIZE, MarkedCamera, Stage
from tests.program import PROGRAM, Command, started, wait_for

Change = Callable[[Stage], object]


def _told(words: str) -> Callable[[Stage], bool]:
    return lambda stage: words in stage.run.trouble


@dataclass(frozen=True)
class Fault:
    """What happens to a run that goes on.

    strikes, ends: when it does.
    seen: whether the run has noticed.
    card: whether a card is shown meanwhile.
    fps: that the run holds by a lesser quality; 0: by none.
    """

    strikes: Change
    seen: Callable[[Stage], bool]
    ends: Change = lambda stage: None
    card: bool = True
    fps: float = 0.0


def _lose(error: Callable[[], Exception]) -> Change:
    return lambda stage: setattr(stage.device, "error", error())


def _find(stage: Stage) -> None:
    stage.device.error = None


def _denied() -> Exception:
    """What opening a camera raises for those who are not in its group."""

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(SourceError) as caught:
            camera.Camera("/dev/null")
    return caught.value


def _repeat(stage: Stage) -> None:
    stage.device.stuck = True
    stage.device.opens.clear()  # so that it can be seen what is said until it is open again


def _turn(stage: Stage) -> None:
    stage.device.image = np.ascontiguousarray(cv2.rotate(stage.device.image, 0))


def _bars(stage: Stage) -> bool:
    image = stage.screen.frames[-1].image
    return stage.camera.given == SIZE[::-1] and bool(image.any()) and not image[:, :8].any()


def _fail(error: Exception) -> Change:
    return lambda stage: setattr(stage.engine, "error", error)


def _mend(stage: Stage) -> None:
    stage.refusal = None
    stage.mended.set()


def _overflow(stage: Stage) -> None:
    stage.engine.focus = float("nan")


def _lose_weights(stage: Stage) -> None:
    with pytest.raises(WeightsError) as caught:
        replace(weights.find("lite"), folder=Path("nowhere")).file(weights.WEIGHTS)
    stage.refusal = caught.value
    stage.engine.error = EngineError("OpenVINO failed on CPU")


def _slow(stage: Stage) -> None:
    stage.openers.slow = {"best"}
    stage.engine.slow = True


def _fast(stage: Stage) -> None:
    stage.openers.slow = set()


def _sleep(stage: Stage) -> None:
    stage.slept += 3600.0


SURVIVED = {
    "camera disconnected and back": Fault(
        _lose(lambda: SourceError("Camera 0 gives no frames")),
        _told("Camera 0 gives no frames"), _find,
    ),
    "permission for the camera denied": Fault(
        _lose(_denied), _told("add yourself to its group"), _find,
    ),
    "blocked read": Fault(
        lambda stage: stage.device.flows.clear(), _told("the camera gives no pictures"),
        lambda stage: stage.device.flows.set(),
    ),
    "stuck frame": Fault(
        _repeat, _told("the camera repeats one picture"), lambda stage: stage.device.opens.set()
    ),
    "changed resolution": Fault(_turn, _bars, card=False),
    "engine raising": Fault(
        _fail(EngineError("OpenVINO failed on CPU")), _told("OpenVINO failed on CPU"), _mend
    ),
    "engine raising what nobody foresaw": Fault(
        _fail(KeyError("bug")), _told("the effect failed (KeyError('bug'))"), _mend
    ),
    "out of memory in the engine": Fault(
        _fail(MemoryError("8 GB")), _told("the effect failed (MemoryError('8 GB'))"), _mend
    ),
    "missing weights": Fault(
        _lose_weights, lambda stage: "is missing; install the model" in stage.run.refused, _mend
    ),
    "output that is no number": Fault(_overflow, _told("its numbers ran out of range"), _mend),
    "engine that hangs": Fault(
        lambda stage: stage.engine.gate.clear(), lambda stage: True,
        lambda stage: stage.engine.gate.set(),
    ),
    "slow engine": Fault(
        _slow, lambda stage: stage.run.lesser is not None, _fast, card=False, fps=30.0
    ),
    "clock that jumps, as after the computer slept": Fault(
        _sleep, lambda stage: True, card=False
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "fault"), [({"fps": fault.fps}, fault) for fault in SURVIVED.values()],
    indirect=["stage"], ids=SURVIVED,
)  # fmt: skip
def test_a_run_survives(stage: Stage, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapt, "_SLOW", 0.2)
    monkeypatch.setattr(adapt, "_FAST", 0.2)
    fault.strikes(stage)
    stage.until(lambda: fault.seen(stage))
    if fault.card:
        stage.sees("card")
    fault.ends(stage)
    stage.sees("rendered")
    stage.until(lambda: not stage.run.trouble and not stage.run.refused and not stage.run.lesser)
    before = len(stage.recording.frames)
    stage.until(lambda: len(stage.recording.frames) > before + 20)
    assert stage.shown - {"card"} == {"rendered"}


class _Bus(CameraDriver):
    """A marked camera where Linux lists it, by a link to its present device.

    at: the devices at which it was opened.
    """

    at: list[str] = []  # noqa: RUF012 - of all that are opened

    def __init__(self, link: str) -> None:
        super().__init__()
        self._link, self._device = Path(link), os.path.realpath(link)
        self._marked = MarkedCamera()
        self.at.append(self._device)

    def read(self) -> tuple[bool, Image | None]:
        if not self._link.exists() or os.path.realpath(self._link) != self._device:
            return False, None
        frame = self._marked.read()
        assert frame is not None
        return True, frame.image


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/v4l is Linux's")
def test_a_run_survives_that_its_camera_gets_another_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, impatient: None
) -> None:
    link = tmp_path / "usb-Webcam-index0"
    link.symlink_to("/dev/null")
    monkeypatch.setattr(_Bus, "at", [])
    monkeypatch.setattr(cv2, "VideoCapture", lambda name, _: _Bus(name))
    monkeypatch.setattr(camera, "_BY_ID", tmp_path)
    monkeypatch.setattr(camera, "_PATIENCE", 0.05)
    opener = live._camera_opener("/dev/null", Settings())
    stage = Stage(opener)
    stage.thread.start()
    stage.sees("rendered")
    link.unlink()
    stage.sees("card")
    link.symlink_to("/dev/zero")
    stage.sees("rendered")
    stage.end()
    assert _Bus.at == ["/dev/null", "/dev/zero"]
    assert stage.shown == {"card", "rendered"}


SCENE = Size(480, 640)


def _detail(image: Image) -> float:
    """How sharp the built-in scene is where no person ever is, whatever its noise."""
    corner = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[:240, -120:].astype(np.float32)
    return float(cv2.Laplacian(cv2.GaussianBlur(corner, (0, 0), 1.5), cv2.CV_32F).std())


def _assert_no_raw(shown: Sequence[Image]) -> None:
    """Check that there are pictures, none of which is the camera's own."""
    (raw,) = images(SCENE, 1)
    assert shown
    assert max(map(_detail, shown)) < 0.5 * _detail(raw)


def _pictures(path: Path) -> list[Image]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def _grown(folder: Path, size: int = 4096) -> bool:
    """Whether the first frames, or more, are in a file."""
    return any(path.stat().st_size > size for path in folder.iterdir())


RECORDING = [*PROGRAM, "--camera", "demo", "--no-adapt", "--output", "x.mp4"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals and limits")


@posix
@pytest.mark.parametrize(
    "signals",
    [
        (signal.SIGTERM, signal.SIGHUP),  # a session that ends sends both
        (signal.SIGHUP, signal.SIGTERM),
        (signal.SIGINT, signal.SIGINT),
    ],
    ids=["SIGTERM", "SIGHUP", "SIGINT twice"],
)
def test_a_signal_ends_a_recording_well(tmp_path: Path, signals: tuple[signal.Signals]) -> None:
    with started(RECORDING, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        wait_for(lambda: _grown(tmp_path), process)
        for number in signals:
            process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert [p.name for p in tmp_path.iterdir()] == ["x.mp4"]
    assert "moof" not in clips.boxes(tmp_path / "x.mp4")  # it was brought to its end
    _assert_no_raw(_pictures(tmp_path / "x.mp4"))
    assert b" in " in errors.splitlines()[-1]
    assert b"Ctrl-C stops" in errors.splitlines()


@posix
def test_a_killed_recording_is_there_and_the_next_run_leaves_it(tmp_path: Path) -> None:
    part, sizes = tmp_path / "x.recording.mp4", set[int]()

    def has_grown() -> bool:
        if part.exists():
            sizes.add(part.stat().st_size)
        return len(sizes) > 3  # empty, its head, and two pieces

    with started(RECORDING, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        wait_for(has_grown, process)
        process.kill()
        process.wait()
    assert clips.times(part)[-1] > 0.5
    killed = part.read_bytes()
    again = tmp_path / "x.recording-2.mp4"
    with started(RECORDING, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        wait_for(lambda: again.exists() and again.stat().st_size > 4096, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert part.read_bytes() == killed
    assert {p.name for p in tmp_path.iterdir()} == {"x.mp4", part.name}
    _assert_no_raw([*_pictures(part), *_pictures(tmp_path / "x.mp4")])


_LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from realtime_bokeh.app.main import main
main()
"""


def _limited(size: int, *arguments: str) -> list[str]:
    """The program, where a file may have so many bytes at most."""
    return [sys.executable, "-B", "-c", _LIMITED, str(size), *arguments]


@posix
def test_a_full_disk_ends_a_recording_and_loses_nothing(tmp_path: Path) -> None:
    line = _limited(400_000, *RECORDING[len(PROGRAM) :])
    with started(line, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.splitlines()[-1] == (
        b"realtime-bokeh: x.mp4 cannot be written (File too large); what was recorded until then "
        b"is in x.recording.mp4"
    )
    assert b"Traceback" not in errors
    assert [p.name for p in tmp_path.iterdir()] == ["x.recording.mp4"]
    assert clips.times(tmp_path / "x.recording.mp4")[-1] > 0.5
    _assert_no_raw(_pictures(tmp_path / "x.recording.mp4"))


@posix
def test_no_room_for_the_cache_only_costs_time(tmp_path: Path) -> None:
    line = _limited(0, "--camera", "demo", "--output", "-")
    with started(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        shown = [process.stdout.read(SCENE.area * 3) for _ in range(5)]
        process.stdout.close()
        process.wait()
    assert process.returncode == 0
    _assert_no_raw([np.frombuffer(each, np.uint8).reshape(*SCENE, 3) for each in shown])


def test_missing_weights_end_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setenv("REALTIME_BOKEH_DATA", str(tmp_path))
    lite, folder = weights.find("lite"), tmp_path / "models" / "mine"
    shutil.copytree(lite.folder, folder)
    weights.save_manifest(replace(lite, name="mine"), folder)
    (folder / weights.WEIGHTS).unlink()
    outcome = command("--camera", "demo", "--output", "none", "--model", "mine")
    assert outcome.status == 1
    assert outcome.lines[-1].startswith("realtime-bokeh: Model mine: ")
    assert outcome.lines[-1].endswith("weights.safetensors is missing; install the model again")


@pytest.mark.skipif(sys.platform != "linux", reason="cameras have no groups there")
def test_a_camera_that_may_not_be_opened_ends_a_start(
    monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    denied = _denied()

    def check(target: object) -> None:
        raise denied

    monkeypatch.setattr(camera, "_check_access", check)
    outcome = command("--camera", "/dev/null", "--output", "none")
    assert outcome.status == 1
    assert outcome.lines[-1] == (
        "realtime-bokeh: Camera /dev/null may not be opened; add yourself to its group: "
        "sudo usermod -aG video $USER, then log in again"
    )
