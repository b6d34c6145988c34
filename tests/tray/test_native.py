"""The menu as pystray takes it, with its backend that shows nothing."""

from typing import Any

import pytest

from realtime_bokeh.tray.menu import Choice, Deed, Request, view
from tests.tray.states import state

# before the import: pystray chooses there, and finds no display
with pytest.MonkeyPatch.context() as _patch:
    _patch.setenv("PYSTRAY_BACKEND", "dummy")
    pystray = pytest.importorskip("pystray", reason="pystray is not installed")
    from realtime_bokeh.tray import native
    from realtime_bokeh.tray.native import Native


@pytest.fixture
def chosen() -> list[Choice]:
    return []


@pytest.fixture
def lines(chosen: list[Choice]) -> dict[str, Any]:
    seen = view(state(blank=True), own=False)
    menu = Native(chosen.append, seen).menu(seen.items)
    return {line.text: line for line in menu.items}


def test_a_click_is_the_line_s_choice(lines: dict[str, Any], chosen: list[Choice]) -> None:
    lines["Stop"](None)
    lines["Open the control page"](None)
    assert chosen == [Request("POST", "stop"), Deed.OPEN]


def test_marks_and_what_cannot_be_chosen(lines: dict[str, Any]) -> None:
    assert lines["Blank"].checked is True
    assert lines["Stop"].checked is None
    assert lines["Blanked"].enabled is False
    assert lines["Stop"].enabled is True
    steps = lines["Strength: 100%"].submenu.items
    assert [(step.checked, step.radio) for step in steps] == [(False, True)] * 4 + [(True, True)]
    assert pystray.Menu.SEPARATOR.text in lines


def test_a_change_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_where_windows_are", lambda call: call())  # no loop runs
    desktop = Native(lambda choice: None, view(None, own=False))
    updates: list[str] = []
    desktop._icon.update_menu = lambda: updates.append("menu")
    blanked = view(state(blank=True), own=False)
    desktop.show(blanked)
    desktop.show(blanked)
    assert updates == ["menu"]
    assert desktop._icon.title == "Realtime Bokeh: Blanked"
