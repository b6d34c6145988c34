"""The pace of a recording: its moments come as they did when it was made."""

import threading
import time

_LATE = 1.0  # seconds behind after which it goes on from where it is, as after sleep


class Pace:
    """Waits for the moments of a recording, whatever the first of them is.

    Args:
        stopped: set, nothing is waited for any more.
        longest: seconds until a moment beyond which it comes at once, as where a stream leaps.
    """

    def __init__(self, stopped: threading.Event, longest: float = float("inf")) -> None:
        self._stopped, self._longest = stopped, longest
        self._begin: float | None = None  # when moment 0 was

    def wait(self, moment: float) -> None:
        """Until a moment comes, in seconds of the recording."""
        now = time.monotonic()
        if self._begin is None or not -_LATE <= self._begin + moment - now <= self._longest:
            self._begin = now - moment
        self._stopped.wait(self._begin + moment - now)
