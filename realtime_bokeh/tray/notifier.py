"""The tray of Linux desktops: a StatusNotifierItem on the session's bus, under X11 and Wayland."""

import contextlib
import os
import threading
from collections.abc import Callable
from typing import Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    MatchRule,
    Message,
    MessageFlag,
    MessageType,
    message_bus,
    new_error,
    new_method_call,
    new_method_return,
    new_signal,
)
from jeepney.io.blocking import open_dbus_connection
from PIL import Image

from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.tray.dbusmenu import NODE, Properties, Tree
from realtime_bokeh.tray.described import (
    ITEM_METHODS,
    ITEM_SIGNALS,
    MENU_METHODS,
    MENU_SIGNALS,
    described,
)
from realtime_bokeh.tray.icon import draw
from realtime_bokeh.tray.menu import Choice, Look, View

_ITEM = DBusAddress("/StatusNotifierItem", interface="org.kde.StatusNotifierItem")
_MENU = DBusAddress("/MenuBar", interface="com.canonical.dbusmenu")
_WATCHER = "org.kde.StatusNotifierWatcher"  # also the name that GNOME's extension and others take
_SIZES = (22, 32, 48, 64)  # pixels
_PATIENCE = 10.0  # seconds for the bus to answer
_INTROSPECTION = ("org.freedesktop.DBus.Introspectable", "Introspect")
_UNKNOWN = "org.freedesktop.DBus.Error.UnknownMethod"


class Notifier:
    """The icon, on the bus from the beginning; `menu.Desktop`.

    Args:
        chosen: called with each choice of the user, on the thread of `run`.

    Raises:
        UsageError: when there is no desktop, or it has no tray.
    """

    def __init__(self, chosen: Callable[[Choice], None], first: View) -> None:
        self._chosen, self._view = chosen, first
        self._tree = Tree()
        self._tree.set(first.items)
        self._closed = False
        self._lock = threading.Lock()  # of the view, the tree and what is sent
        self._name = f"org.kde.StatusNotifierItem-{os.getpid()}-1"
        try:
            self._bus = open_dbus_connection("SESSION")
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise UsageError(
                "No desktop is found here (the session has no D-Bus); start the tray in your "
                "desktop, or use realtime-bokeh control"
            ) from error
        if self._ask(message_bus.NameHasOwner(_WATCHER)) != (1,):
            self._bus.close()
            raise UsageError(
                "This desktop has no tray; on GNOME switch on the extension AppIndicator and "
                "KStatusNotifierItem Support, or use realtime-bokeh panel --open"
            )
        self._ask(message_bus.RequestName(self._name))
        self._ask(message_bus.AddMatch(_new_watcher()))

    def run(self) -> None:
        try:
            with contextlib.closing(self._bus):
                self._register()
                while not self._closed:
                    self._take(self._bus.receive())
        except OSError as error:
            raise BokehError("The desktop's session has ended, and its tray with it") from error

    def show(self, view: View) -> None:
        with self._lock, contextlib.suppress(OSError):  # of which `run` tells
            before, self._view = self._view, view
            if view.items != before.items:
                self._tree.set(view.items)
                body = (self._tree.revision, 0)
                self._bus.send(new_signal(_MENU, "LayoutUpdated", "ui", body))
            if view.look is not before.look:
                self._bus.send(new_signal(_ITEM, "NewIcon"))
            if view.title != before.title:
                self._bus.send(new_signal(_ITEM, "NewTitle"))
                self._bus.send(new_signal(_ITEM, "NewToolTip"))

    def close(self) -> None:
        self._closed = True
        with self._lock, contextlib.suppress(OSError):
            self._bus.send(message_bus.GetId())  # its answer wakes `run`

    def _ask(self, call: Message) -> tuple[Any, ...]:
        """The bus's own answer, before `run`."""
        body: tuple[Any, ...] = self._bus.send_and_get_reply(call, timeout=_PATIENCE).body
        return body

    def _register(self) -> None:
        # its answer is not awaited: it may ask for the icon before
        watcher = DBusAddress("/StatusNotifierWatcher", _WATCHER, _WATCHER)
        call = new_method_call(watcher, "RegisterStatusNotifierItem", "s", (self._name,))
        with self._lock:
            self._bus.send(call)

    def _take(self, message: Message) -> None:
        if message.header.message_type is MessageType.method_call:
            self._reply(message)
        elif message.header.fields.get(HeaderFields.member) == "NameOwnerChanged":
            self._register()  # the desktop's own panel was started again, or has ended

    def _reply(self, call: Message) -> None:
        fields = call.header.fields
        interface, member = fields.get(HeaderFields.interface), fields[HeaderFields.member]
        of_menu = fields[HeaderFields.path] == _MENU.object_path
        with self._lock:
            try:
                answer = (self._of_menu if of_menu else self._of_item)(interface, member, call.body)
                reply = new_method_return(call, *answer)
            except LookupError:
                reply = new_error(call, _UNKNOWN, "s", (f"There is no {interface}.{member} here",))
            if not call.header.flags & MessageFlag.no_reply_expected:
                self._bus.send(reply)
        if of_menu and member in ("Event", "EventGroup"):
            for number, kind, *_ in call.body[0] if member == "EventGroup" else [call.body]:
                choice = self._tree.choice(number)
                if kind == "clicked" and choice is not None:
                    self._chosen(choice)

    def _of_item(self, interface: str, member: str, body: tuple[Any, ...]) -> tuple[Any, ...]:
        """The signature and values of the answer to a call; nothing for a call without one.

        Raises:
            LookupError: when there is no such method or property.
        """
        if interface == _ITEM.interface:
            if member in ITEM_METHODS:
                return ()  # clicks: the menu opens by itself
            raise LookupError
        item = _item(self._view)
        if (interface, member) == _INTROSPECTION:
            return "s", (described(_ITEM.interface, item, ITEM_METHODS, ITEM_SIGNALS),)
        return _of_properties(item, member, body)

    def _of_menu(self, interface: str, member: str, body: tuple[Any, ...]) -> tuple[Any, ...]:
        """Likewise.

        Raises:
            LookupError: likewise.
        """
        if (interface, member) == _INTROSPECTION:
            own = described(_MENU.interface, _MENU_PROPERTIES, MENU_METHODS, MENU_SIGNALS)
            return "s", (own,)
        if interface != _MENU.interface:
            return _of_properties(_MENU_PROPERTIES, member, body)
        tree = self._tree
        match member:
            case "GetLayout":
                return f"u{NODE}", (tree.revision, tree.node(*body[:2]))
            case "GetGroupProperties":
                return "a(ia{sv})", (tree.groups(body[0]),)
            case "GetProperty":
                return "v", (tree.properties(body[0])[body[1]],)
            case "Event":
                return ()
            case "EventGroup":
                return "ai", ([],)
            case "AboutToShow":
                return "b", (False,)
            case "AboutToShowGroup":
                return "aiai", ([], [])
        raise LookupError


