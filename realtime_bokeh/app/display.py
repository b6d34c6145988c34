"""What the user sees while frames flow: one status line, or a progress bar."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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

# no markup: file names have brackets; no wrapping: one thing is one line
console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def status_line(metrics: Metrics, dropped: int, engine: str) -> str:
    """Rates, latency, drops and the engine, in one line."""
    latency = metrics.latency("latency")
    return (
        f"camera {metrics.fps('capture'):.0f} fps | output {metrics.fps('emit'):.0f} fps | "
        f"latency {latency.p50 * 1e3:.0f} ms (p99 {latency.p99 * 1e3:.0f}) | "
        f"dropped {dropped} | {engine}"
    )


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


class _Title(ProgressColumn):
    """What is done now, asked at every refresh."""

    def __init__(self, title: Callable[[], str]) -> None:
        super().__init__()
        self._title = title

    def render(self, task: Task) -> Text:
        return Text(self._title())


def _progress(*columns: ProgressColumn) -> Progress:
    """A bar while there is something to wait for; none in a log."""
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def frame_progress(title: Callable[[], str], total: int | None) -> Iterator[Callable[[], None]]:
    """A bar over frames with the time left; gives the function to call per frame."""
    name = _Title(title)
    count = TextColumn("{task.completed} frames")
    with _progress(name, BarColumn(), count, TimeRemainingColumn()) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)


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
    with _progress(_Title(lambda: title), BarColumn(), TimeElapsedColumn()) as progress:
        yield lambda: progress.update(progress.add_task("", total=None))


@contextmanager
def libraries_silenced() -> Iterator[None]:
    """Nothing on standard output and error but by `console`: converters tell their developers much,
    some of it from C++."""
    with contextlib.ExitStack() as stack:
        nowhere = stack.enter_context(open(os.devnull, "w"))
        kept = [(number, os.dup(number)) for number in (1, 2)]
        screen = stack.enter_context(os.fdopen(os.dup(2), "w"))
        before, console.file = console._file, screen
        for number, _ in kept:
            os.dup2(nowhere.fileno(), number)
        try:
            with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
                yield
        finally:
            for number, saved in kept:
                os.dup2(saved, number)
                os.close(saved)
            console._file = before


def print_table(table: Table) -> None:
    """On standard output."""
    Console(highlight=False).print(table)
