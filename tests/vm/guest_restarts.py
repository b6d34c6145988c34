"""A page in a browser stays while the program is not there yet, is stopped, and is started again:
it shows pictures again without being loaded anew."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from browser import Browser
from guest import (
    CAMERA,
    CARD,
    FPS,
    HEIGHT,
    OPTIONS,
    WIDTH,
    Program,
    Recorder,
    record_camera,
    say,
    until,
)

from realtime_bokeh.frame import Frame
from realtime_bokeh.live.card import card
from realtime_bokeh.sinks.virtual_camera import VirtualCamera
from realtime_bokeh.sizes import Size

SIZE = Size(HEIGHT, WIDTH)
SHORT = 3  # seconds without a sender; the program itself takes far longer to start here
OPEN, SILENT = "the camera is open", "Error: the camera went silent"


@contextmanager
def cards() -> Iterator[None]:
    """Cards are sent by the program's own sink, but at once, without the program's start."""
    device, ends = VirtualCamera(SIZE, FPS), threading.Event()

    def send() -> None:
        number = 0
        while not ends.wait(1 / FPS):
            number += 1
            device.write(Frame(card(SIZE, f"Card {number}"), -1, 0.0))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()
        device.close(complete=True)


camera = record_camera()
browser = Browser()
with Recorder(camera, browser) as page:
    until(lambda: any("only saw" in event for event in browser.events), "the page runs")
    with cards():
        took = page.wait(CARD, time.monotonic())
        say(f"a page that was there before the sender shows it after {took:.1f} s")
    time.sleep(SHORT)
    before = len(browser.events)
    with cards():
        took = page.wait(CARD, time.monotonic())
        say(f"another sender {SHORT} s later: its pictures are shown after {took:.1f} s")
    assert SILENT not in browser.events[before:], "the page noticed a short restart"
    for start in ("started", "started again"):
        with Program(CAMERA, *OPTIONS) as program:
            say(f"the program was {start}: pictures move in the page after {page.moves():.1f} s")
            program.end()