_MENU_PROPERTIES: Properties = {
    "Version": ("u", 3), "TextDirection": ("s", "ltr"), "Status": ("s", "normal"),
    "IconThemePath": ("as", []),
}  # fmt: skip


def _item(view: View) -> Properties:
    pixmaps = [_pixmap(view.look, size) for size in _SIZES]
    return {
        "Category": ("s", "ApplicationStatus"),
        "Id": ("s", "realtime-bokeh"),
        "Title": ("s", view.title),
        "Status": ("s", "Active"),
        "WindowId": ("i", 0),
        "IconName": ("s", ""),
        "IconPixmap": ("a(iiay)", pixmaps),
        "OverlayIconName": ("s", ""),
        "OverlayIconPixmap": ("a(iiay)", []),
        "AttentionIconName": ("s", ""),
        "AttentionIconPixmap": ("a(iiay)", []),
        "IconThemePath": ("s", ""),
        "ToolTip": ("(sa(iiay)ss)", ("", [], view.title, "")),
        "ItemIsMenu": ("b", True),
        "Menu": ("o", _MENU.object_path),
    }


def _pixmap(look: Look, size: int) -> tuple[int, int, bytes]:
    """Width, height and pixels: ARGB, 32 bit each, the highest byte first."""
    red, green, blue, alpha = draw(look, size).split()
    return size, size, Image.merge("RGBA", (alpha, red, green, blue)).tobytes()


def _of_properties(properties: Properties, member: str, body: tuple[Any, ...]) -> tuple[Any, ...]:
    if member == "GetAll":
        return "a{sv}", (properties,)
    if member == "Get":
        return "v", (properties[body[1]],)
    raise LookupError


def _new_watcher() -> MatchRule:
    rule = MatchRule(
        type="signal", sender="org.freedesktop.DBus", interface="org.freedesktop.DBus",
        member="NameOwnerChanged",
    )  # fmt: skip
    rule.add_arg_condition(0, _WATCHER)
    return rule
