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
from realtime_bokeh.live.openers import Choice
from realtime_bokeh.live.run import LiveRun, State
from realtime_bokeh.sizes import InferenceSize, Size
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

    error: that is raised instead. gate: cleared, it hangs.
    """

    network_seconds = 0.05

    def __init__(self, name: str = "best", slow: bool = False) -> None:
        super().__init__()
        self.name, self.slow = name, slow
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def _begin(self, image: Image, controls: Controls) -> Finish:
        assert self.gate.wait(60)
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
    asked: the engine's name and the size of the latest quality that was asked for.
    """

    def __init__(self) -> None:
        self.asked: tuple[str, InferenceSize] | None = None
        self.slow: set[str] = set()

    def camera(self, name: str) -> tuple[Callable[[], Source], bool]:
        if name != "other":
            raise UsageError(f"There is no camera {name!r}")
        other = MarkedCamera()
        other.image = np.ascontiguousarray(other.image[:24])
        return lambda: other, False

    def engine(self, name: str, quality: Quality) -> Callable[[], Engine]:
        self.asked = name, quality.size
        return lambda: MarkingEngine(quality.model, quality.model in self.slow)

    def qualities(self, choice: Choice) -> list[Quality]:
        for name in (choice.model, choice.engine):
            if name == "none":
                raise UsageError(f"There is no {name!r}")
        size = choice.size or Size(16, 16)
        return [Quality(choice.model, size, 2.0), Quality("least", size, 1.0)]


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


def test_frozen_before_the_first_picture_keeps_that() -> None:
    stage = Stage()
    stage.engine.gate.clear()
    stage.thread.start()
    stage.run.set(frozen=True)
    stage.sees("card")
    stage.engine.gate.set()
    stage.until(lambda: stage.device.closed == 1)
    stage.sees("rendered")
    stage.run.stop()
    stage.thread.join(60)
    assert stage.shown == {"card", "rendered"}


def _pair(stage: Stage) -> tuple[str, str]:
    pair = stage.run.pair()
    return ("", "") if pair is None else (_kind(pair[0]), _kind(pair[1]))


def test_a_pair_is_the_newest_picture_and_its_rendering(stage: Stage) -> None:
    assert _pair(stage) == ("raw", "rendered")
    stage.run.set(mirror=True)
    stage.until(lambda: (pair := stage.run.pair()) is not None and not pair[0][0, -1].any())
    pair = stage.run.pair()
    assert pair is not None
    assert [image[0, -1].tolist() for image in pair] == [[0] * 3, [200] * 3]  # the corner
    stage.run.set(off=True)
    stage.until(lambda: _pair(stage) == ("raw", "raw"))
    stage.run.set(blank=True)
    stage.until(lambda: not stage.camera.open and stage.run.pair() is None)


def test_a_pair_is_frozen_with_the_outputs(stage: Stage) -> None:
    stage.run.set(frozen=True)
    stage.until(lambda: not stage.camera.open)
    pair = stage.run.pair()
    assert pair is not None
    assert stage.screen.frames[-1].image is pair[1]


def test_a_pair_has_the_size_of_the_outputs(stage: Stage) -> None:
    stage.run.use_camera("other")
    stage.until(lambda: stage.camera.given == Size(24, 64))
    stage.until(lambda: (pair := stage.run.pair()) is not None and not pair[0][:8].any())
    pair = stage.run.pair()
    assert pair is not None
    assert [image.shape for image in pair] == [(*SIZE, 3)] * 2


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
    stage.run.set(mirror=True)
    stage.until(lambda: stage.screen.frames[-1].image[0, -1, 0] == 200)


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
    stage.run.use_effect(Choice("dmshn"))
    stage.until(lambda: _renderer(stage) == "dmshn")
    stage.sees("rendered")
    assert stage.run.model == "dmshn"
    assert stage.shown <= {"card", "rendered"}


def test_another_engine_and_size_take_over(stage: Stage) -> None:
    choice = Choice("best", "pytorch", Size(32, 32))
    stage.run.use_effect(choice)
    stage.until(lambda: stage.effect.engine is not stage.engine)
    assert stage.openers.asked == ("pytorch", Size(32, 32))
    assert stage.run.choice == choice
    stage.sees("rendered")
    assert stage.shown <= {"card", "rendered"}


@pytest.mark.parametrize("wrong", [Choice("none"), Choice("dmshn", engine="none")])
def test_what_cannot_be_rendered_with_changes_nothing(stage: Stage, wrong: Choice) -> None:
    with pytest.raises(UsageError, match="There is no 'none'"):
        stage.run.use_effect(wrong)
    assert stage.run.choice == Choice("best")
    assert not stage.effect.preparing


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
    stage.run.use_effect(Choice("dmshn"))
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
