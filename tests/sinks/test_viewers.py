import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from realtime_bokeh.sinks.viewers import Demand, Viewers

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can tell")


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Audience:
    """A demand that is asked ten times a second while viewers come and go."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._here = False
        self._demand = Demand(lambda: self._here, self._clock)

    def ask(self, seconds: float, here: bool) -> list[bool]:
        """The answers while somebody is there, or nobody."""
        self._here = here
        answers = []
        for _ in range(round(seconds * 10)):
            answers.append(self._demand.wanted())
            self._clock.now += 0.1
        return answers


def _changes(answers: list[bool]) -> int:
    return sum(one != other for one, other in pairwise(answers))


def test_nobody_wants_frames() -> None:
    assert not any(Audience().ask(60, here=False))


def test_who_stays_is_shown_frames_soon() -> None:
    answers = Audience().ask(60, here=True)
    assert _changes(answers) == 1
    assert 6 <= answers.index(True) <= 10


def test_who_looks_in_every_three_seconds_is_not() -> None:
    audience = Audience()
    for _ in range(20):
        assert not any(audience.ask(0.3, here=True) + audience.ask(2.7, here=False))


def test_frames_are_wanted_for_a_while_after_the_last_has_gone() -> None:
    audience = Audience()
    audience.ask(5, here=True)
    answers = audience.ask(60, here=False)
    assert _changes(answers) == 1
    assert 65 <= answers.index(False) <= 75


def test_who_looks_in_does_not_hold_the_camera_open() -> None:
    audience = Audience()
    audience.ask(5, here=True)
    answers = [
        answer
        for _ in range(10)
        for answer in audience.ask(2.7, here=False) + audience.ask(0.3, here=True)
    ]
    assert _changes(answers) == 1
    assert answers.index(False) <= 100


def test_a_viewer_who_changes_is_one() -> None:
    audience = Audience()
    audience.ask(5, here=True)
    answers = [
        answer
        for _ in range(10)
        for answer in audience.ask(6, here=False) + audience.ask(2, here=True)
    ]
    assert all(answers)


def test_who_comes_as_the_time_runs_out_does_not_see_it_flicker() -> None:
    audience = Audience()
    audience.ask(5, here=True)
    audience.ask(6.8, here=False)
    assert all(audience.ask(5, here=True))


@contextmanager
def _watching(path: Path) -> Iterator[None]:
    """Another process that has a file open."""
    program = "import sys; print(flush=True); sys.stdin.read()"
    with path.open() as file:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[file.fileno()],
        )  # fmt: skip
    assert process.stdout
    process.stdout.readline()
    yield
    process.communicate()


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "video10"
    path.touch()
    return path


@linux
def test_another_process_that_opens_the_device_watches(device: Path) -> None:
    clock = Clock()
    viewers = Viewers(str(device), clock)
    assert not viewers.watched()
    with _watching(device):
        clock.now += 1
        assert viewers.watched()
    clock.now += 1
    assert not viewers.watched()
    viewers.close()
    viewers.close()


@linux
def test_who_watches_already_is_found(device: Path) -> None:
    with _watching(device):
        viewers = Viewers(str(device))
        assert viewers.watched()
        viewers.close()


@linux
def test_our_own_process_does_not_watch(device: Path) -> None:
    viewers = Viewers(str(device))
    with device.open():
        assert not viewers.watched()
    viewers.close()


@linux
def test_processes_are_listed_only_when_something_happened(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from realtime_bokeh.sinks import viewers as module

    listed: list[str] = []

    def is_open_elsewhere(path: str) -> bool:
        listed.append(path)
        return False

    monkeypatch.setattr(module, "is_open_elsewhere", is_open_elsewhere)
    clock = Clock()
    viewers = Viewers(str(device), clock)
    for _ in range(10):
        viewers.watched()
        clock.now += 0.1
    assert len(listed) == 1
    device.open().close()
    viewers.watched()
    assert len(listed) == 2
    clock.now += 0.3
    viewers.watched()
    assert len(listed) == 3  # once more: a process lists what it opens a moment after the event
    clock.now += 1
    viewers.watched()
    assert len(listed) == 3
    viewers.close()


@linux
def test_without_inotify_processes_are_listed_every_second(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Libc:
        def inotify_init1(self, flags: int) -> int:
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Libc())
    clock = Clock()
    viewers = Viewers(str(device), clock)
    assert not viewers.watched()
    with _watching(device):
        clock.now += 0.5
        assert not viewers.watched()
        clock.now += 0.6
        assert viewers.watched()
    viewers.close()


@linux
def test_the_drivers_own_word_counts(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from realtime_bokeh.sinks import v4l2

    news = [True, False, True]

    def next_news(descriptor: int) -> bool:
        assert not os.get_blocking(descriptor)
        if not news:
            raise FileNotFoundError
        return news.pop(0)

    monkeypatch.setattr(v4l2, "subscribe", lambda descriptor: None)
    monkeypatch.setattr(v4l2, "watched", next_news)
    viewers = Viewers(str(device))
    assert viewers.watched()  # the latest
    assert viewers.watched()
    news.append(False)
    assert not viewers.watched()
    viewers.close()
    viewers.close()


def test_elsewhere_somebody_always_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    viewers = Viewers("OBS Virtual Camera")
    assert viewers.watched()
    viewers.close()
