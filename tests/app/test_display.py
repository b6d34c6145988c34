import io
import os
import subprocess
import sys
import time

import pytest
from rich.console import Console

from realtime_bokeh.app import display
from realtime_bokeh.metrics import Metrics
from tests.program import ENVIRONMENT


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    text = io.StringIO()
    monkeypatch.setattr(display, "console", Console(file=text, force_terminal=True, width=100))
    return text


def test_a_bars_title_follows_what_is_done(screen: io.StringIO) -> None:
    busy = ["compiling for the GPU"]
    with display.count_progress(lambda: busy[0] or "Rendering", "frame", 2) as show:
        show(1)
        busy[0] = ""
        show(2)
    shown = screen.getvalue()
    assert shown.index("compiling for the GPU") < shown.index("Rendering")
    assert "2 frames" in shown


def test_work_shows_when_it_begins(screen: io.StringIO) -> None:
    with display.work_progress("Compiling") as begin:
        assert "Compiling" not in screen.getvalue()
        begin()
    assert "Compiling" in screen.getvalue()


def _busy(metrics: Metrics, now: list[float], emit_every: int) -> None:
    for index in range(300):
        now[0] += 1 / 30
        metrics.record("capture", 0.01)
        if index % emit_every == 0:
            metrics.record("emit", 0.01)
            metrics.record("latency", 0.05)


def test_the_status_names_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    now, metrics = [100.0], Metrics()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    _busy(metrics, now, emit_every=1)
    assert display.status_line(metrics, 3, "lite, fast", "try less") == (
        "camera 30 fps | output 30 fps | latency 50 ms (p99 50) | dropped 3 | lite, fast"
    )


def test_the_status_of_a_slow_run_gives_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    now, metrics = [100.0], Metrics()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    _busy(metrics, now, emit_every=100)
    assert display.status_line(metrics, 3, "stacked, slow", "try less") == (
        "camera 30 fps | output 0.3 fps | try less | latency 50 ms (p99 50) | dropped 3"
    )


@pytest.mark.parametrize(
    ("fps", "text"), [(0, "0 fps"), (0.1, "0.1 fps"), (9.7, "9.7 fps"), (29.97, "30 fps")]
)
def test_rates_have_a_decimal_where_it_counts(fps: float, text: str) -> None:
    assert display.rate(fps) == text


def test_things_are_counted() -> None:
    counted = [display.counted(number, "frame") for number in (0, 1, 2)]
    assert counted == ["0 frames", "1 frame", "2 frames"]


def test_what_is_shown_survives_the_loss_of_its_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    end, start = os.pipe()
    os.close(end)
    writer = os.fdopen(start, "w", buffering=1)
    monkeypatch.setattr(sys, "stderr", writer)
    display.console.print("hello")
    with display.live_status(lambda: "fine") as tick:
        tick()
    with pytest.raises(BrokenPipeError):
        writer.close()


def test_a_terminal_shows_each_thing_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with display.live_status(lambda: "fine") as tick:
        tick()
        display.console.print("told")
    assert terminal.getvalue().count("told\n") == 1


def test_without_standard_error_nothing_is_shown_and_all_goes_on() -> None:
    # the program begins in this way under some services, and with 2>&- in a shell
    begin = "import os, sys; os.close(2); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    use = (
        "from realtime_bokeh.app import display\n"
        "display.console.print('hello')\n"
        "with display.live_status(lambda: 'fine') as tick: tick()\n"
        "with display.count_progress(lambda: 'bar', 'frame', 2) as show: show(1)\n"
        "with display.libraries_silenced(): display.console.print('hello')\n"
        "print('done')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", begin, "-c", use], env=ENVIRONMENT, stdout=subprocess.PIPE
    )
    assert (ended.returncode, ended.stdout) == (0, b"done\n")


@pytest.mark.parametrize(("encoding", "drawn"), [("ascii", False), ("utf-8", True)])
def test_bars_are_drawn_in_the_terminals_characters(
    monkeypatch: pytest.MonkeyPatch, encoding: str, drawn: bool
) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    written = io.BytesIO()
    terminal = Terminal(written, encoding, errors="backslashreplace", write_through=True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(display.console, "is_interactive", True)  # Rich asks once, at the start
    with display.count_progress(lambda: "Rendering", "frame", 2) as show:
        show(1)
    shown = written.getvalue().decode(encoding)
    assert "1 frame" in shown
    assert ("\u2501" in shown) == drawn
    assert "\\u" not in shown
