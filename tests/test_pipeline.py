import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realtime_bokeh import pipeline
from realtime_bokeh.errors import SinkError
from realtime_bokeh.frame import Frame, Image, Stopped
from realtime_bokeh.metrics import Metrics
from realtime_bokeh.pipeline import Pipeline
from realtime_bokeh.sinks.video import VideoWriter
from realtime_bokeh.sources.demo import Demo
from tests import clips

RAW, RENDERED, CARD = (np.full((2, 2, 3), value, np.uint8) for value in (1, 2, 3))


class Source:
    def __init__(self, total: int | None, live: bool = False) -> None:
        self.live, self._total = live, total
        self._indices = itertools.count()
        self.closed = False
        self.ended = threading.Event()
        self.hold = threading.Event()  # cleared: no frame comes
        self.hold.set()
        self.error: Exception | None = None

    def read(self) -> Frame | None:
        assert self.hold.wait(10)
        if self.error:
            raise self.error
        index = next(self._indices)
        if self._total is not None and index >= self._total:
            self.ended.set()
            return None
        return Frame(RAW, index, time.monotonic(), index)

    def close(self) -> None:
        self.closed = True


class Sink:
    def __init__(self, live: bool = False, on_write: Callable[[Frame], None] | None = None) -> None:
        self.live = live
        self._on_write = on_write
        self.frames: list[Frame] = []
        self.closed: list[bool] = []

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)
        if self._on_write:
            self._on_write(frame)

    def close(self, complete: bool) -> None:
        self.closed.append(complete)


@pytest.fixture(autouse=True)
def _impatient_and_tidy(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(pipeline, "WATCHDOG", 0.02)
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def _render(image: Image) -> Callable[[], Image]:
    assert image is RAW
    return lambda: RENDERED


def _shown(sink: Sink) -> list[str]:
    names = {1: "raw", 2: "rendered", 3: "card"}
    return [names[int(frame.image[0, 0, 0])] for frame in sink.frames]


def test_a_file_loses_nothing() -> None:
    source, sink = Source(50), Sink()
    metrics, ticks = Metrics(), []
    run = Pipeline(source, _render, [sink], metrics, CARD)
    run.run(lambda: ticks.append(1))
    assert [frame.index for frame in sink.frames] == list(range(50))
    assert set(_shown(sink)) == {"rendered"}
    assert run.dropped == 0
    assert len(ticks) == metrics.count("emit") == metrics.count("effect") == 50
    assert sink.closed == [True]
    assert source.closed


@pytest.mark.parametrize("in_flight", [1, 2, 3])
def test_renderings_under_way_keep_their_order_and_number(in_flight: int) -> None:
    under_way = [0]
    most = [0]

    def effect(image: Image) -> Callable[[], Image]:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        time.sleep(0.001)  # the next frame is at hand by then

        def finish() -> Image:
            under_way[0] -= 1
            return RENDERED

        return finish

    sink = Sink()
    Pipeline(Source(30), effect, [sink], Metrics(), in_flight=in_flight).run()
    assert [frame.index for frame in sink.frames] == list(range(30))
    assert under_way == [0]
    assert most[0] == in_flight


def test_a_rendering_is_delivered_though_no_frame_follows() -> None:
    source = Source(None, live=True)

    def look(frame: Frame) -> None:
        source.hold.set()
        raise Stopped

    def effect(image: Image) -> Callable[[], Image]:
        source.hold.clear()  # the camera stalls
        return lambda: RENDERED

    sink = Sink(on_write=look)
    with pytest.raises(Stopped):
        Pipeline(source, effect, [sink], Metrics(), in_flight=2).run()
    assert _shown(sink) == ["rendered"]


def test_live_keeps_the_newest_and_counts_what_it_drops() -> None:
    rendered: list[int] = []
    source = Source(40, live=True)

    def slow(image: Image) -> Callable[[], Image]:
        assert source.ended.wait(10)
        return lambda: RENDERED

    sink = Sink(on_write=lambda frame: rendered.append(frame.index))
    run = Pipeline(source, slow, [sink], Metrics())
    run.run()
    assert rendered[-1] == 39
    assert len(rendered) <= 2  # the one under way, and the newest
    assert len(rendered) + run.dropped == 40


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("culprit", ["source", "effect", "sink"])
def test_the_first_error_ends_everything(culprit: str, live: bool) -> None:
    error = SinkError("this very one")
    source = Source(None, live)
    count = itertools.count()

    def effect(image: Image) -> Callable[[], Image]:
        if culprit == "effect" and next(count) == 3:
            raise error
        return lambda: RENDERED

    def write(frame: Frame) -> None:
        if culprit == "sink" and next(count) == 3:
            raise error
        if culprit == "source" and next(count) == 3:
            source.error = error

    sink, screen = Sink(on_write=write), Sink(live=True)
    with pytest.raises(SinkError) as caught:
        Pipeline(source, effect, [sink, screen], Metrics(), CARD).run()
    assert caught.value is error
    assert source.closed
    # a recording is kept up to the camera's loss, a rendering is whole or not at all
    assert sink.closed == screen.closed == [live]
    assert _shown(screen)[-1] == "card"
    assert "raw" not in _shown(screen)


@pytest.mark.parametrize("stalled", ["source", "effect"])
def test_a_stall_shows_the_card_and_never_the_camera(stalled: str) -> None:
    source, gate = Source(None, live=True), threading.Event()
    if stalled == "source":
        source.hold.clear()

    def effect(image: Image) -> Callable[[], Image]:
        assert stalled == "source" or gate.wait(10)
        return lambda: RENDERED

    def look(frame: Frame) -> None:
        if len(screen.frames) == 3:  # the stall ends
            gate.set()
            source.hold.set()
        if frame.image is RENDERED:
            raise Stopped

    screen, recording = Sink(live=True, on_write=look), Sink()
    with pytest.raises(Stopped):
        Pipeline(source, effect, [recording, screen], Metrics(), CARD).run()
    assert _shown(screen) == ["card"] * (len(screen.frames) - 1) + ["rendered"]
    assert len(screen.frames) >= 4
    assert _shown(recording) == ["rendered"]


def test_the_card_is_there_before_the_first_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "WATCHDOG", 60)
    screen = Sink(live=True)
    Pipeline(Source(3, live=True), _render, [screen], Metrics(), CARD).run()
    assert _shown(screen)[:2] == ["card", "rendered"]


