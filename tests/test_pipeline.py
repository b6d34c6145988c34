import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from realtime_bokeh import pipeline
from realtime_bokeh.errors import SinkError
from realtime_bokeh.frame import Frame, Image, Sink, Stopped
from realtime_bokeh.interrupts import held
from realtime_bokeh.metrics import Metrics
from realtime_bokeh.pipeline import Pipeline
from realtime_bokeh.sinks.packets import AnyPacket
from realtime_bokeh.sinks.recording import Recording
from realtime_bokeh.sinks.video import VideoWriter
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.demo import Demo
from tests import clips
from tests.fakes import CARD, RAW, RENDERED, CountingSource, RecordingSink


@pytest.fixture(autouse=True)
def _impatient_and_tidy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(held, "_latest", -60.0)  # when a test before was interrupted
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
        assert not thread.is_alive()


def _render(image: Image) -> Callable[[], Image]:
    assert image is RAW
    return lambda: RENDERED


def test_a_file_loses_nothing() -> None:
    source, sink = CountingSource(50), RecordingSink()
    metrics, ticks = Metrics(), []
    run = Pipeline(source, _render, [sink], metrics)
    run.run(lambda: ticks.append(metrics.count("emit")))
    assert [frame.index for frame in sink.frames] == list(range(50))
    assert set(sink.shown) == {"rendered"}
    assert run.dropped == 0
    assert {*ticks} - {0} == {*range(1, 51)}  # while none comes it ticks too
    assert metrics.count("emit") == metrics.count("effect") == 50
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

    sink = RecordingSink()
    Pipeline(CountingSource(30), effect, [sink], Metrics(), in_flight=in_flight).run()
    assert [frame.index for frame in sink.frames] == list(range(30))
    assert under_way == [0]
    assert most[0] == in_flight


def test_a_rendering_is_delivered_though_no_frame_follows() -> None:
    source = CountingSource(None, live=True)

    def look(frame: Frame) -> None:
        source.hold.set()
        raise Stopped

    def effect(image: Image) -> Callable[[], Image]:
        source.hold.clear()  # the camera stalls
        return lambda: RENDERED

    sink = RecordingSink(on_write=look)
    with pytest.raises(Stopped):
        Pipeline(source, effect, [sink], Metrics(), in_flight=2).run()
    assert sink.shown == ["rendered"]


def test_live_keeps_the_newest() -> None:
    rendered: list[int] = []
    source = CountingSource(40, live=True)

    def slow(image: Image) -> Callable[[], Image]:
        assert source.ended.wait(10)
        return lambda: RENDERED

    sink = RecordingSink(on_write=lambda frame: rendered.append(frame.index))
    run = Pipeline(source, slow, [sink], Metrics())
    run.run()
    assert rendered[-1] == 39
    assert len(rendered) <= 2  # the one under way, and the newest


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("culprit", ["source", "effect", "sink"])
def test_the_first_error_ends_everything(culprit: str, live: bool) -> None:
    error = SinkError("this very one")
    source = CountingSource(None, live)
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

    sink, screen = RecordingSink(on_write=write), RecordingSink(live=True)
    run = Pipeline(source, effect, [sink, screen], Metrics(), lambda: CARD if run.failed else None)
    with pytest.raises(SinkError) as caught:
        run.run()
    assert caught.value is error
    assert source.closed
    # a recording is kept up to the camera's loss, a rendering is whole or not at all
    assert sink.closed == screen.closed == [live]
    assert screen.shown[-1] == "card"
    assert "raw" not in screen.shown


