"""Standard input and output, in a form that PyAV reads from and writes to."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.frame import Stopped
from realtime_bokeh.interrupts import held


class Interrupted(Exception):
    """A KeyboardInterrupt on its way through PyAV, which lets none through, but other errors."""


@contextmanager
def interruptible() -> Iterator[None]:
    """What PyAV reads or writes in it is interrupted as other work is."""
    try:
        yield
    except Interrupted:
        raise KeyboardInterrupt from None


class StandardInput:
    """What another program, or a file, gives.

    Raises:
        UsageError: when standard input is a terminal, or closed.
    """

    def __init__(self) -> None:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("IN is -, standard input: send a video to it, from a program or file")
        self._file = sys.stdin.buffer
        self.seekable, self.seek, self.tell = (
            self._file.seekable, self._file.seek, self._file.tell,
        )  # fmt: skip

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end.

        Raises:
            Interrupted: when the user interrupts.
        """
        try:
            return self._file.read(size)
        except KeyboardInterrupt:
            raise Interrupted from None


class StandardOutput:
    """Takes bytes for another program.

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
            Interrupted: when the user interrupts: a reader that has stalled makes it wait for ever.
            Stopped: when the program that reads has seen enough.
            SinkError: when it cannot be written.
        """
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            # without Python's buffer: what is left in it would fail again at exit
            with held.at_once():
                while left:
                    left = left[os.write(self._descriptor, left) :]
        except KeyboardInterrupt:
            raise Interrupted from None
        except BrokenPipeError:
            raise Stopped from None
        except OSError as error:
            raise SinkError(f"Standard output takes no more frames ({error.strerror})") from error
        return size
