import signal
import sys

import pytest

from realtime_bokeh.tray.own import OwnPanel

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_it_ends_with_the_tray() -> None:
    with OwnPanel(SLEEPS) as panel:
        assert not panel.running
        panel.start()
        assert panel.running
        process = panel._process
        panel.start()
        assert panel._process is process
        assert panel.failure == ""
    assert not panel.running


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks no process to end")
def test_it_is_asked_to_end() -> None:
    with OwnPanel(SLEEPS) as panel:
        panel.start()
    assert panel._process is not None
    assert panel._process.returncode == -signal.SIGTERM


@pytest.mark.parametrize(("status", "said"), [(0, ""), (2, "ended with status 2; realtime-bokeh")])
def test_a_failure_is_a_sentence(status: int, said: str) -> None:
    with OwnPanel([sys.executable, "-c", f"raise SystemExit({status})"]) as panel:
        panel.start()
        assert panel._process is not None
        panel._process.wait()
        assert said in panel.failure
        assert bool(panel.failure) == bool(said)
