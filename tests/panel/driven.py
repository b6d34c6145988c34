"""The program with its panel, told by a page or by requests, and the frames that it gives out."""

import contextlib
import json
import subprocess
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.error import URLError

import cv2
import numpy as np

from realtime_bokeh.frame import Image
from realtime_bokeh.panel import place
from realtime_bokeh.sizes import Size
from tests import clips
from tests.program import PROGRAM, started

SIZE = Size(180, 320)  # of the frames
LIMIT = 180.0  # seconds for what takes less than one where nothing else runs


class Driven:
    """A run from a clip to standard output, beside its panel.

    Args:
        process: with both outputs as pipes, which are read on threads of their own.
        port: of the panel, which can be asked when this is made.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self._said = ""
        self._frames: deque[Image] = deque(maxlen=8)
        self._count = 0
        assert process.stdout is not None
        assert process.stderr is not None
        for body, pipe in ((self._read_frames, process.stdout), (self._listen, process.stderr)):
            threading.Thread(target=body, args=(pipe,), daemon=True).start()
        self._api, self._token = f"http://127.0.0.1:{port}/api/v1/", place.token()
        self.url = place.address(port)
        self.until(self._answers)

    def _answers(self) -> bool:
        with contextlib.suppress(URLError):
            return bool(self.ask("GET", "state"))
        return False

    def _read_frames(self, pipe: IO[bytes]) -> None:
        length = SIZE.area * 3
        while len(data := pipe.read(length)) == length:
            self._frames.append(np.frombuffer(data, np.uint8).reshape(*SIZE, 3))
            self._count += 1

    def _listen(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            self._said += line.decode()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the program brings about."""
        end = time.monotonic() + LIMIT
        while not condition():
            assert self._process.poll() is None, self._said
            assert time.monotonic() < end, self._said
            time.sleep(0.05)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """What the API answers, if it is JSON."""
        request = urllib.request.Request(
            self._api + path, None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            method=method,
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=LIMIT) as response:
            return json.loads(response.read() or b"null")

    def frames(self, count: int = 4) -> list[Image]:
        """Frames that were all given out after this was called, in order."""
        first = self._count
        # one may have been under way
        self.until(lambda: self._count > first + count)
        return list(self._frames)[-count:]

    def frame(self) -> Image:
        """One such frame."""
        return self.frames(1)[0]

    def told(self) -> dict[str, Any]:
        """The settings at present."""
        settings: dict[str, Any] = self.ask("GET", "state")["settings"]
        return settings

    def rests(self) -> None:
        """Wait until the camera is closed and what was under way is given out."""
        self.until(lambda: not self.ask("GET", "state")["camera_open"])

        def none_comes() -> bool:
            before = self._count
            time.sleep(1)
            return self._count == before

        self.until(none_comes)


@contextmanager
def driven(camera: Path, port: int, *flags: str) -> Iterator[Driven]:
    """The program while it runs."""
    line = [*PROGRAM, "--camera", str(camera), "--output", "-", "--no-adapt"]
    line += ["--panel", str(port), *flags]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        yield Driven(process, port)


def grainy_clip(path: Path, portrait: Image) -> Path:
    """A person who does not move: two pictures that differ by a sensor's noise alternate."""
    random = np.random.default_rng(0)
    still = cv2.resize(portrait[16:304], (SIZE.width, SIZE.height)).astype(np.float64)
    pair = [
        np.clip(still + random.normal(0, 10, still.shape), 0, 255).astype(np.uint8)
        for _ in range(2)
    ]
    images = pair * (len(clips.HALF_A_SECOND) // 2)
    return clips.make(path, image=images, options={"qp": "0"})  # without loss, so that each recurs


def sharpness(image: Image) -> float:
    """How much fine detail the left fifth has, where there is background only."""
    gray = cv2.cvtColor(image[:, : image.shape[1] // 5], cv2.COLOR_BGR2GRAY)
    return float(cv2.Laplacian(gray, cv2.CV_64F).var())


def likeness(one: Image, other: Image) -> float:
    """The correlation of two pictures, both brought to few pixels."""
    a, b = (cv2.resize(each, (32, 18), interpolation=cv2.INTER_AREA) for each in (one, other))
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def difference(one: Image, other: Image) -> float:
    """The mean absolute difference of two pictures, in levels of 255."""
    return float(np.mean(cv2.absdiff(one, other)))
