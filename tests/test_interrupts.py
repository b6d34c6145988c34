import signal
import threading
import time
from collections.abc import Iterator

import pytest

from realtime_bokeh import interrupts
from realtime_bokeh.interrupts import held

NUMBER = signal.SIGTERM


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The moment, to be changed; signals are as before afterwards."""
    moment = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    monkeypatch.setattr(held, "_latest", 0.0)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, NUMBER, signal.SIGHUP)}
    yield moment
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_interrupt(number: signal.Signals) -> None:
    interrupts.listen()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_what_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupts.listen()
    signal.raise_signal(signal.SIGHUP)


def test_two_signals_at_once_are_one_interruption(now: list[float]) -> None:
    interrupts.listen()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(NUMBER)
    signal.raise_signal(signal.SIGHUP)  # the recording is being finished
    now[0] += 2
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGHUP)


def test_an_interruption_waits_for_the_end_of_what_holds_it() -> None:
    interrupts.listen()
    reached = []
    with pytest.raises(KeyboardInterrupt), held:  # noqa: PT012 - where it comes is what is tested
        with held:
            signal.raise_signal(NUMBER)
            reached.append("inner")
        reached.append("outer")
    assert reached == ["inner", "outer"]
    with held:  # once only
        pass


def test_a_failure_takes_the_interruptions_place() -> None:
    interrupts.listen()
    with pytest.raises(ValueError, match="first"), held:  # noqa: PT012
        signal.raise_signal(NUMBER)
        raise ValueError("first")
    with held:
        pass


def test_other_threads_hold_nothing() -> None:
    interrupts.listen()
    inside, end = threading.Event(), threading.Event()

    def hold() -> None:
        with held:
            inside.set()
            assert end.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(60)
    try:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(NUMBER)
    finally:
        end.set()
        thread.join()
