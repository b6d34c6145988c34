"""What the icon in the tray shows and offers for a state of the panel, as plain data."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, TypeAlias

_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of strength
_WIDTH = 100  # characters of a title; Windows takes 127


class Look(Enum):
    """How the icon looks."""

    STOPPED = "stopped"
    RUNNING = "running"
    BLANKED = "blanked"
    ROOM = "your room is shown"
    TROUBLE = "trouble"


class Deed(Enum):
    """What the tray does itself."""

    SERVE = "start a panel"
    OPEN = "open its page"
    QUIT = "end"


@dataclass(frozen=True)
class Request:
    """What is sent to the panel, as for `panel.client.ask`."""

    method: str
    path: str
    body: dict[str, Any] | None = None


Choice: TypeAlias = Deed | Request


class Mark(Enum):
    """What stands before an item: nothing, a switch, or one of several of which one holds."""

    NONE = "none"
    CHECK = "check"
    RADIO = "radio"


@dataclass(frozen=True)
class Item:
    """A line of the menu.

    Args:
        choice: what it does; None: it cannot be chosen, unless it has items of its own.
        on: whether its mark is set.
    """

    label: str
    choice: Choice | None = None
    mark: Mark = Mark.NONE
    on: bool = False
    items: "tuple[Item, ...]" = ()


LINE = Item("")
"""Parts what stands above it from what stands below."""


@dataclass(frozen=True)
class View:
    """All that the tray shows."""

    look: Look
    title: str
    items: tuple[Item, ...]


class Desktop(Protocol):
    """A desktop's tray. It calls back, on any thread, with each choice of the user."""

    def run(self) -> None:
        """Show the icon until `close`; on the main thread.

        Raises:
            BokehError: when the desktop takes it away for good.
        """
        ...

    def show(self, view: View) -> None:
        """Show something else, from any thread."""
        ...

    def close(self) -> None:
        """End `run`, from any thread."""
        ...


def view(state: Mapping[str, Any] | None, own: bool, refused: str = "") -> View:
    """What is shown and offered.

    Args:
        state: the panel's, as its API gives it; None: no panel answers.
        own: whether the tray has started the panel, which ends with it then.
        refused: why the latest choice was not done; empty if it was.
    """
    if state is None:
        look = Look.TROUBLE if refused else Look.STOPPED
        said = refused or ("The control page is starting" if own else "No control page runs")
        start = Item("Start the control page", None if own else Deed.SERVE)
        return _view(look, said, (start, LINE, Item("Quit", Deed.QUIT)))
    phase, settings = state["phase"], state["settings"]
    trouble = refused or state["trouble"]
    look = Look.TROUBLE if trouble else _look(phase, settings)
    said = trouble or (look.value if look in (Look.BLANKED, Look.ROOM) else phase)
    items = (
        _start_or_stop(phase),
        Item("Blank", _set("blank", not settings["blank"]), Mark.CHECK, settings["blank"]),
        _room(settings["off"]),
        _strength(settings["strength"]),
        LINE,
        Item("Open the control page", Deed.OPEN),
        LINE,
        Item(_quit_label(phase, own), Deed.QUIT),
    )
    return _view(look, said[:1].upper() + said[1:], items)


def _view(look: Look, said: str, items: tuple[Item, ...]) -> View:
    """The sentence is in the menu too, because some desktops never show a title."""
    short = textwrap.shorten(said, _WIDTH, placeholder=" ...")
    return View(look, f"Realtime Bokeh: {short}", (Item(short), LINE, *items))


def _look(phase: str, settings: Mapping[str, Any]) -> Look:
    if phase == "stopped":
        return Look.STOPPED
    if settings["blank"]:
        return Look.BLANKED
    return Look.ROOM if settings["off"] else Look.RUNNING


def _start_or_stop(phase: str) -> Item:
    if phase == "stopped":
        return Item("Start", Request("POST", "start"))
    return Item("Stop", None if phase == "stopping" else Request("POST", "stop"))


def _room(shown: bool) -> Item:
    """One click hides the room; to show it takes two, so that none does it by mistake."""
    if shown:
        return Item("Blur again", _set("off", False))
    return Item("Show my room", items=(Item("Without any blur", _set("off", True)),))


def _strength(strength: float) -> Item:
    steps = tuple(
        Item(f"{step:.0%}", _set("strength", step), Mark.RADIO, abs(strength - step) < 0.005)
        for step in _STEPS
    )
    return Item(f"Strength: {strength:.0%}", items=steps)


def _quit_label(phase: str, own: bool) -> str:
    if phase == "stopped":
        return "Quit"
    return "Stop and quit" if own else "Close this icon; the run goes on"


def _set(key: str, value: object) -> Request:
    return Request("PATCH", "state", {key: value})
