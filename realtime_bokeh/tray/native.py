"""The tray of macOS and Windows, through pystray."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import pystray

from realtime_bokeh.tray.icon import draw
from realtime_bokeh.tray.menu import LINE, Choice, Item, Mark, View

_SIZE = 64  # pixels, which both scale


class Native:
    """The icon; `menu.Desktop`.

    Args:
        chosen: called with each choice of the user, on the thread of `run`.
    """

    def __init__(self, chosen: Callable[[Choice], None], first: View) -> None:
        self._chosen, self._view = chosen, first
        self._icon = pystray.Icon(
            "realtime-bokeh", draw(first.look, _SIZE), first.title, self.menu(first.items)
        )

    def run(self) -> None:
        self._icon.run()

    def show(self, view: View) -> None:
        before, self._view = self._view, view
        if view != before:
            _where_windows_are(lambda: self._change(view, before))

    def close(self) -> None:
        _where_windows_are(self._icon.stop)

    def _change(self, view: View, before: View) -> None:
        if view.look is not before.look:
            self._icon.icon = draw(view.look, _SIZE)
        self._icon.title = view.title
        if view.items != before.items:
            self._icon.menu = self.menu(view.items)

    def menu(self, items: Iterable[Item]) -> Any:
        """A menu of pystray's with these items."""
        return pystray.Menu(*map(self._line, items))

    def _line(self, item: Item) -> Any:
        if item == LINE:
            return pystray.Menu.SEPARATOR
        choice = item.choice

        def click() -> None:
            if choice is not None:
                self._chosen(choice)

        return pystray.MenuItem(
            item.label,
            self.menu(item.items) if item.items else click,
            checked=None if item.mark is Mark.NONE else lambda _: item.on,
            radio=item.mark is Mark.RADIO,
            enabled=choice is not None or bool(item.items),
        )


def _where_windows_are(call: Callable[[], None]) -> None:
    """Call it soon on the main thread on macOS, where no other may touch what is seen."""
    if sys.platform == "darwin":
        from PyObjCTools.AppHelper import callAfter

        callAfter(call)
    else:
        call()