def test_an_interruption_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupt)
    source, sink = Source(3), Sink()
    with pytest.raises(KeyboardInterrupt):
        Pipeline(source, _render, [sink], Metrics()).run()
    assert source.closed
    assert sink.closed == [False]


def test_the_user_can_stop_while_the_card_is_shown() -> None:
    source = Source(None, live=True)
    source.hold.clear()

    def look(frame: Frame) -> None:
        if len(screen.frames) == 2:
            source.hold.set()
            raise Stopped

    screen = Sink(live=True, on_write=look)
    with pytest.raises(Stopped):
        Pipeline(source, _render, [screen], Metrics(), CARD).run()
    assert _shown(screen) == ["card", "card"]


def test_stop_ends_as_the_source_would() -> None:
    source, sink = Source(None, live=True), Sink()
    run = Pipeline(source, _render, [sink], Metrics())
    run.run(run.stop)
    assert sink.closed == [True]


def test_an_error_of_closing_comes_last() -> None:
    class Bad(Sink):
        def close(self, complete: bool) -> None:
            super().close(complete)
            raise SinkError("cannot be finished")

    bad, good = Bad(), Sink()
    with pytest.raises(SinkError, match="cannot be finished"):
        Pipeline(Source(3), _render, [bad, good], Metrics()).run()
    assert bad.closed == good.closed == [True]


@pytest.mark.parametrize("end", [KeyboardInterrupt, Stopped, SinkError])
@pytest.mark.parametrize("live", [False, True])
def test_recordings_are_finished_and_half_a_rendering_is_none(
    tmp_path: Path, live: bool, end: type[BaseException]
) -> None:
    source = Demo((48, 64), 240.0, live=live)
    sink = VideoWriter(tmp_path / "out.mp4", source.size, source.fps, source.time_base)
    count = itertools.count()

    def tick() -> None:
        if next(count) == 10:
            raise end

    with pytest.raises(end):
        Pipeline(source, lambda image: lambda: image, [sink], Metrics()).run(tick)
    if live:
        assert len(clips.times(tmp_path / "out.mp4")) == 11
    assert [p.name for p in tmp_path.iterdir()] == (["out.mp4"] if live else [])
