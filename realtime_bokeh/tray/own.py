"""The panel that the tray starts where none runs."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Sequence

import psutil

from realtime_bokeh.errors import BokehError
from realtime_bokeh.panel import client, place

_LINE = (sys.executable, "-m", "realtime_bokeh", "panel")
_END = 60.0  # seconds for it to end: it may have a long recording to finish


class OwnPanel:
    """`realtime-bokeh panel` as a process, which ends with this context at the latest.

    Args:
        line: its command line.
    """

    def __init__(self, line: Sequence[str] = _LINE) -> None:
        self._line = line
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if not self.running:
            # in a session of its own: Ctrl-C in the terminal is for the tray, which then ends it
            self._process = subprocess.Popen(
                self._line, stdin=subprocess.DEVNULL, start_new_session=True
            )

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def failure(self) -> str:
        """How it failed, a sentence; empty when it did not."""
        status = None if self._process is None else self._process.poll()
        if not status:
            return ""
        return f"The control page has ended with status {status}; realtime-bokeh panel says why"

    def __enter__(self) -> "OwnPanel":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None or not self.running:
            return
        if sys.platform == "win32":  # which ends processes at once, their files unfinished
            _stop_run(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _stop_run(pid: int) -> None:
    """Stop the run of the panel with this process, unless another panel was started since."""
    end = time.monotonic() + _END
    with contextlib.suppress(BokehError, psutil.Error):
        # an environment's Python on Windows is a launcher of the one that runs
        ours = {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
        if place.running().pid in ours:
            client.ask("POST", "stop")
            while client.ask("GET", "state")["phase"] != "stopped" and time.monotonic() < end:
                time.sleep(0.1)
