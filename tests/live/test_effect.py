"""Engines that fail, are mended and exchanged while frames flow."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from realtime_bokeh.engines import Controls, Engine
from realtime_bokeh.engines.base import Finish, FocusMap
from realtime_bokeh.errors import EngineError, WeightsError
from realtime_bokeh.frame import Image
from realtime_bokeh.live import effect as module
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.sizes import Size
from tests.fakes import UnchangedEngine

IMAGE = np.full((4, 6, 3), 7, np.uint8)
CONTROLS = Controls()


class FaultyEngine(UnchangedEngine):
    """Fails at `where`, "begin" or "finish", as long as there is an `error`.

    focus: what it holds to be in focus. resets: how often its past was forgotten.
    """

    def __init__(self, where: str = "begin") -> None:
        super().__init__()
        self._where = where
        self.error: Exception | None = None
        self.focus = 1.0
        self.resets = 0

    def reset(self) -> None:
        super().reset()
        self.resets += 1
        self.focus = 1.0

    def _begin(self, image: Image, controls: Controls) -> Finish:
        if self.error and self._where == "begin":
            raise self.error

        def finish() -> Image:
            if self.error:
                raise self.error
            return image

        return finish

    def _focus_map(self) -> FocusMap:
        return np.full((2, 2), self.focus, np.float32)


def _render(effect: LiveEffect) -> Image | None:
    return effect.begin(IMAGE, CONTROLS)()


def _gated(engine: Engine) -> tuple[threading.Event, Callable[[], Engine]]:
    """What opens an engine, once the event is set."""
    may = threading.Event()

    def opener() -> Engine:
        assert may.wait(60)
        return engine

    return may, opener


def _wait(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("where", ["begin", "finish"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (EngineError("OpenVINO failed on CPU"), "OpenVINO failed on CPU"),
        (MemoryError("8 GB"), "the effect failed (MemoryError('8 GB'))"),
    ],
)
def test_a_frame_that_fails_is_none_and_the_next_may_be_well(
    where: str, error: Exception, words: str
) -> None:
    engine = FaultyEngine(where)
    effect = LiveEffect(engine, UnchangedEngine)
    assert _render(effect) is IMAGE
    engine.error = error
    assert _render(effect) is None
    assert effect.trouble == words
    assert engine.resets == 1
    engine.error = None
    assert _render(effect) is IMAGE
    assert effect.trouble == ""
    assert effect.engine is engine
    effect.close()
    assert engine.closed


def test_an_engine_that_fails_again_is_opened_anew() -> None:
    engine, fresh = FaultyEngine(), UnchangedEngine()
    effect = LiveEffect(engine, lambda: fresh)
    engine.error = EngineError("lost the device")
    while _render(effect) is None:
        time.sleep(0.001)
    assert effect.engine is fresh
    assert engine.closed
    assert effect.trouble == ""
    effect.close()
    assert fresh.closed


def test_what_cannot_be_opened_is_tried_with_longer_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    now, tried = [0.0], [0.0]

    def opener() -> Engine:
        tried.append(now[0])
        raise WeightsError("weights are damaged")

    engine = FaultyEngine()
    engine.error = EngineError("no")
    monkeypatch.setattr(module, "_PAUSES", (1.0, 5.0, 10.0))
    effect = LiveEffect(engine, opener, clock=lambda: now[0])
    for _ in range(300):
        now[0] += 0.1
        assert _render(effect) is None
        _wait(lambda: not effect.preparing)
    pauses = np.diff(tried[1:])
    assert pauses[0] == pytest.approx(1.0, abs=0.11)
    assert pauses[1] == pytest.approx(5.0, abs=0.11)
    assert pauses[2] == pytest.approx(10.0, abs=0.11)


def test_numbers_that_are_none_do_not_stay() -> None:
    engine = FaultyEngine()
    effect = LiveEffect(engine, UnchangedEngine)
    engine.focus = float("nan")
    rendered = [_render(effect) is not None for _ in range(40)]
    assert rendered.count(False) == 1
    assert engine.resets == 1
    assert effect.engine is engine


def test_numbers_that_stay_none_bring_another_engine() -> None:
    class Broken(FaultyEngine):
        def _focus_map(self) -> FocusMap:
            return np.full((2, 2), np.nan, np.float32)

    fresh = UnchangedEngine()
    effect = LiveEffect(Broken(), lambda: fresh)
    _wait(lambda: _render(effect) is None)
    assert _render(effect) is None  # the next is looked at, too
    _wait(lambda: not effect.preparing)
    assert _render(effect) is IMAGE
    assert effect.engine is fresh


def test_another_engine_is_ready_before_it_takes_over() -> None:
    engine = UnchangedEngine()
    effect = LiveEffect(engine, UnchangedEngine)
    _render(effect)
    may = threading.Event()
    sizes: list[Size] = []

    class Slow(UnchangedEngine):
        def _start(self, frame: Size) -> None:
            sizes.append(frame)
            assert may.wait(60)

    other = Slow()
    effect.use(lambda: other)
    for _ in range(20):
        assert _render(effect) is IMAGE  # by the first, while the second gets ready
    assert effect.preparing
    may.set()
    _wait(lambda: not effect.preparing)
    assert other.calls == 1
    under_way = effect.engine.begin(IMAGE, CONTROLS)
    assert _render(effect) is IMAGE
    assert under_way() is IMAGE
    assert effect.engine is other
    assert engine.closed
    assert sizes[0] == Size(4, 6)


def test_an_engine_stays_open_until_its_frames_are_finished() -> None:
    engine, other = UnchangedEngine(), UnchangedEngine()
    effect = LiveEffect(engine, UnchangedEngine)
    under_way = effect.begin(IMAGE, CONTROLS)
    effect.use(lambda: other)
    _wait(lambda: not effect.preparing)
    following = effect.begin(IMAGE, CONTROLS)
    assert effect.engine is other
    assert not engine.closed
    assert under_way() is IMAGE
    assert engine.closed
    assert following() is IMAGE


def test_of_two_wishes_the_later_counts() -> None:
    engine, first, second = UnchangedEngine(), UnchangedEngine(), UnchangedEngine()
    may, slowly = _gated(first)
    effect = LiveEffect(engine, UnchangedEngine)
    effect.use(slowly)
    effect.use(lambda: second)
    _wait(lambda: not effect.preparing)
    may.set()
    _wait(lambda: first.closed)
    _render(effect)
    assert effect.engine is second


def test_an_engine_that_cannot_be_opened_leaves_the_present_one() -> None:
    def opener() -> Engine:
        raise EngineError("no such device")

    engine = UnchangedEngine()
    effect = LiveEffect(engine, UnchangedEngine)
    effect.use(opener)
    _wait(lambda: not effect.preparing)
    for _ in range(2):  # it stays so
        assert (effect.trouble, effect.refused) == ("", "no such device")
        assert _render(effect) is IMAGE
    assert effect.engine is engine
    effect.use(UnchangedEngine)
    _wait(lambda: not effect.preparing)
    assert effect.refused == ""


def test_what_is_opened_after_the_end_is_closed() -> None:
    engine, late = UnchangedEngine(), UnchangedEngine()
    may, slowly = _gated(late)
    effect = LiveEffect(engine, UnchangedEngine)
    effect.use(slowly)
    effect.close()
    may.set()
    _wait(lambda: late.closed)
    assert engine.closed
