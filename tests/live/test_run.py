"""Live runs from a marked camera: what is shown when, and that it is never the camera itself."""

import threading
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from realtime_bokeh.engines import Controls, Engine
from realtime_bokeh.engines.base import Finish
from realtime_bokeh.errors import EngineError, SourceError, UsageError
from realtime_bokeh.frame import Frame, Image, Source
from realtime_bokeh.live import adapt, camera, run
from realtime_bokeh.live.adapt import Quality
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.effect import PREPARER, LiveEffect
from realtime_bokeh.live.run import LiveRun, State
from realtime_bokeh.sizes import Size
from tests.fakes import RecordingSink, UnchangedEngine

SIZE = Size(48, 64)
RAW_MARK, RENDERED_MARK = (250, 0, 250), (0, 250, 0)  # colours that no card has


class MarkedCamera(Source):
    """Gives pictures of one colour, a corner of another, a thousand a second.

    error: that is raised instead. flows: cleared, it blocks.
    """

    size, fps, live = SIZE, 30.0, True

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.flows = threading.Event()
        self.flows.set()
        self.closed = 0
        image = np.full((*SIZE, 3), RAW_MARK, np.uint8)
        image[:8, :8] = 0
        self.image = image

    def describe(self) -> str:
        return "marked"

    def read(self) -> Frame | None:
        assert self.flows.wait(60)
        time.sleep(0.001)
        if self.error:
            raise self.error
        return Frame(self.image, 0, time.monotonic())

    def close(self) -> None:
        self.closed += 1


class MarkingEngine(UnchangedEngine):
    """Paints over what it gets: all but a corner of the picture in RENDERED_MARK, and writes the
    strength into that.

    error: that is raised instead. gate: cleared, it hangs. seen: the latest image.
    """

    network_seconds = 0.05
    seen: Image

    def __init__(self, name: str = "best", slow: bool = False) -> None:
        super().__init__()
        self.name, self.slow = name, slow
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def _begin(self, image: Image, controls: Controls) -> Finish:
        assert self.gate.wait(60)
        self.seen = image
        if self.error:
            raise self.error
        if self.slow:
            time.sleep(0.05)
        rendering = np.full_like(image, RENDERED_MARK)
        rendering[:8, :8] = round(200 * controls.strength)
        return lambda: rendering


class OtherOpeners:
    """Opens a camera of lower pictures, and engines that tell of their quality.

    slow: models of which a frame takes longer than a thirtieth of a second.
    """

    def __init__(self) -> None:
        self.slow: set[str] = set()

    def camera(self, name: str) -> tuple[Callable[[], Source], bool]:
        if name != "other":
            raise UsageError(f"There is no camera {name!r}")
        other = MarkedCamera()
        other.image = np.ascontiguousarray(other.image[:24])
        return lambda: other, False

    def engine(self, quality: Quality) -> Callable[[], Engine]:
        return lambda: MarkingEngine(quality.model, quality.model in self.slow)

    def qualities(self, model: str) -> list[Quality]:
        if model == "none":
            raise UsageError("There is no model 'none'")
        return [Quality(model, Size(16, 16), 2.0), Quality("least", Size(16, 16), 1.0)]


