"""Sources, sinks and devices that stand in for real ones, for tests of several modules."""

import itertools
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime_bokeh.engines import Controls, Engine
from realtime_bokeh.engines.base import Finish, FocusMap
from realtime_bokeh.frame import Frame, Image, Sink, Source
from realtime_bokeh.look import Look
from realtime_bokeh.sinks import preview
from realtime_bokeh.sizes import Size
from realtime_bokeh.sound import Samples, Sound, SoundSource

RAW, RENDERED, CARD = (np.full((2, 2, 3), value, np.uint8) for value in (1, 2, 3))


class CountingSource(Source):
    """Gives the image RAW, numbered, as fast as it is read.

    total: after which it ends; endless if None.
    hold: cleared, no frame comes.
    ended: set when the end was read.
    error: raised instead of the next frame.
    """

    size = Size.of(RAW)
    fps = 30.0

    def __init__(self, total: int | None, live: bool = False) -> None:
        self.live, self.total = live, total
        self._indices = itertools.count()
        self.closed = False
        self.ended = threading.Event()
        self.hold = threading.Event()
        self.hold.set()
        self.error: Exception | None = None

    def describe(self) -> str:
        return "numbers"

    def read(self) -> Frame | None:
        assert self.hold.wait(60)
        if self.error:
            raise self.error
        index = next(self._indices)
        if self.total is not None and index >= self.total:
            self.ended.set()
            return None
        return Frame(RAW, index, time.monotonic(), index)

    def close(self) -> None:
        self.closed = True


class RecordingSink(Sink):
    """Remembers what it was given, and how often it was idle and closed.

    on_write, on_idle: called at each; what they raise is raised.
    """

    def __init__(
        self,
        live: bool = False,
        on_write: Callable[[Frame], None] = lambda frame: None,
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self.live = live
        self._on_write, self._on_idle = on_write, on_idle
        self.frames: list[Frame] = []
        self.idled = 0
        self.closed: list[bool] = []

    def describe(self) -> str:
        return "memory"

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)
        self._on_write(frame)

    def idle(self) -> None:
        self.idled += 1
        self._on_idle()

    def close(self, complete: bool) -> None:
        self.closed.append(complete)

    @property
    def shown(self) -> list[str]:
        """The names of the images."""
        names = {1: "raw", 2: "rendered", 3: "card"}
        return [names[int(frame.image[0, 0, 0])] for frame in self.frames]


class UnchangedEngine(Engine):
    """Gives back every image as it is.

    calls: how many it was given. closed: whether it was.
    """

    network_seconds = 0.001

    def __init__(self) -> None:
        self.calls = 0
        self.closed = False

    def close(self) -> None:
        super().close()
        self.closed = True

    def describe(self) -> str:
        return "unchanged"

    def _start(self, frame: Size) -> None:
        pass

    def _begin(self, image: Image, controls: Controls) -> Finish:
        self.calls += 1
        return lambda: image

    def _focus_map(self) -> FocusMap:
        return np.ones((16, 16), np.float32)


class HalfEngine(UnchangedEngine):
    """Holds the left half of every picture to be in focus.

    focus: what it says instead, if anything else.
    """

    reason = "half, unchanged"

    def __init__(self) -> None:
        super().__init__()
        self.focus: Any = np.repeat([[1.0, 0.0]], 16, 0).repeat(8, 1).astype(np.float32)

    def _focus_map(self) -> FocusMap:
        found: FocusMap = self.focus
        return found


