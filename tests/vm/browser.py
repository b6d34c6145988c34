"""Chromium with a page that opens the virtual camera, as a video call would: its getUserMedia."""

import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from guest import CARD_LABEL, PATIENCE, SCRATCH, Picture, say

PAGE = Path(__file__).with_suffix(".html")
LOG = SCRATCH / "chromium.log"
CHROMIUM = (
    "chromium --headless --no-sandbox --disable-gpu --use-fake-ui-for-media-stream"
    " --no-first-run --disable-extensions --disable-background-networking --disable-sync"
    f" --disable-component-update --user-data-dir={SCRATCH}/chromium"
).split()


class Visit(BaseHTTPRequestHandler):
    """Serves the page and keeps what it posts."""

    posted: tuple[str, bytes] | None = None

    def do_GET(self) -> None:
        self.answer(PAGE.read_bytes())

    def do_POST(self) -> None:
        Visit.posted = self.path, self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"")

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Browser:
    """A page that shows the virtual camera, and opens it again when it has ended; one at a time.

    events: what the page tells of it, in the order in which it came.
    """

    def __init__(self) -> None:
        self.events: list[str] = []
        # a secure origin, unlike a file, may use cameras
        self._server = HTTPServer(("127.0.0.1", 0), Visit)
        self._server.timeout = 1
        address = f"http://127.0.0.1:{self._server.server_port}/?label={CARD_LABEL}"
        with LOG.open("wb") as words:
            self._chromium = subprocess.Popen([*CHROMIUM, address], stderr=words)

    def pictures(self) -> Iterator[Picture]:
        """The pictures that the page shows, until patience ends between two, or it is killed."""
        latest = time.monotonic()
        while time.monotonic() < latest + PATIENCE and self._chromium.poll() is None:
            self._server.handle_request()
            posted, Visit.posted = Visit.posted, None
            if posted is None:
                continue
            path, body = posted
            if urlsplit(path).path == "/picture":
                latest = time.monotonic()
                yield picture(path, body)
            elif body.decode() not in self.events[-1:]:
                self.events.append(body.decode())
                say(f"the page: {self.events[-1]}")

    def kill(self) -> None:
        self._chromium.kill()
        self._chromium.wait()
        say("Chromium's own words:\n" + LOG.read_text()[-2000:])


def picture(path: str, body: bytes) -> Picture:
    """The luma of what the page posted, in limited range as cameras give it."""
    size = parse_qs(urlsplit(path).query)
    pixels = np.frombuffer(body, np.uint8).reshape(int(size["height"][0]), int(size["width"][0]), 4)
    luma = pixels[..., :3] @ np.array([0.299, 0.587, 0.114])
    return np.asarray(16 + luma * 219 / 255).astype(np.uint8)
