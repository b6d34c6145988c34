"""The command, with and without a tray; see tests/tray for what is in it."""

import signal
import sys
from pathlib import Path

import pytest

from tests.program import ENVIRONMENT, PROGRAM, Command, started, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="about Linux' tray")


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    monkeypatch.delitem(sys.modules, "realtime_bokeh.tray.notifier", raising=False)
    monkeypatch.setitem(sys.modules, "jeepney", None)
    outcome = command("tray")
    assert outcome.status == 2
    assert outcome.lines[0].startswith("realtime-bokeh: The tray needs jeepney, which is not")
    assert "[tray]" in outcome.lines[0]


def test_without_a_desktop_that_is_said(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    pytest.importorskip("jeepney", reason="the extra [tray] is not installed")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    outcome = command("tray")
    assert outcome.status == 2
    assert outcome.lines == [outcome.lines[0]]
    assert outcome.lines[0].startswith("realtime-bokeh: No desktop is found here")


def test_it_tells_the_run_that_has_a_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("jeepney", "fastapi"):
        pytest.importorskip(module, reason="the extra [tray] is not installed")
    from realtime_bokeh.panel.server import serving
    from tests.panel.programs import FakeProgram
    from tests.tray import bus

    if not bus.AVAILABLE:
        pytest.skip("dbus-daemon is not installed")
    program = FakeProgram()
    state = str(tmp_path / "state")
    monkeypatch.setenv("XDG_STATE_HOME", state)
    monkeypatch.setitem(ENVIRONMENT, "XDG_STATE_HOME", state)
    with bus.session(tmp_path) as address, serving(program, 0):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        monkeypatch.setitem(ENVIRONMENT, "DBUS_SESSION_BUS_ADDRESS", address)
        with bus.desktop_panel() as panel:
            panel.appear()
            with started([*PROGRAM, "tray"]) as tray:
                panel.wait_for_icon()
                wait_for(lambda: "Start" in panel.lines(), tray)
                panel.click(panel.lines()["Start"])
                wait_for(lambda: program.phase == "running", tray)
                wait_for(lambda: "Blank" in panel.lines(), tray)
                panel.click(panel.lines()["Blank"])
                wait_for(lambda: program.settings.blank, tray)
                wait_for(lambda: "Blanked" in panel.lines(), tray)
                tray.send_signal(signal.SIGINT)
                assert tray.wait(60) == 0
        assert program.phase == "running"  # the run is not the icon's
