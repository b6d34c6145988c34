"""What ends a run from outside (Ctrl-C, a closed terminal, a request to end), and when it may.

A file that is finished must not be interrupted at it, or the recording would be lost:

    with held:
        finish()
"""

import signal
import threading
import time
from types import FrameType, TracebackType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP

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
        self._waiting = False
        self._latest = -_SAME

    def strike(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signals."""
        if self._depth:
            self._waiting = True
        elif time.monotonic() - self._latest > _SAME:
            self._latest = time.monotonic()
            raise KeyboardInterrupt

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if threading.current_thread() is not threading.main_thread():
            return
        self._depth -= 1
        if self._waiting and not self._depth:
            self._waiting = False
            if kind is None:
                raise KeyboardInterrupt


held = _Interruptions()


def listen() -> None:
    """From now on Ctrl-C, SIGTERM and SIGHUP interrupt; what is ignored, as by nohup, stays so."""
    for number in signal.Signals:
        if number.name in _SIGNALS and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, held.strike)
