"""capture | effect | emit: three threads, two one-slot mailboxes, the first error wins."""

import contextlib
import functools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from realtime_bokeh.frame import Frame, Image, Sink, Source, Stopped
from realtime_bokeh.interrupts import held
from realtime_bokeh.mailbox import Closed, Mailbox, Policy
from realtime_bokeh.metrics import Metrics

_TICK = 0.1  # seconds between looks at windows, display and card while there is no frame
_REPEAT = 0.5  # seconds after which a card is sent again: some programs give a silent camera up
_PATIENCE = 1.0  # seconds for threads to end; a frame may take ten, and nobody wants it any more

# an image in; out comes the function that waits for its rendering and gives it, or None: drop it
Effect = Callable[[Image], Callable[[], Image | None]]

# Names of the threads. Those that a driver or a compiler may hold all begin with "bokeh ": the
# interpreter's own end would crash under them, see `app.main`.
CAPTURE, EFFECT = THREADS = ("bokeh capture", "bokeh effect")


class _Begun(NamedTuple):
    """A frame under way. seconds: for which beginning it took the thread."""

    frame: Frame
    seconds: float
    finish: Callable[[], Image | None]


class Pipeline:
    """Runs a source through an effect into sinks.

    Args:
        source: read on a thread of its own.
        effect: begins to render an image; called on a thread of its own, as what it returns is.
        sinks: written to on the thread that calls `run`.
        metrics: gets the stages "capture", "effect" (for which a frame occupied its thread), "emit"
            and "latency" (from capture to delivery, start-up left out).
        card: asked before every frame, several times a second, and after a failure for what live
            sinks show instead of a picture; None: the picture. Frames are dropped meanwhile.
        in_flight: how many renderings are begun before the first of them is waited for, while the
            source has frames at hand.
    """

    def __init__(
        self,
        source: Source,
        effect: Effect,
        sinks: Sequence[Sink],
        metrics: Metrics,
        card: Callable[[], Image | None] = lambda: None,
        in_flight: int = 1,
    ) -> None:
        self._source = source
        self._effect = effect
        self._sinks = sinks
        self._metrics = metrics
        self._card = card
        self._in_flight = in_flight
        policy = Policy.NEWEST_WINS if source.live else Policy.EVERY_ITEM
        self._captured: Mailbox[Frame] = Mailbox(policy)
        self._rendered: Mailbox[Frame] = Mailbox(policy)
        self._errors: list[BaseException] = []  # in the order in which threads failed
        self._shown: Image | None = None  # the card that live sinks show
        self._shown_at = 0.0  # when it was last sent
        self._started_at: float | None = None  # when the first frame was delivered
        self._dropped_before = 0

    @property
    def failed(self) -> bool:
        """Whether an error or an interruption ends the run."""
        return bool(self._errors)

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced before they were rendered or shown, since the first
        frame was delivered."""
        return 0 if self._started_at is None else self._replaced() - self._dropped_before

    def _replaced(self) -> int:
        return self._captured.dropped + self._rendered.dropped

    def run(self, tick: Callable[[], None] = lambda: None) -> None:
        """Run until the source ends, then close the source and the sinks.

        `tick` is called after every frame, and several times a second while none comes.

        Raises:
            The first error of any thread, after every sink was closed; KeyboardInterrupt and a
            sink's `Stopped` pass through likewise.
        """
        threads = [
            threading.Thread(target=self._guard, args=(body, out), name=name, daemon=True)
            for name, body, out in zip(
                THREADS,
                (self._capture, self._render),
                (self._captured, self._rendered),
                strict=True,
            )
        ]
        with held:  # else one could come between the steps and leave everything open
            try:
                for thread in threads:
                    thread.start()
                self._show_card()  # until the network is ready
                self._emit(tick)
            except BaseException as error:
                self._errors.append(error)
            self._end(threads)

    def _end(self, threads: list[threading.Thread]) -> None:
        """Close everything, and raise what failed first."""
        if not self._errors:
            self._shut_down(threads, complete=True)
            return
        error = self._errors[0]
        # a recording ends where it was interrupted; half a rendered file is none
        complete = self._source.live
        if isinstance(error, (KeyboardInterrupt, Stopped)):
            self._shut_down(threads, complete)
        else:
            with contextlib.suppress(Exception):  # what failed first is what counts
                self._show_card()
            with contextlib.suppress(Exception):
                self._shut_down(threads, complete)
        raise error

    def _guard(self, body: Callable[[], None], out: Mailbox[Frame]) -> None:
        """Run a thread's body; its error ends everything."""
        try:
            body()
        except Closed:
            pass
        except BaseException as error:
            self._errors.append(error)  # in one step: of two at once, the first stays the first
            self._captured.close()
            self._rendered.close()
        finally:
            out.finish()

    def _capture(self) -> None:
        while True:
            begin = time.perf_counter()
            frame = self._source.read()
            if frame is None:
                return
            self._metrics.record("capture", time.perf_counter() - begin)
            self._captured.put(frame)

    def _render(self) -> None:
        under_way: deque[_Begun] = deque()
        while True:
            try:
                frame = self._captured.get(0 if under_way else None)
            except TimeoutError:  # none is at hand: what was begun is wanted now
                self._deliver(under_way.popleft())
                continue
            except Closed:
                while under_way:
                    self._deliver(under_way.popleft())
                raise
            begin = time.perf_counter()
            finish = self._effect(frame.image)
            under_way.append(_Begun(frame, time.perf_counter() - begin, finish))
            if len(under_way) == self._in_flight:
                self._deliver(under_way.popleft())

    def _deliver(self, begun: _Begun) -> None:
        begin = time.perf_counter()
        image = begun.finish()
        if image is None:
            return
        self._metrics.record("effect", begun.seconds + time.perf_counter() - begin)
        self._rendered.put(replace(begun.frame, image=image))

    def _emit(self, tick: Callable[[], None]) -> None:
        while True:
            held.raise_waiting()
            frame = None
            try:
                frame = self._rendered.get(_TICK)
            except Closed:
                return
            except TimeoutError:
                for sink in self._sinks:
                    sink.idle()
            if not self._show_card() and frame is not None:
                begin = time.perf_counter()
                for sink in self._sinks:
                    sink.write(frame)
                self._metrics.record("emit", time.perf_counter() - begin)
                self._record_latency(frame)
            tick()

    def _record_latency(self, frame: Frame) -> None:
        """Record how old a frame is that is delivered now, unless it waited for the start: only
        those count that were captured after the first was delivered."""
        now = time.monotonic()
        if self._started_at is None:
            self._started_at, self._dropped_before = now, self._replaced()
        elif frame.captured_at >= self._started_at:
            self._metrics.record("latency", now - frame.captured_at)

    def _show_card(self) -> bool:
        """Show the card, if there is one to show now."""
        card, now = self._card(), time.monotonic()
        if card is not None and (card is not self._shown or now - self._shown_at >= _REPEAT):
            self._shown_at = now
            for sink in self._sinks:
                if sink.live:
                    sink.write(Frame(card, -1, now))
        self._shown = card
        return card is not None

    def _shut_down(self, threads: list[threading.Thread], complete: bool) -> None:
        """End the threads and close everything.

        Raises:
            The first error of closing, after everything was closed.
        """
        self._captured.close()
        self._rendered.close()
        self._source.cancel()
        deadline = time.monotonic() + _PATIENCE
        for thread in threads:
            if thread.is_alive():  # else it failed before it was started
                thread.join(max(0.0, deadline - time.monotonic()))
        closings: list[Callable[[], None]] = []
        if not threads[0].is_alive():  # else a driver hangs: closing under its hands may crash
            closings.append(self._source.close)
        closings += [functools.partial(sink.close, complete) for sink in self._sinks]
        errors: list[BaseException] = []
        for close in closings:
            try:
                close()
            except BaseException as error:
                errors.append(error)
        if errors:
            raise errors[0]
