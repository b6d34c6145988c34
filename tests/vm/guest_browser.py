"""The virtual camera in a browser, as a video call would use it: Chromium's getUserMedia."""

import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from guest import CARD_LABEL, PATIENCE, SCRATCH, Picture, check, program, record_camera, say

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


def browse() -> Iterator[Picture]:
    """The pictures that the page sees, for as long as patience lasts."""
    server = HTTPServer(("127.0.0.1", 0), Visit)  # a secure origin, unlike a file, may use cameras
    server.timeout = 1
    address = f"http://127.0.0.1:{server.server_port}/?label={CARD_LABEL}"
    deadline = time.monotonic() + PATIENCE
    with subprocess.Popen([*CHROMIUM, address], stderr=LOG.open("wb")) as chromium:
        try:
            while time.monotonic() < deadline and chromium.poll() is None:
                server.handle_request()
                if Visit.posted:
                    yield picture(*Visit.posted)
                    Visit.posted = None
        finally:
            chromium.kill()


def picture(path: str, body: bytes) -> Picture:
    """The luma of what the page posted."""
    address = urlsplit(path)
    assert address.path == "/picture", f"the page failed: {body.decode()}"
    size = parse_qs(address.query)
    pixels = np.frombuffer(body, np.uint8).reshape(int(size["height"][0]), int(size["width"][0]), 4)
    return np.asarray(pixels[..., :3] @ [0.299, 0.587, 0.114]).astype(np.uint8)


camera = record_camera()
with program(camera):
    try:
        check(browse(), camera)
    except AssertionError:
        say("Chromium's own words:\n" + LOG.read_text()[-3000:])
        raise
