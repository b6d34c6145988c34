"""A window on the screen."""

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from realtime_bokeh.errors import SinkError
from realtime_bokeh.frame import Frame, Image, Sink, Stopped
from realtime_bokeh.look import Look
from realtime_bokeh.sinks import window
from realtime_bokeh.sizes import Size

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
_TRIAL = "import cv2, os; cv2.namedWindow('x'); os._exit(0)"
_PATIENCE = 2.0  # seconds for the window's process to end


@functools.cache  # what it found good stays good
def check_screen() -> None:
    """Refuse a preview where no window can be opened.

    Where the screen that is named does not answer, does not let us in, or speaks only Wayland, the
    window toolkit of OpenCV 5.0 (Qt) ends its whole process. So another process tries it first.

    Raises:
        SinkError: saying which screen does not work, without a remedy.
    """
    if sys.platform != "linux":
        return
    named = [f"{name}={os.environ[name]}" for name in _SCREENS if os.environ.get(name)]
    if not named:
        raise SinkError("There is no screen for --preview")
    try:
        subprocess.run(
            [sys.executable, "-c", _TRIAL], check=True, timeout=20,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (subprocess.SubprocessError, OSError) as error:
        raise SinkError(
            f"No window for --preview can be opened on the screen ({', '.join(named)})"
        ) from error


def start_window(size: Size) -> tuple[Connection, BaseProcess, Image]:
    """Start the window's process.

    Returns:
        What speaks with it, itself, and the pictures that it shows; see `window.pictures_in`.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    memory = context.RawArray("B", 2 * size.height * size.width * 3)
    process = context.Process(target=window.live, args=(theirs, memory, size), daemon=True)
    with _undisturbed():
        process.start()
    theirs.close()
    return ours, process, window.pictures_in(memory, size)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C, which the terminal sends to all its processes, does not reach those started here."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Preview(Sink):
    """Shows frames; q, Esc or the window's close button stop.

    A window that is slow gets fewer pictures, and holds nothing up.

    Args:
        size: of every frame.
        look: asked for what is shown beside a picture.
        pair: asked for the camera's picture and the run's, while both are shown.
        on_key: is told of every other key, one character.
        on_lost: is told once that the window is gone, as when its screen has died, without a
            remedy; what it raises ends the run.
    """

    live = True

    def __init__(
        self,
        size: Size,
        look: Callable[[], Look],
        pair: Callable[[], tuple[Image, Image] | None],
        on_key: Callable[[str], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._look, self._pair = look, pair
        self._on_key, self._on_lost = on_key, on_lost
        self._connection, self._process, self._pictures = start_window(size)
        self._ready = self._lost = self._card = False
        self._sent: Look | None = None

    def describe(self) -> str:
        return "window"

    @property
    def seen(self) -> bool:
        """Whether the window is there, as far as is known."""
        return not self._lost

    def write(self, frame: Frame) -> None:
        self._listen()
        if not self._ready:
            return
        pair = self._pair() if self._look().split or frame.index < 0 else None
        # what is frozen is the pair's own picture; what else has no number is a card
        self._card = frame.index < 0 and (pair is None or frame.image is not pair[1])
        look = self._told()
        if pair and look.split:
            self._pictures[1], self._pictures[0] = pair
            self._send(2, look)
        else:
            self._pictures[0] = frame.image
            self._send(1, look)

    def idle(self) -> None:
        self._listen()
        if self._ready and (look := self._told()) != self._sent:
            self._send(0, look)

    def _told(self) -> Look:
        """The look for what is shown: a card is read, and stands alone."""
        look = self._look()
        return replace(look, split=False, mirror=False) if self._card else look

    def _send(self, pictures: int, look: Look) -> None:
        self._ready, self._sent = False, look
        with suppress(OSError):  # is found out when it is listened to next
            self._connection.send((pictures, look))

    def _listen(self) -> None:
        """Take what the window tells.

        Raises:
            Stopped: when the user asks to stop.
        """
        try:
            while not self._lost and self._connection.poll():
                told = self._connection.recv()
                if told == window.STOP:
                    raise Stopped
                if told == window.READY:
                    self._ready = True
                elif len(told) == 1:
                    self._on_key(told)
                else:
                    self._lose(f"The preview's window has failed ({told})")
        except (EOFError, OSError):
            self._lose("The preview's window is gone, perhaps with its screen")

    def _lose(self, sentence: str) -> None:
        self._lost, self._ready = True, False
        self._on_lost(sentence)

    def close(self, complete: bool) -> None:
        self._connection.close()
        self._lost, self._ready = True, False
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
