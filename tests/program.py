"""The program run by tests, in their process or in one of its own, and how it ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from realtime_bokeh.interrupts import SIGNALS

# in any folder, the package beside these tests, whatever else is installed
PROGRAM = [sys.executable, "-m", "realtime_bokeh"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}


@dataclass(frozen=True)
class Outcome:
    """How a command line ended: status, standard output, lines of standard error."""

    status: int
    out: str
    lines: list[str]


Command: TypeAlias = Callable[..., Outcome]


@contextmanager
def signals_restored() -> Iterator[None]:
    """Afterwards the signals that the program takes are handled as before."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def started(line: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the test, whatever fails."""
    with subprocess.Popen(line, env=ENVIRONMENT, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait for what a process brings about, for as long as it runs."""
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
