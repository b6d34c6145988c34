"""What the control page costs a run: frames a second and processor time, with it and without.

    python benchmarks/panel.py [--rounds 8] [--seconds 5] [--model lite]

One run at 1280x720 goes on from beginning to end, as fast as it can: pictures are always at hand.
In every round it has a panel that nobody looks at; a panel whose view is fetched eight times a
second and whose events are read, as the page does it; and the page in Chromium, if there is one; in
every second round the other way round. Before and after each it has no panel, and the mean of these
two is what it is compared to, because computers grow faster and slower. Viewers are processes of
their own, whose time is not the program's. Prints JSON: medians over the rounds, of figures and of
their ratios. On a computer that does much else, frames are few and a viewer's pictures as many as
ever: look at the processor time in a second then, of the whole program (more_cpu_ms_a_second) and,
which varies least, of the threads that there are for the panel alone (panel_cpu_ms_a_second).
"""

import argparse
import http.client
import itertools
import json
import multiprocessing
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil

from realtime_bokeh.app.session import Session
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.frame import Frame, Source
from realtime_bokeh.panel.server import serving
from realtime_bokeh.sinks import discard
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import demo

_SIZE = Size(720, 1280)
_RATE = 240.0  # pictures a second, more than can be rendered
_VIEW = 0.125  # seconds between pictures that a viewer fetches, as the page
_SETTLE = 1.5  # seconds after a change before anything is counted
_CHROMIUM = "/usr/bin/chromium"

Viewer = Callable[[str, Event, Event], None]


class Figures(NamedTuple):
    """Of one stretch of the run."""

    fps: float
    cpu_ms: float  # processor time of the program for a frame
    panel_ms: float = 0.0  # processor time of the panel's threads in a second

    def mean(self, other: "Figures") -> "Figures":
        """What lies between two stretches."""
        return Figures(*((a + b) / 2 for a, b in zip(self, other, strict=True)))


class _Endless(Source):
    """The built-in scene's first second, again and again, which costs nothing."""

    live = True

    def __init__(self, size: Size, fps: float) -> None:
        self.size, self.fps = size, fps
        scene = _scene(size, total=30, live=False)
        frames = iter(scene.read, None)
        self._images = itertools.cycle([frame.image for frame in frames])
        self._index = itertools.count()

    def describe(self) -> str:
        return f"prepared pictures: {self.size} at {self.fps:g} fps"

    def read(self) -> Frame:
        time.sleep(1 / self.fps)
        return Frame(next(self._images), next(self._index), time.monotonic())

    def close(self) -> None:
        pass


class _Counted(discard.Discard):
    """Frames go nowhere, and are counted."""

    count = 0

    def write(self, frame: Frame) -> None:
        _Counted.count += 1


_scene = demo.Demo


def _fetch(url: str, active: Event, begun: Event) -> None:
    """A viewer: the view eight times a second, and events."""
    root, token = url.split("?token=")

    def listen() -> None:
        with suppress(OSError), urllib.request.urlopen(f"{root}api/v1/events?token={token}") as it:
            while active.is_set() and it.readline():
                pass

    while True:
        active.wait()
        threading.Thread(target=listen, daemon=True).start()
        connection = http.client.HTTPConnection(urlsplit(root).netloc)  # one, as browsers do
        while active.is_set():
            begin = time.monotonic()
            with suppress(OSError, http.client.HTTPException):
                connection.request("GET", f"/api/v1/view?token={token}")
                connection.getresponse().read()
                begun.set()
            time.sleep(max(0.0, _VIEW - (time.monotonic() - begin)))
        connection.close()


