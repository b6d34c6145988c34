import signal
import threading
import time
from collections.abc import Iterator

import pytest

from realtime_bokeh import interrupts
from realtime_bokeh.interrupts import SIGNALS, held
from tests.program import signals_restored

NUMBER = signal.SIGTERM


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The moment, to be changed; signals are as before afterwards."""
    moment = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    monkeypatch.setattr(held, "_latest", 0.0)
    with signals_restored():
        yield moment


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


@pytest.mark.parametrize("failed", [False, True])
def test_two_signals_are_one_interruption_where_it_had_to_wait(
    now: list[float], failed: bool
) -> None:
    interrupts.listen()
    with pytest.raises(ValueError if failed else KeyboardInterrupt), held:  # noqa: PT012
        signal.raise_signal(NUMBER)
        now[0] += 60  # a long recording is finished
        if failed:
            raise ValueError
    signal.raise_signal(NUMBER)
    with held:
        signal.raise_signal(NUMBER)
    now[0] += 2
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(NUMBER)


def test_what_holds_an_interruption_can_let_it_come() -> None:
    interrupts.listen()
    reached = []
    with held:
        held.raise_waiting()  # there is none
        signal.raise_signal(NUMBER)
        try:
            held.raise_waiting()
        except KeyboardInterrupt:
            reached.append("raised")
        held.raise_waiting()  # once only
    assert reached == ["raised"]


@pytest.mark.parametrize("before", [False, True])
def test_what_may_wait_for_ever_is_interrupted_at_once(now: list[float], before: bool) -> None:
    interrupts.listen()
    reached = []
    with held:
        if before:
            signal.raise_signal(NUMBER)
        try:
            with held.at_once():
                reached.append("inside")
                signal.raise_signal(NUMBER)
                reached.append("too late")
        except KeyboardInterrupt:
            reached.append("raised")
        now[0] += 2
        with held.at_once():
            pass
    assert reached == (["raised"] if before else ["inside", "raised"])
    with pytest.raises(KeyboardInterrupt), held:  # noqa: PT012
        signal.raise_signal(NUMBER)  # it waits again
        reached.append("held")
    assert reached[-1] == "held"


def test_in_the_end_all_signals_are_ignored_until_they_are_restored(now: list[float]) -> None:
    interrupts.listen()
    with signals_restored():
        interrupts.ignore()
        for number in SIGNALS:
            signal.raise_signal(number)
    for number in SIGNALS:
        now[0] += 2
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)


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
