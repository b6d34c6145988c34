"""The preview's side in the run's process; and, where there is Xvfb, all of it on a real screen."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import ImageGrab

from realtime_bokeh.errors import SinkError
from realtime_bokeh.frame import Frame, Image, Stopped
from realtime_bokeh.look import Look
from realtime_bokeh.sinks.preview import Preview, check_screen
from realtime_bokeh.sinks.window import READY, STOP
from realtime_bokeh.sizes import Size
from tests import clips
from tests.fakes import WindowProcess

SIZE = Size(240, 320)
RAW, RENDERED, CARD = (clips.solid((value,) * 3, SIZE) for value in (60, 120, 180))
TOOLS = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]


class Run:
    """What the preview follows."""

    def __init__(self) -> None:
        self.look = Look(split=True)
        self.pair: tuple[Image, Image] | None = RAW, RENDERED
        self.keys: list[str] = []
        self.lost: list[str] = []

    def preview(self) -> Preview:
        return Preview(
            SIZE, lambda: self.look, lambda: self.pair, self.keys.append, self.lost.append
        )


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> WindowProcess:
    return WindowProcess(monkeypatch)


def _shown(window: WindowProcess) -> list[int]:
    return [int(picture.max()) for picture in window.pictures]


def test_both_pictures_are_sent_while_the_window_is_split(window: WindowProcess) -> None:
    run = Run()
    sink = run.preview()
    window.tell(READY)
    sink.write(Frame(RENDERED, 0, 0.0))
    assert window.told() == [(2, run.look)]
    assert _shown(window) == [120, 60]


@pytest.mark.parametrize(
    ("image", "index", "look", "expected"),
    [
        (CARD, -1, Look(split=True, mirror=True), (1, Look(), 180)),  # which is read
        (RENDERED, -1, Look(split=True, mirror=True), (2, Look(split=True, mirror=True), 120)),
        (RENDERED, -1, Look(mirror=True), (1, Look(mirror=True), 120)),  # frozen
        (RENDERED, 5, Look(mirror=True), (1, Look(mirror=True), 120)),
    ],
)
def test_a_card_stands_alone_and_is_not_mirrored(
    window: WindowProcess, image: Image, index: int, look: Look, expected: tuple[int, Look, int]
) -> None:
    run = Run()
    run.look = look
    sink = run.preview()
    window.tell(READY)
    sink.write(Frame(image, index, 0.0))
    window.tell(READY)
    sink.idle()
    ((number, sent),) = window.told()
    assert (number, sent, _shown(window)[0]) == expected


def test_a_slow_window_gets_no_more_than_it_takes(window: WindowProcess) -> None:
    sink = Run().preview()
    for index in range(3):  # before it is open
        sink.write(Frame(RENDERED, index, 0.0))
    assert window.told() == []
    window.tell(READY)
    for index in range(3):
        sink.write(Frame(RENDERED, index, 0.0))
    sink.idle()
    assert len(window.told()) == 1
    window.tell(READY)
    sink.write(Frame(RENDERED, 6, 0.0))
    assert len(window.told()) == 1


def test_a_new_look_needs_no_new_picture(window: WindowProcess) -> None:
    run = Run()
    sink = run.preview()
    window.tell(READY)
    sink.write(Frame(RENDERED, 0, 0.0))
    window.tell(READY)
    sink.idle()
    run.look = Look(message="strength 0.85")
    sink.idle()
    assert window.told() == [(2, Look(split=True)), (0, run.look)]


@pytest.mark.parametrize("idle", [False, True])
def test_the_window_stops_the_run(window: WindowProcess, idle: bool) -> None:
    run = Run()
    sink = run.preview()
    window.tell(READY, "+", "s", STOP)
    with pytest.raises(Stopped):
        sink.idle() if idle else sink.write(Frame(RENDERED, 0, 0.0))
    assert run.keys == ["+", "s"]


@pytest.mark.parametrize("failure", ["", "ValueError('too wide')"])
def test_a_window_that_is_gone_is_told_of_once(window: WindowProcess, failure: str) -> None:
    run = Run()
    sink = run.preview()
    window.tell(READY)
    if failure:
        window.tell(failure)
    window.connection.close()
    for index in range(3):
        sink.write(Frame(RENDERED, index, 0.0))
        sink.idle()
    (told,) = run.lost
    assert failure in told if failure else "is gone" in told


@pytest.mark.parametrize("hangs", [False, True])
def test_a_window_that_hangs_is_killed_at_the_end(window: WindowProcess, hangs: bool) -> None:
    sink = Run().preview()
    window.hangs = hangs
    sink.close(complete=True)
    assert (window.running, window.killed) == (False, hangs)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a screen")
def test_a_preview_needs_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    check_screen.cache_clear()
    with pytest.raises(SinkError, match="There is no screen"):
        check_screen()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a screen")
@pytest.mark.parametrize("screen", ["DISPLAY=:4711", "WAYLAND_DISPLAY=nowhere"])
def test_a_dead_screen_is_found_out(monkeypatch: pytest.MonkeyPatch, screen: str) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(*screen.split("="))
    check_screen.cache_clear()
    with pytest.raises(SinkError, match=rf"on the screen \({screen}\)"):
        check_screen()  # Qt would end the whole process


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator["subprocess.Popen[str]"]:
    """A real X server of the test's own, without a screen to look at."""
    if TOOLS:
        pytest.skip(f"{' and '.join(TOOLS)} cannot be found")
    line = ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    quiet: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(line, text=True, **quiet) as server:
        assert server.stdout is not None
        monkeypatch.setenv("DISPLAY", f":{server.stdout.readline().strip()}")
        try:
            yield server
        finally:
            server.kill()


def _pointer(x: int) -> None:
    subprocess.run(["xdotool", "mousemove", str(x), "120"], check=True)


def _pixels() -> list[int]:
    """Of the window, at a quarter, half and three quarters of its width."""
    seen = np.asarray(ImageGrab.grab(xdisplay=os.environ["DISPLAY"]))
    return [int(seen[200, x, 0]) for x in (80, 160, 240)]


def _painted(run: Run) -> Preview:
    """A window that is seen: on a bare X server Qt never paints one in four, whoever opens it."""
    for _ in range(15):
        sink = run.preview()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            sink.write(Frame(RENDERED, 1, 0.0))
            if _pixels() == [60, 255, 120]:
                return sink
            time.sleep(0.05)
        sink.close(complete=True)
    raise AssertionError("no window was ever painted")


def _until(condition: Callable[[], bool], sink: Preview) -> None:
    """Let the window live until something holds."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, _pixels()
        sink.write(Frame(RENDERED, 1, 0.0))
        time.sleep(0.02)


def test_on_a_screen_the_line_follows_the_pointer_until_the_screen_dies(
    screen: "subprocess.Popen[str]",
) -> None:
    run = Run()
    _pointer(160)
    sink = _painted(run)
    _pointer(200)
    _until(lambda: _pixels() == [60, 60, 120], sink)
    _pointer(110)
    _until(lambda: _pixels() == [60, 120, 120], sink)
    subprocess.run(["xdotool", "key", "plus"], check=True)
    _until(lambda: run.keys == ["+"], sink)
    screen.kill()
    _until(lambda: bool(run.lost), sink)
    sink.close(complete=True)
