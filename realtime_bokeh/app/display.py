"""What the user sees while frames flow: one status line, or a progress bar."""

import contextlib
import functools
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TextIO, cast

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from realtime_bokeh.metrics import Metrics


@functools.cache  # it stays open: it takes the number 2, to which libraries write
def _null_file() -> TextIO:
    """Takes what is shown when the program was started with standard error closed."""
    return open(os.devnull, "w")


class _ErrorStream:
    """Standard error, which may go away with its terminal or its reader: a recording goes on."""

    def _target(self) -> TextIO:
        # Rich's live displays put themselves in the place of standard error while they run
        target: TextIO | None = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
        return _null_file() if target is None else target

    @property
    def encoding(self) -> str | None:
        """What the characters are written in: Rich draws with those that it has."""
        return self._target().encoding

    def write(self, text: str, /) -> int:
        with contextlib.suppress(OSError):
            self._target().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._target().flush()

    def fileno(self) -> int:
        return self._target().fileno()

    def isatty(self) -> bool:
        return self._target().isatty()


# no markup: file names have brackets; no wrapping: one thing is one line
console = Console(
    file=cast("IO[str]", _ErrorStream()), highlight=False, markup=False, soft_wrap=True
)


def counted(number: int, thing: str) -> str:
    """A number of things, as in "1 frame" and "2 frames"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def rate(fps: float) -> str:
    """Frames a second, with a decimal where it counts."""
    return f"{fps:.1f} fps" if 0 < fps < 10 else f"{fps:.0f} fps"


def status_line(metrics: Metrics, dropped: int, engine: str, advice: str) -> str:
    """Rates, latency, drops and the engine, in one line; in its place the advice when the output
    cannot follow the camera."""
    latency = metrics.latency("latency")
    rates = f"camera {rate(metrics.fps('capture'))} | output {rate(metrics.fps('emit'))}"
    delay = f"latency {latency.p50 * 1e3:.0f} ms (p99 {latency.p99 * 1e3:.0f})"
    if metrics.falls_behind("emit", "capture"):
        return f"{rates} | {advice} | {delay} | dropped {dropped}"
    return f"{rates} | {delay} | dropped {dropped} | {engine}"


@contextmanager
def live_status(line: Callable[[], str]) -> Iterator[Callable[[], None]]:
    """A line that follows `line()`, four times a second; gives the function to call per frame."""
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        last = [0.0]

        def tick() -> None:
            now = time.monotonic()
            if now - last[0] >= 0.25:
                last[0] = now
                live.update(Text(line(), no_wrap=True, overflow="ellipsis"))

        yield tick


class _Text(ProgressColumn):
    """What a function says of a task, asked at every refresh."""

    def __init__(self, text: Callable[[Task], str]) -> None:
        super().__init__()
        self._text = text

    def render(self, task: Task) -> Text:
        return Text(self._text(task))


def _progress(*columns: ProgressColumn) -> Progress:
    """A bar while there is something to wait for; none in a log."""
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def count_progress(
    title: Callable[[], str], thing: str, total: int | None
) -> Iterator[Callable[[int], None]]:
    """A bar over things such as frames, with how many come in a second and the time left; gives the
    function to call with how many are done."""
    count = _Text(lambda task: counted(int(task.completed), thing))
    speed = _Text(lambda task: f"{task.speed:.1f}/s" if task.speed else "")
    columns = (_Text(lambda _: title()), BarColumn(), count, speed, TimeRemainingColumn())
    with _progress(*columns) as progress:
        task = progress.add_task("", total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def download_progress(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar over bytes; gives the function to call with bytes so far and in all."""
    name = TextColumn("{task.description}", markup=False)
    with _progress(name, BarColumn(), DownloadColumn(), TransferSpeedColumn()) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def work_progress(title: str) -> Iterator[Callable[[], None]]:
    """A bar that says only that something goes on, and for how long; gives what shows it."""
    with _progress(_Text(lambda _: title), BarColumn(), TimeElapsedColumn()) as progress:
        yield lambda: progress.update(progress.add_task("", total=None))


@contextmanager
def libraries_silenced() -> Iterator[None]:
    """Nothing on standard output and error but by `console`: converters tell their developers much,
    some of it from C++."""
    with contextlib.ExitStack() as stack:
        nowhere = stack.enter_context(open(os.devnull, "w"))
        saved = [(number, os.dup(number)) for number in (1, 2)]
        screen = stack.enter_context(os.fdopen(os.dup(2), "w"))
        before, console.file = console._file, screen
        for number, _ in saved:
            os.dup2(nowhere.fileno(), number)
        try:
            with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
                yield
        finally:
            for number, copy in saved:
                os.dup2(copy, number)
                os.close(copy)
            console._file = before


def print_table(table: Table) -> None:
    """Write a table to standard output."""
    Console(highlight=False).print(table)