class Stage:
    """A run on a thread of its own, and what its screen shows.

    recording: a second output that nobody watches while it runs.
    mended: set, another engine can be opened.
    """

    def __init__(self, passthrough: bool = False) -> None:
        self.device, self.engine = MarkedCamera(), MarkingEngine()
        self.screen, self.recording = RecordingSink(live=True), RecordingSink()
        self.watched = True
        self.camera = WatchedCamera(self._open)
        self.mended = threading.Event()
        self.openers = OtherOpeners()
        self.effect = LiveEffect(self.engine, self._open_engine)
        self.run = LiveRun(
            self.camera, self.effect, [self.screen, self.recording], self.openers, "best",
            fps=30, passthrough=passthrough, watched=lambda: self.watched,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.run.run)

    def _open(self) -> Source:
        if self.device.error:
            raise self.device.error
        return self.device

    def _open_engine(self) -> Engine:
        assert self.mended.wait(60)
        return MarkingEngine()

    def look(self) -> str:
        """What the next thing that is shown is: raw, rendered, mixed or a card."""
        before = len(self.screen.frames)
        self.until(lambda: len(self.screen.frames) > before)
        return _kind(self.screen.frames[-1].image)

    def until(self, found: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not found():
            assert time.monotonic() < deadline
            assert self.thread.is_alive()
            time.sleep(0.001)

    def sees(self, kind: str) -> None:
        self.until(lambda: bool(self.screen.frames) and self.look() == kind)

    @property
    def shown(self) -> set[str]:
        """Every kind that any output ever got."""
        return {_kind(f.image) for f in [*self.screen.frames, *self.recording.frames]}


def _kind(image: Image) -> str:
    marks = [mark for mark in (RAW_MARK, RENDERED_MARK) if (image[40, 40] == mark).all()]
    return {(): "card", (RAW_MARK,): "raw", (RENDERED_MARK,): "rendered"}[tuple(marks)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_PAUSES", (0.001,))
    monkeypatch.setattr(camera, "_LINGER", 0.0)
    monkeypatch.setattr(camera, "_SILENCE", 0.3)
    monkeypatch.setattr(camera, "_CLOSING", 60)
    monkeypatch.setattr(run, "_SILENCE", 0.3)


@pytest.fixture(params=[False])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    stage = Stage(passthrough=request.param)
    stage.thread.start()
    stage.sees("rendered")
    yield stage
    for gate in (stage.engine.gate, stage.device.flows, stage.mended):
        gate.set()
    stage.run.stop()
    stage.thread.join(60)
    assert not stage.thread.is_alive()
    assert stage.screen.closed == [True]
    stage.effect.close()
    for thread in threading.enumerate():
        if thread.name in (camera.READER, PREPARER):
            thread.join(60)


def test_a_card_is_shown_until_the_first_rendering() -> None:
    stage = Stage()
    stage.engine.gate.clear()
    stage.thread.start()
    stage.sees("card")
    stage.engine.gate.set()
    stage.sees("rendered")
    assert {stage.look() for _ in range(20)} == {"rendered"}
    stage.run.stop()
    stage.thread.join(60)
    assert stage.shown == {"card", "rendered"}


@pytest.mark.parametrize("fault", ["unplugged", "blocked"])
def test_a_camera_that_is_lost_and_back(stage: Stage, fault: str) -> None:
    if fault == "blocked":
        stage.device.flows.clear()
    else:
        stage.device.error = SourceError("Camera 0 gives no frames")
    stage.sees("card")
    stage.until(lambda: stage.run.trouble != "")
    stage.device.error = None
    stage.device.flows.set()
    stage.sees("rendered")
    assert stage.run.trouble == ""
    assert stage.shown == {"card", "rendered"}


@pytest.mark.parametrize("error", [EngineError("OpenVINO failed"), MemoryError(), KeyError("bug")])
def test_an_engine_that_fails_shows_a_card_and_is_mended(stage: Stage, error: Exception) -> None:
    stage.engine.error = error
    stage.sees("card")
    stage.mended.set()
    stage.sees("rendered")  # by another one
    assert stage.effect.engine is not stage.engine
    assert stage.shown == {"card", "rendered"}


def test_an_engine_that_hangs_shows_a_card(stage: Stage) -> None:
    stage.engine.gate.clear()
    stage.sees("card")
    stage.engine.gate.set()
    stage.sees("rendered")
    assert stage.shown == {"card", "rendered"}


@pytest.mark.parametrize("stage", [True], indirect=True)
def test_failures_show_the_camera_only_if_that_was_asked_for(stage: Stage) -> None:
    stage.engine.error = EngineError("OpenVINO failed")
    stage.sees("raw")


def test_blank_hides_everything_and_releases_the_camera(stage: Stage) -> None:
    stage.run.set(blank=True)
    stage.sees("card")
    stage.until(lambda: stage.device.closed == 1)
    assert not stage.camera.open
    assert {stage.look() for _ in range(2)} == {"card"}
    stage.run.set(blank=False)
    stage.sees("rendered")
    assert stage.shown == {"card", "rendered"}


def test_frozen_keeps_a_rendering(stage: Stage) -> None:
    stage.run.set(frozen=True, strength=0.5)
    stage.until(lambda: stage.device.closed == 1)
    stage.look()
    kept = stage.screen.frames[-1].image
    stage.look()
    assert stage.screen.frames[-1].image is kept
    assert _kind(kept) == "rendered"
    stage.run.set(frozen=False)
    stage.until(lambda: stage.screen.frames[-1].image[0, 0, 0] == 100)


def test_the_camera_is_off_while_nobody_watches(stage: Stage) -> None:
    stage.watched = False
    stage.sees("card")
    stage.until(lambda: stage.device.closed == 1)
    stage.watched = True
    stage.sees("rendered")
    assert stage.shown == {"card", "rendered"}


def test_the_blur_is_off_only_while_that_is_asked_for(stage: Stage) -> None:
    stage.run.set(off=True)
    stage.sees("raw")
    stage.run.set(off=False)
    stage.sees("rendered")
    stage.run.set(off=True, blank=True)
    stage.sees("card")
    assert {stage.look() for _ in range(2)} == {"card"}


def test_mirror_exchanges_left_and_right(stage: Stage) -> None:
    stage.run.set(mirror=True, off=True)
    stage.until(lambda: not stage.screen.frames[-1].image[0, -1].any())


def test_the_effect_sees_what_is_mirrored_so_that_a_background_is_not(stage: Stage) -> None:
    assert not stage.engine.seen[0, 0].any()
    stage.run.set(mirror=True)
    stage.until(lambda: not stage.engine.seen[0, -1].any())
    assert stage.engine.seen[0, 0].any()
    stage.look()
    assert stage.screen.frames[-1].image[0, 0, 0] == 200


def test_strength_follows_from_one_frame_to_the_next(stage: Stage) -> None:
    for step in range(21):
        stage.run.set(strength=step / 20)
        for _ in range(4):  # some may be under way
            stage.look()
        assert stage.screen.frames[-1].image[0, 0, 0] == 10 * step


def _renderer(stage: Stage) -> str:
    engine = stage.effect.engine
    assert isinstance(engine, MarkingEngine)
    return engine.name


def test_another_model_takes_over(stage: Stage) -> None:
    stage.run.use_model("dmshn")
    stage.until(lambda: _renderer(stage) == "dmshn")
    stage.sees("rendered")
    with pytest.raises(UsageError, match="no model"):
        stage.run.use_model("none")
    assert stage.run.model == "dmshn"
    assert stage.shown <= {"card", "rendered"}


def test_another_camera_takes_over(stage: Stage) -> None:
    with pytest.raises(UsageError, match="no camera"):
        stage.run.use_camera("none")
    stage.run.use_camera("other")
    stage.until(lambda: stage.camera.given == Size(24, 64))
    stage.until(lambda: not stage.screen.frames[-1].image[:8].any())  # bars
    assert stage.shown <= {"card", "rendered"}


def test_a_model_that_is_too_slow_makes_way_and_comes_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapt, "_SLOW", 0.2)
    monkeypatch.setattr(adapt, "_FAST", 0.2)
    stage.openers.slow = {"best", "dmshn"}
    stage.run.use_model("dmshn")
    stage.until(lambda: _renderer(stage) == "least")
    assert stage.run.lesser == Quality("least", Size(16, 16), 1.0)
    stage.openers.slow = set()
    monkeypatch.setattr(MarkingEngine, "network_seconds", 0.0)
    stage.until(lambda: _renderer(stage) == "dmshn" and stage.run.lesser is None)
    assert stage.shown <= {"card", "rendered"}


def test_what_is_out_of_range_changes_nothing(stage: Stage) -> None:
    with pytest.raises(UsageError, match=r"strength is 1\.5"):
        stage.run.set(strength=1.5, blank=True)
    with pytest.raises(TypeError):
        stage.run.set(sharpness=1)
    assert stage.run.state == State()


def test_a_failed_output_ends_with_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    error = EngineError("the disk is full")

    def write(frame: Frame) -> None:
        raise error

    monkeypatch.setattr(stage.recording, "write", write)
    with pytest.raises(EngineError) as caught:
        stage.run.run()
    assert caught.value is error
    assert _kind(stage.screen.frames[-1].image) == "card"
    assert stage.shown <= {"card", "rendered"}


def test_a_phone_that_is_turned_gets_bars(stage: Stage) -> None:
    stage.device.image = np.ascontiguousarray(cv2.rotate(stage.device.image, 0))
    stage.until(lambda: not stage.screen.frames[-1].image[:, :8].any())
    assert stage.screen.frames[-1].image.shape == (*SIZE, 3)
    assert stage.camera.given == Size(64, 48)
