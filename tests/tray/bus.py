"""A session bus of a test's own, and a desktop's panel on it that reads and clicks."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    Introspectable,
    Message,
    MessageType,
    Properties,
    message_bus,
    new_method_call,
    new_method_return,
)
from jeepney.io.blocking import DBusConnection, open_dbus_connection

AVAILABLE = shutil.which("dbus-daemon") is not None
_WATCHER = "org.kde.StatusNotifierWatcher"
_PATIENCE = 60  # seconds for an answer, only spent where the test fails


@contextmanager
def session(folder: Path) -> Iterator[str]:
    """A bus; gives its address."""
    address = f"unix:path={folder / 'bus'}"
    line = ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address={address}"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as daemon:
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline().startswith(address)  # it listens
            yield address
        finally:
            daemon.kill()


class Panel:
    """What a desktop's panel does with the icons in its tray."""

    def __init__(self, bus: DBusConnection) -> None:
        self._bus = bus
        self._icon = ""

    def appear(self) -> None:
        self._ask(message_bus.RequestName(_WATCHER))

    def disappear(self) -> None:
        self._ask(message_bus.ReleaseName(_WATCHER))

    def wait_for_icon(self) -> str:
        """The name with which an icon is registered."""
        while True:
            message = self._bus.receive(timeout=_PATIENCE)
            if _member(message) == "RegisterStatusNotifierItem":
                self._bus.send(new_method_return(message))
                self._icon = message.body[0]
                rule = f"type='signal',sender='{self._icon}'"
                self._ask(message_bus.AddMatch(rule))
                return self._icon

    def wait_for_signal(self, name: str) -> Any:
        while True:
            message = self._bus.receive(timeout=_PATIENCE)
            if message.header.message_type is MessageType.signal and _member(message) == name:
                return message.body

    def properties(self, path: str, interface: str) -> dict[str, Any]:
        answer = self._ask(Properties(DBusAddress(path, self._icon, interface)).get_all())
        return {name: value for name, (_, value) in answer[0].items()}

    def introspect(self, path: str) -> str:
        (text,) = self._ask(Introspectable(path, self._icon).Introspect())
        assert isinstance(text, str)
        return text

    def menu(self, method: str, signature: str | None = None, body: tuple[Any, ...] = ()) -> Any:
        menu = DBusAddress("/MenuBar", self._icon, "com.canonical.dbusmenu")
        return self._ask(new_method_call(menu, method, signature, body))

    def lines(self) -> dict[str, int]:
        """The labels of the menu's first level and their numbers."""
        _, (_, _, lines) = self.menu("GetLayout", "iias", (0, 1, []))
        return {line[1]["label"][1]: line[0] for _, line in lines if "label" in line[1]}

    def click(self, number: int) -> None:
        self.menu("Event", "isvu", (number, "clicked", ("s", ""), 0))

    def _ask(self, call: Message) -> Any:
        answer = self._bus.send_and_get_reply(call, timeout=_PATIENCE)
        assert answer.header.message_type is MessageType.method_return, answer.body
        return answer.body


@contextmanager
def desktop_panel() -> Iterator[Panel]:
    with closing(open_dbus_connection("SESSION")) as bus:
        yield Panel(bus)


def _member(message: Message) -> Any:
    return message.header.fields.get(HeaderFields.member)
