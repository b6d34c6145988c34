"""Live runs from a marked camera: what is shown when, and that it is never the camera itself."""

import threading

import pytest

from realtime_bokeh.errors import EngineError, SinkError, UsageError
from realtime_bokeh.frame import Frame
from realtime_bokeh.live import camera, run
from realtime_bokeh.live.openers import Choice
from realtime_bokeh.live.state import State
from realtime_bokeh.sizes import Size
from tests.live.stage import SIZE, MarkedCamera, MarkingEngine, Stage, kind


@pytest.fixture(autouse=True)
def _impatient(impatient: None) -> None:
    pass


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


@pytest.mark.parametrize("stage", [{"passthrough": True}], indirect=True)
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
    assert kind(kept) == "rendered"
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
    return ("", "") if pair is None else (kind(pair[0]), kind(pair[1]))


def test_a_pair_is_the_newest_picture_and_its_rendering(stage: Stage) -> None:
    assert _pair(stage) == ("raw", "rendered")
    stage.run.set(mirror=True)
    stage.until(lambda: (pair := stage.run.pair()) is not None and not pair[0][4, -4].any())
    pair = stage.run.pair()
    assert pair is not None
    assert pair[0][4, 4].any()
    assert (pair[1][4, 4] == 200).all()
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
    stage.run.set(mirror=True, off=True)
    stage.until(lambda: not stage.screen.frames[-1].image[4, -4].any())


def test_the_effect_sees_what_is_mirrored_so_that_a_background_is_not(stage: Stage) -> None:
    assert not stage.engine.seen[4, 4].any()
    stage.run.set(mirror=True)
    stage.until(lambda: not stage.engine.seen[4, -4].any())
    assert stage.engine.seen[4, 4].any()
    stage.look()
    assert stage.screen.frames[-1].image[0, 0, 0] == 200


class _PacedCamera(MarkedCamera):
    """Gives a picture for each that is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Semaphore(0)

    def read(self) -> Frame | None:
        assert self.asked.acquire(timeout=60)
        return super().read()


def test_the_past_is_forgotten_when_it_is_mirrored(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten = threading.Event()
    monkeypatch.setattr(stage.engine, "reset", forgotten.set)
    stage.look()
    assert not forgotten.is_set()
    stage.run.set(mirror=True)
    stage.until(forgotten.is_set)


def test_strength_moves_without_a_drop_and_is_followed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (camera, run):
        monkeypatch.setattr(module, "_SILENCE", 3600.0)
    paced = _PacedCamera()
    stage = Stage(opener=lambda: paced)
    frames = stage.recording.frames  # which gets no cards
    stage.thread.start()
    for step in range(21):
        stage.run.set(strength=step / 20)
        for _ in range(2):
            before = len(frames)
            paced.asked.release()
            stage.until(lambda: len(frames) > before)  # noqa: B023
        assert frames[-1].image[0, 0, 0] == 10 * step
    assert [frame.index for frame in frames] == list(range(42))
    assert stage.run.dropped == 0
    stage.run.stop()
    paced.asked.release()
    stage.end()
    assert stage.shown - {"card"} == {"rendered"}  # whether there was time for a card or not


def _renderer(stage: Stage) -> str:
    engine = stage.effect.engine
    assert isinstance(engine, MarkingEngine)
    return engine.name


def test_another_model_takes_over(stage: Stage) -> None:
    stage.run.use_effect(Choice("dmshn"))
    stage.until(lambda: _renderer(stage) == "dmshn")
    stage.sees("rendered")
    assert stage.run.choice == Choice("dmshn")
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


def test_what_is_out_of_range_changes_nothing(stage: Stage) -> None:
    with pytest.raises(UsageError, match=r"strength is 1\.5"):
        stage.run.set(strength=1.5, blank=True)
    with pytest.raises(TypeError):
        stage.run.set(sharpness=1)
    assert stage.run.state == State()


def test_a_failed_output_ends_with_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    error = SinkError("the disk is full")

    def write(frame: Frame) -> None:
        raise error

    monkeypatch.setattr(stage.recording, "write", write)
    with pytest.raises(SinkError) as caught:
        stage.run.run()
    assert caught.value is error
    assert kind(stage.screen.frames[-1].image) == "card"
    assert stage.shown <= {"card", "rendered"}