def test_a_card_takes_the_place_of_frames() -> None:
    card: list[Image | None] = [CARD]

    def look(frame: Frame) -> None:
        if len(recording.frames) == 2:
            raise Stopped

    def tick() -> None:
        ticks.append(len(screen.frames))
        if len(ticks) == 5:
            card[0] = None

    ticks: list[int] = []
    recording, screen = RecordingSink(on_write=look), RecordingSink(live=True)
    source = CountingSource(None, live=True)
    with pytest.raises(Stopped):
        Pipeline(source, _render, [screen, recording], Metrics(), lambda: card[0]).run(tick)
    assert screen.shown[0] == "card"
    assert ticks[0] == 1  # before any frame
    assert screen.shown[-2:] == ["rendered", "rendered"]
    assert recording.shown == ["rendered", "rendered"]


def test_a_card_is_sent_again_now_and_then_and_a_new_one_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = CountingSource(None, live=True)
    source.hold.clear()
    other = CARD.copy()
    cards = iter([CARD] * 4 + [other] * 4)

    def card() -> Image:
        try:
            return next(cards)
        except StopIteration:
            source.hold.set()
            raise Stopped from None

    screen = RecordingSink(live=True)
    monkeypatch.setattr(pipeline, "_TICK", 0.001)
    monkeypatch.setattr(pipeline, "_REPEAT", 3600)
    with pytest.raises(Stopped):
        Pipeline(source, _render, [screen], Metrics(), card).run()
    assert [frame.image is other for frame in screen.frames] == [False, True]
    monkeypatch.setattr(pipeline, "_REPEAT", 0)
    cards = iter([CARD] * 4)
    screen.frames.clear()
    with pytest.raises(Stopped):
        Pipeline(source, _render, [screen], Metrics(), card).run()
    assert len(screen.frames) == 4


def test_a_rendering_that_failed_is_left_out() -> None:
    numbers = itertools.count()

    def effect(image: Image) -> Callable[[], Image | None]:
        return lambda: RENDERED if next(numbers) % 2 else None

    source, sink = CountingSource(10), RecordingSink()
    Pipeline(source, effect, [sink], Metrics()).run()
    assert [frame.index for frame in sink.frames] == [1, 3, 5, 7, 9]


def test_a_source_that_waits_is_told_of_the_end() -> None:
    class Waiting(CountingSource):
        def cancel(self) -> None:
            self.total = 0
            self.hold.set()

    source = Waiting(None, live=True)
    source.hold.clear()

    def idle() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        Pipeline(source, _render, [RecordingSink(on_idle=idle)], Metrics()).run()
    assert source.closed


def test_an_interruption_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupt)
    source, sink = CountingSource(3), RecordingSink()
    with pytest.raises(KeyboardInterrupt):
        Pipeline(source, _render, [sink], Metrics()).run()
    assert source.closed
    assert sink.closed == [False]


def test_an_error_of_closing_comes_last() -> None:
    class Bad(RecordingSink):
        def close(self, complete: bool) -> None:
            super().close(complete)
            raise SinkError("cannot be finished")

    bad, good = Bad(), RecordingSink()
    with pytest.raises(SinkError, match="cannot be finished"):
        Pipeline(CountingSource(3), _render, [bad, good], Metrics()).run()
    assert bad.closed == good.closed == [True]


@pytest.mark.parametrize("culprits", [("one", "two"), ("source", "one", "two"), ("two",)])
def test_of_several_errors_of_closing_the_first_counts(culprits: tuple[str, ...]) -> None:
    closed: list[str] = []

    def close(name: str) -> None:
        closed.append(name)
        if name in culprits:
            raise SinkError(name)

    class BadSource(CountingSource):
        def close(self) -> None:
            close("source")

    class BadSink(RecordingSink):
        def __init__(self, name: str) -> None:
            super().__init__()
            self._name = name

        def close(self, complete: bool) -> None:
            close(self._name)

    with pytest.raises(SinkError, match=culprits[0]):
        Pipeline(BadSource(3), _render, [BadSink("one"), BadSink("two")], Metrics()).run()
    assert closed == ["source", "one", "two"]


