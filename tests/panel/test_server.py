"""The panel's server costs nothing while nobody asks, and ends when it shall."""

import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra [panel] is not installed")

from realtime_bokeh.panel.server import serving
from tests.panel.programs import FakeProgram


def _thread() -> threading.Thread | None:
    return next((each for each in threading.enumerate() if each.name == "panel"), None)


def test_it_answers_until_it_ends() -> None:
    with serving(FakeProgram(), 0) as url:
        with urllib.request.urlopen(url) as page:
            assert page.status == 200
        assert _thread() is not None
    assert _thread() is None


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel counts wake-ups in /proc")
def test_it_sleeps_while_nobody_asks() -> None:
    with serving(FakeProgram(), 0) as url:
        urllib.request.urlopen(url).close()
        thread = _thread()
        assert thread is not None
        status = Path(f"/proc/self/task/{thread.native_id}/status")

        def woken() -> int:
            return int(status.read_text().split("voluntary_ctxt_switches:")[1].split()[0])

        def rests() -> bool:
            before = woken()
            time.sleep(1)
            return woken() - before <= 1

        # at first it has an end of the connection to attend to
        assert any(rests() for _ in range(30))
