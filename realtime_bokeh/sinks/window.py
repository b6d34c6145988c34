"""The preview's window, which is a process of its own.

Where its screen dies, the window toolkit in OpenCV's wheels for Linux (Qt) ends the process that it
is in. So that is not the one that feeds the virtual camera.
"""

import os
import signal
from ctypes import Array, c_ubyte
from multiprocessing.connection import Connection

import cv2
import numpy as np

from realtime_bokeh.frame import Image
from realtime_bokeh.look import Look
from realtime_bokeh.sinks.overlay import draw
from realtime_bokeh.sizes import Size

READY = ""  # the latest message was taken
STOP = "\x1b"  # the user wants to end the run; any other character is a key, more are an error
ENDING = (STOP, "q")  # keys
_TITLE = "Realtime Bokeh (? lists the keys, q stops)"
_PAUSE = 0.015  # seconds between looks at keys and pointer while nothing comes
_ENLARGED = 1.1  # times the picture's size, from which the window counts as larger

Memory = Array[c_ubyte]


def pictures_in(memory: Memory, size: Size) -> Image:
    """The two pictures that the processes share: the run's and the camera's, uint8 [2, H, W, 3]."""
    return np.frombuffer(memoryview(memory), np.uint8).reshape(2, *size, 3)


def live(connection: Connection, memory: Memory, size: Size) -> None:
    """What the window's process does until the run, the user or the screen ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, whose end is seen here
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what Qt says of fonts and of its end
    try:
        show(connection, pictures_in(memory, size))
    except (EOFError, OSError):
        pass  # the run has ended
    except Exception as error:
        connection.send(repr(error))


def show(connection: Connection, shared: Image) -> None:
    """Show what comes, and tell what is pressed, until the user wants to stop.

    Every message (how many pictures are new, the look) is answered by `READY`, once before the
    first.

    Raises:
        EOFError, OSError: when the other side has gone.
    """
    pointer = _Pointer()
    pictures, look, line = shared[:0], Look(), pointer.line
    connection.send(READY)
    while True:
        changed = connection.poll(_PAUSE)
        if changed:
            number, look = connection.recv()
            if number and not len(pictures):
                _open(Size(*shared.shape[1:3]), pointer)
            if number:
                pictures = shared[:number].copy()
            connection.send(READY)
        if not len(pictures):
            continue
        if changed or (look.split and line != pointer.line):
            line = pointer.line
            image = draw(_enlarged(pictures), look, line)
            pointer.width = image.shape[1]
            cv2.imshow(_TITLE, image)
        key = cv2.waitKey(1)
        pressed = "" if key < 0 else chr(key & 0xFF)
        if pressed in ENDING or cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
            connection.send(STOP)
            return
        if pressed:
            connection.send(pressed)


def _open(size: Size, pointer: "_Pointer") -> None:
    """Open the window, at the picture's size."""
    cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    cv2.resizeWindow(_TITLE, size.width, size.height)
    cv2.setMouseCallback(_TITLE, pointer.moved)


def _enlarged(pictures: Image) -> list[Image]:
    """Pictures at the size of a window that is larger: what is written over them stays sharp."""
    height, width = pictures.shape[1:3]
    _, _, across, down = cv2.getWindowImageRect(_TITLE)
    scale = min(across / width, down / height)
    if scale < _ENLARGED:
        return list(pictures)
    return [cv2.resize(picture, None, fx=scale, fy=scale) for picture in pictures]


class _Pointer:
    """Where the mouse was last seen.

    width: of the picture that is shown, in pixels.
    line: from 0 (left) to 1.
    """

    def __init__(self) -> None:
        self.width = 1
        self.line = 0.5

    def moved(self, event: int, x: int, y: int, flags: int, given: object) -> None:
        """OpenCV's callback; x in pixels of the picture."""
        self.line = min(1.0, max(0.0, x / self.width))