@pytest.mark.parametrize("end", [KeyboardInterrupt, Stopped, SinkError])
@pytest.mark.parametrize("live", [False, True])
def test_recordings_are_finished_and_half_a_rendering_is_none(
    tmp_path: Path, live: bool, end: type[BaseException]
) -> None:
    source = Demo(Size(48, 64), 240.0, live=live)
    path = tmp_path / "out.mp4"
    sink: Sink
    if source.time_base is None:
        sink = Recording(path, source.size, source.fps)
    else:
        sink = VideoWriter(path, source.size, source.fps, source.time_base)
    metrics = Metrics()

    def tick() -> None:
        if metrics.count("emit") == 11:
            raise end

    with pytest.raises(end):
        Pipeline(source, lambda image: lambda: image, [sink], metrics).run(tick)
    if live:
        assert len(clips.times(tmp_path / "out.mp4")) == 11
    assert [p.name for p in tmp_path.iterdir()] == (["out.mp4"] if live else [])


@pytest.mark.parametrize("live", [False, True])
def test_sinks_are_idle_while_the_effect_starts(live: bool) -> None:
    ready = threading.Event()

    def effect(image: Image) -> Callable[[], Image]:
        assert ready.wait(60)  # the network is compiled
        return lambda: RENDERED

    def idle() -> None:
        if window.idled == 3:
            ready.set()

    window, recording = RecordingSink(on_idle=idle), RecordingSink()
    Pipeline(CountingSource(5, live), effect, [window, recording], Metrics()).run()
    assert window.idled >= 3
    assert recording.idled >= 2
    assert set(recording.shown) == {"rendered"}


@pytest.mark.parametrize("live", [False, True])
def test_the_user_can_stop_while_nothing_is_rendered(live: bool) -> None:
    ready = threading.Event()

    def effect(image: Image) -> Callable[[], Image]:
        assert ready.wait(60)
        return lambda: RENDERED

    def idle() -> None:
        ready.set()
        raise Stopped

    window = RecordingSink(on_idle=idle)
    with pytest.raises(Stopped):
        Pipeline(CountingSource(None, live), effect, [window], Metrics()).run()
    assert window.closed == [live]


def test_an_end_does_not_wait_for_a_frame_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_PATIENCE", 0.01)
    begun, done = threading.Event(), threading.Event()

    def effect(image: Image) -> Callable[[], Image]:
        begun.set()
        assert done.wait(60)
        return lambda: RENDERED

    def idle() -> None:
        if begun.is_set():
            raise KeyboardInterrupt

    source, sink = CountingSource(None, live=True), RecordingSink(on_idle=idle)
    with pytest.raises(KeyboardInterrupt):
        Pipeline(source, effect, [sink], Metrics()).run()
    assert sink.closed == [True]
    done.set()


def test_of_two_failures_the_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = SinkError("first"), SinkError("second")
    source = CountingSource(None, live=True)
    reader_has_gone = threading.Event()

    def write(frame: Frame) -> None:
        source.error = first  # the camera is unplugged, and then
        assert reader_has_gone.wait(60)
        raise second

    run = Pipeline(source, _render, [RecordingSink(on_write=write)], Metrics())
    guard = run._guard

    def watched(*given: Any) -> None:
        guard(*given)
        reader_has_gone.set()  # its error is known

    monkeypatch.setattr(run, "_guard", watched)
    with pytest.raises(SinkError) as caught:
        run.run()
    assert caught.value is first


def test_start_up_counts_neither_as_latency_nor_as_dropped() -> None:
    source = CountingSource(30, live=True)
    metrics = Metrics()

    def effect(image: Image) -> Callable[[], Image]:
        assert source.ended.wait(60)  # every frame was captured while the network was compiled
        return lambda: RENDERED

    run = Pipeline(source, effect, [RecordingSink()], metrics)
    run.run()
    assert metrics.count("emit") in (1, 2)  # the one under way, and the newest
    assert metrics.count("latency") == 0
    assert run.dropped == 0