def _browse(url: str, active: Event, begun: Event) -> None:
    """The page in Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1100, "height": 700})
        page.set_default_timeout(0)
        while True:
            active.wait()
            page.goto(url)
            page.locator(".stage:not(.empty)").wait_for()
            begun.set()
            while active.is_set():
                page.wait_for_timeout(100)
            page.goto("about:blank")


@contextmanager
def _watched(viewer: tuple[Event, Event] | None) -> Iterator[None]:
    """While a viewer watches, who waits for the first event and sets the second; None: nobody."""
    if viewer is None:
        yield
        return
    active, begun = viewer
    begun.clear()
    active.set()
    try:
        begun.wait()
        yield
    finally:
        active.clear()


def _measure(seconds: float, others: set[int | None]) -> Figures:
    """What the run does at present; `others`: the threads that are not the panel's."""
    time.sleep(_SETTLE)
    process = psutil.Process()
    cpu, panel, before = process.cpu_times(), _used(process, others), _Counted.count
    begin = time.perf_counter()
    time.sleep(seconds)
    took, frames = time.perf_counter() - begin, _Counted.count - before
    after = process.cpu_times()
    if not frames:
        sys.exit("the run gave no frame; give more --seconds")
    used = after.user + after.system - cpu.user - cpu.system
    panel_used = _used(process, others) - panel
    return Figures(frames / took, 1e3 * used / frames, 1e3 * panel_used / took)


def _used(process: psutil.Process, others: set[int | None]) -> float:
    """Processor time, in seconds, of Python's threads that are not among others."""
    mine = _threads() - others
    return sum(
        float(each.user_time + each.system_time) for each in process.threads() if each.id in mine
    )


def _threads() -> set[int | None]:
    return {thread.native_id for thread in threading.enumerate()}


def _spawned(viewer: Viewer, url: str) -> tuple[Event, Event]:
    context = multiprocessing.get_context("spawn")
    events = context.Event(), context.Event()
    context.Process(target=viewer, args=(url, *events), daemon=True).start()
    return events


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--model", default="lite")
    args = parser.parse_args()
    # the program, but for where its pictures come from and go to
    demo.Demo, discard.Discard = _Endless, _Counted  # type: ignore[assignment,misc]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    session = Session(
        Settings(camera="demo", output="none", model=args.model, size=_SIZE, fps=_RATE, adapt=False)
    )
    threading.Thread(target=session.serve, daemon=True).start()
    session.start()
    with serving(session, port) as url:
        pass
    viewers: dict[str, tuple[Event, Event] | None] = {
        "panel": None, "viewer": _spawned(_fetch, url),
    }  # fmt: skip
    if Path(_CHROMIUM).exists():
        viewers["chromium"] = _spawned(_browse, url)
    while not _Counted.count:
        time.sleep(0.1)
    others = _threads()
    none = [_measure(args.seconds, others)]
    found: dict[str, list[tuple[Figures, Figures]]] = {name: [] for name in viewers}
    for number in range(args.rounds):
        for name in list(viewers)[:: -1 if number % 2 else 1]:
            with serving(session, port), _watched(viewers[name]):
                figures = _measure(args.seconds, others)
            none.append(_measure(args.seconds, others))
            found[name].append((figures, none[-2].mean(none[-1])))
    session.stop()
    while session.state().phase != "stopped":
        time.sleep(0.1)
    summary = {"none": _summary([(figures, figures) for figures in none])}
    print(json.dumps(summary | {name: _summary(each) for name, each in found.items()}, indent=2))


def _summary(pairs: list[tuple[Figures, Figures]]) -> dict[str, float]:
    """Of stretches, each with what it is compared to."""
    return {
        "fps": round(median(a.fps for a, _ in pairs), 1),
        "fps_ratio": round(median(a.fps / b.fps for a, b in pairs), 3),
        "cpu_ms_a_frame": round(median(a.cpu_ms for a, _ in pairs), 2),
        "cpu_ratio": round(median(a.cpu_ms / b.cpu_ms for a, b in pairs), 3),
        "more_cpu_ms_a_second": round(median((a.cpu_ms - b.cpu_ms) * a.fps for a, b in pairs), 1),
        "panel_cpu_ms_a_second": round(median(a.panel_ms for a, _ in pairs), 1),
    }


if __name__ == "__main__":
    main()