class CameraDriver:
    """OpenCV's driver of a camera that gives some images, and then no more.

    asked: the properties that were set. released: whether it was.
    """

    def __init__(self, *images: Image) -> None:
        self._images = list(images)
        self.asked: list[int] = []
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, what: int, value: float) -> bool:
        self.asked.append(what)
        return True

    def get(self, what: int) -> float:
        return 0.0

    def read(self) -> tuple[bool, Image | None]:
        return (True, self._images.pop(0)) if self._images else (False, None)

    def release(self) -> None:
        self.released = True

    def plug_in(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """Make it OpenCV's; gives the name under which a Camera opens it."""
        monkeypatch.setattr(cv2, "VideoCapture", lambda *_: self)
        return "/dev/null"


class LoopbackDevice:
    """A device of v4l2loopback, as its driver answers; what is written to it goes into a file.

    path, label: of it. sent: what was written.
    foreign: whether another driver made it. captures, outputs: what it can now.
    held: the size that a program holds it to. fps: what was announced. started: how often.
    refuses: the error of every request for a format.
    """

    def __init__(self, folder: Path, label: str = "Realtime Bokeh") -> None:
        self.label = label
        self._file = folder / f"video{label}"
        self._file.touch()
        self.path = str(self._file)
        self.foreign, self.captures, self.outputs = False, False, True
        self.held: Size | None = None
        self.fps = 0.0
        self.started = 0
        self.refuses: OSError | None = None

    @property
    def sent(self) -> bytes:
        return self._file.read_bytes()

    def _set_format(self, size: Size) -> Size:
        if self.refuses:
            raise self.refuses
        return self.held or size

    def _start(self) -> None:
        self.started += 1
        self.outputs = True

    @staticmethod
    def plug_in(monkeypatch: pytest.MonkeyPatch, *devices: "LoopbackDevice") -> None:
        """Make them all that Linux lists."""
        from realtime_bokeh.sinks import loopback, v4l2  # not above: Windows has no ioctl

        def of(descriptor: int) -> LoopbackDevice:
            file = os.fstat(descriptor).st_ino
            return next(device for device in devices if device._file.stat().st_ino == file)

        def capabilities(descriptor: int) -> v4l2.Capabilities:
            device = of(descriptor)
            return v4l2.Capabilities(not device.foreign, device.captures, device.outputs)

        listed = {device.path: device.label for device in devices}
        monkeypatch.setattr(loopback, "linux_loopbacks", lambda: listed)
        monkeypatch.setattr(v4l2, "capabilities", capabilities)
        monkeypatch.setattr(v4l2, "set_format", lambda fd, size: of(fd)._set_format(size))
        monkeypatch.setattr(v4l2, "set_rate", lambda fd, fps: setattr(of(fd), "fps", fps))
        monkeypatch.setattr(v4l2, "start", lambda fd: of(fd)._start())


class FakeMicrophone(SoundSource):
    """Has heard what it is given.

    trouble: what it says that is wrong. closed: whether it was.
    """

    trouble = ""

    def __init__(self) -> None:
        self._heard: list[Sound] = []
        self.closed = False

    def hear(self, samples: Samples, moment: float) -> None:
        self._heard.append(Sound(samples, moment))

    def describe(self) -> str:
        return "a fake"

    def read(self) -> list[Sound]:
        heard, self._heard = self._heard, []
        return heard

    def close(self) -> None:
        self.closed = True


class VirtualCameraDevice:
    """pyvirtualcam's camera, which takes images of one size.

    sent: what it took. closed: how often it was closed.
    """

    device, backend = "/dev/video10", "fake"

    def __init__(self, width: int, height: int, **_: object) -> None:
        self._shape = (height, width, 3)
        self.sent: list[Image] = []
        self.closed = 0

    def send(self, image: Image) -> None:
        if image.shape != self._shape:
            raise ValueError(f"unexpected frame shape: {image.shape} != {self._shape}")
        self.sent.append(image)

    def close(self) -> None:
        self.closed += 1


class Screen:
    """OpenCV's windows, without a screen.

    does: what a person does next: presses a key, or moves the pointer to a column; one a look.
    open: whether a window is. size: that it has inside. shown: the images.
    """

    size = Size(1, 1)

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.does: list[str | int] = []
        self.open = False
        self.shown: list[Image] = []
        replaced: dict[str, Callable[..., Any]] = {
            "namedWindow": self._open,
            "setMouseCallback": self._follow,
            "imshow": lambda _, image: self.shown.append(image),
            "resizeWindow": lambda *_: None,
            "waitKey": self._wait_key,
            "getWindowProperty": lambda *_: float(self.open),
            "getWindowImageRect": lambda _: (0, 0, self.size.width, self.size.height),
        }
        for name, function in replaced.items():
            monkeypatch.setattr(cv2, name, function)

    def _open(self, *_: object) -> None:
        self.open = True

    def _follow(self, _: str, moved: Callable[..., None]) -> None:
        self._moved = moved

    def _wait_key(self, _: int) -> int:
        done = self.does.pop(0) if self.does else ""
        if isinstance(done, int):
            self._moved(cv2.EVENT_MOUSEMOVE, done, 5, 0, None)
            return -1
        return ord(done) if done else -1

    def close(self) -> None:
        """As with the button in the window's corner."""
        self.open = False


class WindowProcess:
    """The process of the preview's window, for which a test speaks.

    pictures: what it is to show. running: whether it is. killed: whether it had to be.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.running, self.killed = True, False
        self.hangs = False
        monkeypatch.setattr(preview, "start_window", self._start)

    def _start(self, size: Size) -> tuple[Connection, "WindowProcess", Image]:
        ours, self.connection = multiprocessing.Pipe()
        self.pictures: Image = np.zeros((2, *size, 3), np.uint8)
        return ours, self, self.pictures

    def tell(self, *words: str) -> None:
        """Send what the window sends."""
        for word in words:
            self.connection.send(word)

    def told(self) -> list[tuple[int, Look]]:
        """What was sent to it since the last call."""
        messages = []
        while self.connection.poll():
            messages.append(self.connection.recv())
        return messages

    def join(self, timeout: float | None = None) -> None:
        self.running = self.hangs and not self.killed

    def is_alive(self) -> bool:
        return self.running

    def kill(self) -> None:
        self.killed = True
