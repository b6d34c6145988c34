"""A window on the screen."""

import os
import sys

import cv2

from realtime_bokeh.errors import SinkError
from realtime_bokeh.frame import Frame, Sink, Stopped

_TITLE = "Realtime Bokeh (q or Esc to stop)"
_NO_SCREEN = "There is no screen for --preview; leave it out, or run in a desktop session"


class Preview(Sink):
    """Shows frames; q, Esc or the window's close button stop. Must live on the main thread.

    Raises:
        SinkError: when there is no screen.
    """

    live = True

    def __init__(self) -> None:
        # asked first: without a screen OpenCV's window toolkit ends the whole process
        if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
            raise SinkError(_NO_SCREEN)
        try:
            look = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
            cv2.namedWindow(_TITLE, look)
        except cv2.error as error:
            raise SinkError(_NO_SCREEN) from error
        self._sized = False

    def describe(self) -> str:
        return "window"

    def write(self, frame: Frame) -> None:
        cv2.imshow(_TITLE, frame.image)
        if not self._sized:
            cv2.resizeWindow(_TITLE, frame.image.shape[1], frame.image.shape[0])
            self._sized = True
        key = cv2.waitKey(1) & 0xFF
        if key in (27, ord("q")) or cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
            raise Stopped

    def close(self, complete: bool) -> None:
        cv2.destroyAllWindows()
