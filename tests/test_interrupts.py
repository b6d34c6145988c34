"""When an interruption comes; real signals are sent to processes of their own."""

import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from realtime_bokeh import interrupts
from realtime_bokeh.interrupts import held
from tests.program import ENVIRONMENT


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moment, to be changed."""
    moment = [1000.0]
    monkeypatch.setattr(interrupts, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    monkeypatch.setattr(held, "_latest", 0.0)
    return moment


def _strike() -> None:
    """As when a signal arrives."""
    held.strike(15, None)


_BEGIN = """
import signal
from realtime_bokeh import interrupts
def send(name):
    try:
        signal.raise_signal(getattr(signal, name))
        print(name, "passed")
    except KeyboardInterrupt:
        print(name, "interrupted")
"""


def _said(program: str) -> list[str]:
    line = [sys.executable, "-c", _BEGIN + program]
    done = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_interrupt(name: str) -> None:
    # a process that is started in the background may ignore SIGINT
    program = f"signal.signal(signal.{name}, signal.SIG_DFL)\ninterrupts.listen()\nsend('{name}')"
    assert _said(program) == [f"{name} interrupted"]


def test_what_is_ignored_stays_so() -> None:
    program = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
interrupts.listen()
send("SIGHUP")
"""
    assert _said(program) == ["SIGHUP passed"]


def test_in_the_end_all_signals_are_ignored() -> None:
    program = """
interrupts.listen()
interrupts.ignore()
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    send(name)
"""
    assert _said(program) == ["SIGINT passed", "SIGTERM passed", "SIGHUP passed"]


def test_two_signals_at_once_are_one_interruption(now: list[float]) -> None:
    with pytest.raises(KeyboardInterrupt):
        _strike()
    _strike()  # the recording is being finished
    now[0] += 2
    with pytest.raises(KeyboardInterrupt):
        _strike()


def test_an_interruption_waits_for_the_end_of_what_holds_it() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), held:  # noqa: PT012 - where it comes is what is tested
        with held:
            _strike()
            reached.append("inner")
        reached.append("outer")
    assert reached == ["inner", "outer"]
    with held:  # once only
        pass


def test_a_failure_takes_the_interruptions_place() -> None:
    with pytest.raises(ValueError, match="first"), held:  # noqa: PT012
        _strike()
        raise ValueError("first")
    with held:
        pass


@pytest.mark.parametrize("failed", [False, True])
def test_two_signals_are_one_interruption_where_it_had_to_wait(
    now: list[float], failed: bool
) -> None:
    with pytest.raises(ValueError if failed else KeyboardInterrupt), held:  # noqa: PT012
        _strike()
        now[0] += 60  # a long recording is finished
        if failed:
            raise ValueError
    _strike()
    with held:
        _strike()
    now[0] += 2
    with pytest.raises(KeyboardInterrupt):
        _strike()


def test_what_holds_an_interruption_can_let_it_come() -> None:
    reached = []
    with held:
        held.raise_waiting()  # there is none
        _strike()
        try:
            held.raise_waiting()
        except KeyboardInterrupt:
            reached.append("raised")
        held.raise_waiting()  # once only
    assert reached == ["raised"]


@pytest.mark.parametrize("before", [False, True])
def test_what_may_wait_for_ever_is_interrupted_at_once(now: list[float], before: bool) -> None:
    reached = []
    with held:
        if before:
            _strike()
        try:
            with held.at_once():
                reached.append("inside")
                _strike()
                reached.append("too late")
        except KeyboardInterrupt:
            reached.append("raised")
        now[0] += 2
        with held.at_once():
            pass
    assert reached == (["raised"] if before else ["inside", "raised"])
    with pytest.raises(KeyboardInterrupt), held:  # noqa: PT012
        _strike()  # it waits again
        reached.append("held")
    assert reached[-1] == "held"


def test_a_wait_whose_own_end_is_broken_off_leaves_nothing_open(now: list[float]) -> None:
    reached = []
    with held:
        context = held.at_once()
        context.__enter__()
        with pytest.raises(KeyboardInterrupt):
            _strike()
    now[0] += 2
    with pytest.raises(KeyboardInterrupt), held:  # noqa: PT012
        _strike()
        reached.append("held")
    assert reached == ["held"]


def test_other_threads_hold_nothing() -> None:
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
            _strike()
    finally:
        end.set()
        thread.join()
