"""Raw frames on standard output, for other programs: bgr24, one after the other."""

import os
import sys

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.frame import Frame, Sink, Stopped
from realtime_bokeh.interrupts import held


class StandardOutput:
    """Takes bytes for another program, in a form that PyAV writes to.

    Raises:
        UsageError: when standard output is a terminal, or closed.
    """

    def __init__(self) -> None:
        if sys.stdout is None or sys.stdout.isatty():
            raise UsageError(
                "Standard output (-) gets what a program reads; send it to one, or to a file"
            )
        self._descriptor = sys.stdout.fileno()

    def write(self, data: bytes | memoryview) -> int:
        """Write all of it, and say how much that was.

        Raises:
            Stopped: when the program that reads has seen enough.
            SinkError: when it cannot be written.
        """
        left = memoryview(data).cast("B")
        try:
            # without Python's buffer: what is left in it would fail again at exit
            with held.at_once():  # a reader that has stalled makes it wait for ever
                while left:
                    left = left[os.write(self._descriptor, left) :]
        except BrokenPipeError:
            raise Stopped from None
        except OSError as error:
            raise SinkError(f"Standard output takes no more frames ({error.strerror})") from error
        return len(data)


class RawFrames(Sink):
    """Writes the pixels of every frame, uint8 [H, W, 3] BGR.

    Raises:
        UsageError: as `StandardOutput`.
    """

    def __init__(self) -> None:
        self._output = StandardOutput()

    def describe(self) -> str:
        return "raw bgr24 frames on standard output"

    def write(self, frame: Frame) -> None:
        self._output.write(frame.image.data)

    def close(self, complete: bool) -> None:
        pass
