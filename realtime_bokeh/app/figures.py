"""The figures of a live run in a file, for programs that follow it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from realtime_bokeh.app.display import console
from realtime_bokeh.errors import SinkError
from realtime_bokeh.files import write_atomically
from realtime_bokeh.live.report import snapshot
from realtime_bokeh.live.run import LiveRun

ENDINGS = (".json",)
_INTERVAL = 5.0  # seconds from one writing to the next


@contextmanager
def exported(run: LiveRun, path: Path | None) -> Iterator[None]:
    """A file has the run's figures at the beginning, every five seconds, and at the end.

    It is always whole. Where it cannot be written, that is said once, and the run goes on.
    """
    if path is None:
        yield
        return
    ended = threading.Event()
    # not by the thread that shows frames: a disk may take its time
    writer = threading.Thread(target=_write, args=(run, path, ended), name="figures", daemon=True)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def _write(run: LiveRun, path: Path, ended: threading.Event) -> None:
    told = False
    while True:
        last = ended.is_set()
        content = json.dumps(snapshot(run), indent=2) + "\n"
        try:
            write_atomically(path, content.encode())
        except SinkError as error:
            if not told:
                told = True
                console.print(f"{error}; the run goes on")
        if last:
            return
        ended.wait(_INTERVAL)
