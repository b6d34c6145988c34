"""What ends a run from outside (Ctrl-C, a closed terminal, a request to end), and when it may.

A file that is finished must not be interrupted at it, or the recording would be lost:

    with held:
        finish()
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
SIGNALS = tuple(number for number in signal.Signals if number.name in _NAMES)

# Seconds within which a second signal means the same interruption: a session that ends sends
# SIGTERM and SIGHUP together, and people press Ctrl-C twice.
_SAME = 1.0


class _Interruptions:
    """Raises KeyboardInterrupt for a signal; entered as a context, only when that context ends.

    Contexts may be nested. An error that leaves the outermost one takes the interruption's place,
    because the run ends anyway. Other threads than the main one are never interrupted.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._at_once = False
        self._waiting = False
        self._latest = -_SAME  # when one was raised

    def strike(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signals."""
        if time.monotonic() - self._latest > _SAME:
            self._waiting = True
            if self._at_once or not self._depth:
                self.raise_waiting()

    def raise_waiting(self) -> None:
        """Raise the interruption that waits, if any: a long context ends early where it can.

        Raises:
            KeyboardInterrupt: once for each interruption.
        """
        if self._waiting and _on_main_thread():
            self._latest = time.monotonic()  # first: from here another signal is the same one
            self._waiting = self._at_once = False
            raise KeyboardInterrupt

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside a context that holds interruptions, raise them at once after all: for a call that
        may wait for ever, and may be broken off."""
        if not _on_main_thread():
            yield
            return
        self._at_once = True
        try:
            self.raise_waiting()
            yield
        finally:
            self._at_once = False

    def __enter__(self) -> None:
        if _on_main_thread():
            self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if not _on_main_thread():
            return
        self._depth -= 1
        if self._depth:
            return
        try:
            self.raise_waiting()
        except KeyboardInterrupt:
            if kind is None:
                raise


def _on_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


held = _Interruptions()


def listen() -> None:
    """From now on Ctrl-C, SIGTERM and SIGHUP interrupt; what is ignored, as by nohup, stays so."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, held.strike)


def ignore() -> None:
    """From now on none of them does anything: all is done but the end of the process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
