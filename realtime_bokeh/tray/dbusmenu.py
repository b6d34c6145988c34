"""The menu as Linux desktops read it over D-Bus: com.canonical.dbusmenu, without the bus."""

from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

from realtime_bokeh.tray.menu import LINE, Choice, Item, Mark

Variant: TypeAlias = tuple[str, Any]
Properties: TypeAlias = dict[str, Variant]
Node: TypeAlias = tuple[int, Properties, list[Variant]]
"""A line: its number, its properties, and the lines under it."""

NODE = "(ia{sv}av)"
"""A node's signature."""

_TOGGLES = {Mark.CHECK: "checkmark", Mark.RADIO: "radio"}


class Tree:
    """Lines with numbers, 0 for the whole menu.

    A number means the same choice for ever: a click on a menu that has changed meanwhile, while it
    was open, does what the user saw, or nothing.
    """

    def __init__(self) -> None:
        self.revision = 0
        self._numbers: dict[tuple[int, str], int] = {}
        self._choices: dict[int, Choice | None] = {}
        self._lines: dict[int, Item] = {0: Item("")}
        self._under: dict[int, list[int]] = {0: []}

    def set(self, items: Sequence[Item]) -> None:
        self._lines, self._under = {0: Item("")}, {}
        self._enter(0, items)
        self.revision += 1

    def _enter(self, parent: int, items: Sequence[Item]) -> None:
        self._under[parent] = numbers = []
        for place, item in enumerate(items):
            name = f"{place}" if item.choice is None else repr(item.choice)
            number = self._numbers.setdefault((parent, name), len(self._numbers) + 1)
            self._choices[number] = item.choice
            self._lines[number] = item
            numbers.append(number)
            self._enter(number, item.items)

    def choice(self, number: int) -> Choice | None:
        """What a click on a line does; None: nothing."""
        return self._choices.get(number)

    def node(self, number: int, depth: int = -1) -> Node:
        """A line with those under it.

        Args:
            depth: how many levels of them; -1: all.

        Raises:
            KeyError: when the menu has no such line.
        """
        under = self._under[number] if depth else []
        lines: list[Variant] = [(NODE, self.node(line, depth - 1)) for line in under]
        return number, self.properties(number), lines

    def groups(self, numbers: Collection[int]) -> list[tuple[int, Properties]]:
        """Lines with their properties; all lines if no numbers are given."""
        return [(line, self.properties(line)) for line in self._lines
                if not numbers or line in numbers]  # fmt: skip

    def properties(self, number: int) -> Properties:
        """A line's properties, as far as they are not the usual ones.

        Raises:
            KeyError: when the menu has no such line.
        """
        item = self._lines[number]
        if number == 0:
            return {"children-display": ("s", "submenu")}
        if item == LINE:
            return {"type": ("s", "separator")}
        found: Properties = {
            "label": ("s", item.label.replace("_", "__")),  # one alone marks a key
            "enabled": ("b", item.choice is not None or bool(item.items)),
        }
        if item.items:
            found["children-display"] = ("s", "submenu")
        if item.mark in _TOGGLES:
            found["toggle-type"] = ("s", _TOGGLES[item.mark])
            found["toggle-state"] = ("i", int(item.on))
        return found
