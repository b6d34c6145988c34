import io

import pytest
from rich.console import Console

from realtime_bokeh.app import display


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    text = io.StringIO()
    monkeypatch.setattr(display, "console", Console(file=text, force_terminal=True, width=100))
    return text


def test_a_bars_title_follows_what_is_done(screen: io.StringIO) -> None:
    busy = ["compiling for the GPU"]
    with display.frame_progress(lambda: busy[0] or "Rendering", 2) as tick:
        tick()
        busy[0] = ""
        tick()
    shown = screen.getvalue()
    assert shown.index("compiling for the GPU") < shown.index("Rendering")
    assert "2 frames" in shown


def test_work_shows_when_it_begins(screen: io.StringIO) -> None:
    with display.work_progress("Compiling") as begin:
        assert "Compiling" not in screen.getvalue()
        begin()
    assert "Compiling" in screen.getvalue()
