"""A window on the screen."""

import functools
import os
import subprocess
import sys
from collections.abc import Callable

import cv2

from realtime_bokeh.errors import SinkError
from realtime_bokeh.frame import Frame, Sink, Stopped

_TITLE = "Realtime Bokeh (q or Esc to stop)"
_REMEDY = "leave it out, or run in a desktop session"
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
_TRIAL = "import cv2, os; cv2.namedWindow('x'); os._exit(0)"


@functools.cache  # what it found good stays good
def check_screen() -> None:
    """Refuse a preview where no window can be opened.

    Where the screen that is named does not answer, does not let us in, or speaks only Wayland, the
    window toolkit of OpenCV 5.0 (Qt) ends its whole process. So another process tries it first.

    Raises:
        SinkError: saying which screen does not work.
    """
    if sys.platform != "linux":
        return
    named = [f"{name}={os.environ[name]}" for name in _SCREENS if os.environ.get(name)]
    if not named:
        raise SinkError(f"There is no screen for --preview; {_REMEDY}")
    try:
        subprocess.run(
            [sys.executable, "-c", _TRIAL], check=True, timeout=20,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (subprocess.SubprocessError, OSError) as error:
        raise SinkError(
            f"No window for --preview can be opened on the screen ({', '.join(named)}); {_REMEDY}"
        ) from error


class Preview(Sink):
    """Shows frames; q, Esc or the window's close button stop. Must live on the main thread.

    Args:
        on_key: is told of every other key, one character.

    Raises:
        SinkError: as `check_screen`.
    """

    live = True

    def __init__(self, on_key: Callable[[str], None] = lambda key: None) -> None:
        check_screen()
        self._on_key = on_key
        # Qt 5.15 in OpenCV 5.0's wheels complains four times that it brings no fonts; we show none
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        try:
            look = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
            cv2.namedWindow(_TITLE, look)
        except cv2.error as error:
            raise SinkError(f"No window for --preview can be opened; {_REMEDY}") from error
        self._sized = False

    def describe(self) -> str:
        return "window"

    def write(self, frame: Frame) -> None:
        cv2.imshow(_TITLE, frame.image)
        if not self._sized:
            cv2.resizeWindow(_TITLE, frame.image.shape[1], frame.image.shape[0])
            self._sized = True
        self.idle()

    def idle(self) -> None:
        key = cv2.waitKey(1)
        pressed = "" if key < 0 else chr(key & 0xFF)
        if pressed in ("\x1b", "q") or cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
            raise Stopped
        if pressed:
            self._on_key(pressed)

    def close(self, complete: bool) -> None:
        cv2.destroyAllWindows()
