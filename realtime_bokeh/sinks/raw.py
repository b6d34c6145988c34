"""Raw frames on standard output, for other programs: bgr24, one after the other."""

import os
import sys

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.frame import Frame, Sink, Stopped
from realtime_bokeh.interrupts import held


class RawFrames(Sink):
    """Writes the pixels of every frame, uint8 [H, W, 3] BGR.

    Raises:
        UsageError: when standard output is a terminal, or closed.
    """

    def __init__(self) -> None:
        if sys.stdout is None or sys.stdout.isatty():
            raise UsageError("--output - writes raw frames; send them to a program or a file")
        self._descriptor = sys.stdout.fileno()

    def describe(self) -> str:
        return "raw bgr24 frames on standard output"

    def write(self, frame: Frame) -> None:
        left = frame.image.data.cast("B")
        try:
            # without Python's buffer: what is left in it would fail again at exit
            with held.at_once():  # a reader that has stalled makes it wait for ever
                while left:
                    left = left[os.write(self._descriptor, left) :]
        except BrokenPipeError:
            raise Stopped from None  # the program that reads has seen enough
        except OSError as error:
            raise SinkError(f"Standard output takes no more frames ({error.strerror})") from error

    def close(self, complete: bool) -> None:
        pass
