"""The icon on a real bus, before a panel that speaks as those of desktops do."""

import queue
import threading
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("jeepney", reason="the extra [tray] is not installed")

from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.tray.icon import draw
from realtime_bokeh.tray.menu import Choice, Look, Request, view
from realtime_bokeh.tray.notifier import Notifier
from tests.tray import bus
from tests.tray.bus import Panel
from tests.tray.states import state

pytestmark = pytest.mark.skipif(not bus.AVAILABLE, reason="dbus-daemon is not installed")


@pytest.fixture
def panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Panel]:
    """A desktop's panel that has not appeared yet."""
    with bus.session(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with bus.desktop_panel() as panel:
            yield panel


@contextmanager
def shown(chosen: "queue.Queue[Choice]") -> Iterator[Notifier]:
    """An icon whose loop runs; it has ended afterwards."""
    notifier = Notifier(chosen.put, view(state(), own=False))
    thread = threading.Thread(target=notifier.run, daemon=True)
    thread.start()
    try:
        yield notifier
    finally:
        notifier.close()
        thread.join(60)
        assert not thread.is_alive()


def test_a_panel_shows_it_and_clicks(panel: Panel) -> None:
    panel.appear()
    chosen: queue.Queue[Choice] = queue.Queue()
    with shown(chosen) as notifier:
        panel.wait_for_icon()
        item = panel.properties("/StatusNotifierItem", "org.kde.StatusNotifierItem")
        assert item["Title"] == item["ToolTip"][2] == "Realtime Bokeh: Running"
        assert (item["Menu"], item["Status"], item["ItemIsMenu"]) == ("/MenuBar", "Active", True)
        width, height, pixels = item["IconPixmap"][0]
        middle = 4 * (height // 2 * width + width // 2)
        red, green, blue, alpha = draw(Look.RUNNING, width).getpixel((width // 2, height // 2))  # type: ignore[misc]
        assert list(pixels[middle : middle + 4]) == [alpha, red, green, blue]
        assert panel.properties("/MenuBar", "com.canonical.dbusmenu")["Version"] == 3

        panel.click(panel.lines()["Stop"])
        assert chosen.get(timeout=60) == Request("POST", "stop")
        panel.menu("EventGroup", "a(isvu)", ([(panel.lines()["Blank"], "clicked", ("s", ""), 0)],))
        assert chosen.get(timeout=60) == Request("PATCH", "state", {"blank": True})

        notifier.show(view(state("stopped"), own=False))
        assert panel.wait_for_signal("LayoutUpdated") == (2, 0)
        panel.wait_for_signal("NewIcon")
        panel.wait_for_signal("NewToolTip")
        assert "Start" in panel.lines()
        assert panel.menu("AboutToShow", "i", (0,)) == (False,)


def test_a_panel_that_starts_again_gets_it_again(panel: Panel) -> None:
    panel.appear()
    with shown(queue.Queue()):
        name = panel.wait_for_icon()
        panel.disappear()
        panel.appear()
        assert panel.wait_for_icon() == name


@pytest.mark.parametrize(
    ("path", "interface"),
    [
        ("/StatusNotifierItem", "org.kde.StatusNotifierItem"),
        ("/MenuBar", "com.canonical.dbusmenu"),
    ],
)
def test_what_it_has_is_described_as_it_is(panel: Panel, path: str, interface: str) -> None:
    panel.appear()
    with shown(queue.Queue()):
        panel.wait_for_icon()
        (node,) = ElementTree.fromstring(panel.introspect(path))
        assert node.get("name") == interface
        names = {entry.get("name") for entry in node.iter("property")}
        assert names == set(panel.properties(path, interface))


def test_unknown_calls_are_answered_with_an_error(panel: Panel) -> None:
    panel.appear()
    with shown(queue.Queue()):
        panel.wait_for_icon()
        with pytest.raises(AssertionError, match=r"no com.canonical.dbusmenu.Dance"):
            panel.menu("Dance")
        assert panel.lines()


def test_a_desktop_without_a_tray_is_told_of(panel: Panel) -> None:
    with pytest.raises(UsageError, match="has no tray; on GNOME"):
        Notifier(lambda choice: None, view(None, own=False))


@pytest.mark.parametrize("address", [None, "unix:path=/nowhere/at/all", "tcp:host=a", "nonsense"])
def test_without_a_desktop_that_is_said(
    monkeypatch: pytest.MonkeyPatch, address: str | None
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    if address is not None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    with pytest.raises(UsageError, match="No desktop is found"):
        Notifier(lambda choice: None, view(None, own=False))


def test_the_end_of_the_desktop_s_session_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bus.session(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with bus.desktop_panel() as panel:
            panel.appear()
            notifier = Notifier(lambda choice: None, view(None, own=False))
    with pytest.raises(BokehError, match="session has ended"):
        notifier.run()