def test_after_the_first_frame_all_that_is_dropped_counts() -> None:
    class Paused(CountingSource):
        def read(self) -> Frame | None:
            frame = super().read()
            if frame is not None and frame.index == 0:
                self.hold.clear()  # until it is delivered
            return frame

    source, metrics = Paused(40, live=True), Metrics()
    calls = itertools.count()

    def effect(image: Image) -> Callable[[], Image]:
        assert next(calls) == 0 or source.ended.wait(60)
        return lambda: RENDERED

    def tick() -> None:
        if metrics.count("emit"):
            source.hold.set()

    run = Pipeline(source, effect, [RecordingSink()], metrics)
    run.run(tick)
    assert metrics.count("emit") in (2, 3)
    assert metrics.count("latency") == metrics.count("emit") - 1
    assert run.dropped == 40 - metrics.count("emit")


@pytest.mark.parametrize("live", [False, True])
def test_an_interruption_while_a_file_is_finished_comes_after_it(live: bool) -> None:
    class Slow(RecordingSink):
        def close(self, complete: bool) -> None:
            held.strike(2, None)  # the user presses Ctrl-C
            super().close(complete)

    slow, other = Slow(), RecordingSink()
    source = CountingSource(3, live)
    with pytest.raises(KeyboardInterrupt):
        Pipeline(source, _render, [slow, other], Metrics()).run()
    assert slow.closed == other.closed == [True]
    assert source.closed


@pytest.mark.parametrize("moment", ["start", "write", "idle", "tick", "end"])
@pytest.mark.parametrize("live", [False, True])
def test_an_interruption_at_any_moment_closes_everything_once(
    monkeypatch: pytest.MonkeyPatch, live: bool, moment: str
) -> None:
    struck: list[str] = []

    def strike(here: str) -> None:
        if here == moment and not struck:
            struck.append(here)
            held.strike(2, None)

    def idle() -> None:
        strike("idle")
        source.hold.set()

    source = CountingSource(3 if moment == "end" else 10_000, live)
    sink = RecordingSink(on_write=lambda frame: strike("write"), on_idle=idle)
    run = Pipeline(source, _render, [sink], Metrics())
    if moment == "idle":
        source.hold.clear()
    if moment == "start":
        monkeypatch.setattr(run, "_show_card", lambda: strike("start"))
    emit = run._emit

    def emit_and_strike(tick: Callable[[], None]) -> None:
        emit(tick)
        strike("end")  # between the last frame and the closing

    monkeypatch.setattr(run, "_emit", emit_and_strike)
    with pytest.raises(KeyboardInterrupt):
        run.run(lambda: strike("tick"))
    assert struck == [moment]
    assert source.closed
    assert sink.closed == [live or moment == "end"]
    assert len(sink.frames) <= (3 if moment == "end" else 1) or moment == "tick"


def test_an_interruption_spoils_no_packet_and_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Recording(tmp_path / "out.mp4", Size(48, 64), 30.0)
    mux, finish = sink._mux, sink._finish
    metrics = Metrics()

    def interrupted_mux(packets: Sequence[AnyPacket]) -> None:
        if packets:  # the encoder keeps the first frames for a while
            held.strike(2, None)
        mux(packets)

    def interrupted_finish() -> None:
        monkeypatch.setattr(held, "_latest", -60.0)  # the user presses Ctrl-C again, later
        held.strike(2, None)
        finish()

    monkeypatch.setattr(sink, "_mux", interrupted_mux)
    monkeypatch.setattr(sink, "_finish", interrupted_finish)
    source = Demo(Size(48, 64), 240.0, total=480)
    with pytest.raises(KeyboardInterrupt):
        Pipeline(source, lambda image: lambda: image, [sink], metrics).run()
    assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]
    assert 0 < len(clips.times(tmp_path / "out.mp4")) == metrics.count("emit") < 480
