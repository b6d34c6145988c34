"""The icon in the desktop's tray."""

import queue
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from realtime_bokeh.app.panel import open_page
from realtime_bokeh.errors import UsageError
from realtime_bokeh.extras import install_hint

if TYPE_CHECKING:
    from realtime_bokeh.tray.menu import Choice, Desktop, View


@click.command()
def tray() -> None:
    """Put an icon into the desktop's tray.

    Its menu tells the run that has a panel. Where no panel runs, it starts realtime-bokeh panel,
    and ends it with itself.
    """
    from realtime_bokeh.tray.menu import Deed, view
    from realtime_bokeh.tray.own import OwnPanel
    from realtime_bokeh.tray.watch import Watch

    chosen: queue.Queue[Choice] = queue.Queue()
    desktop = _open_desktop(chosen.put, view(None, own=False))
    with OwnPanel() as panel:
        watch = Watch(desktop, chosen, panel, open_page)
        thread = threading.Thread(target=watch.run, name="tray")
        thread.start()
        try:
            desktop.run()
        except KeyboardInterrupt:
            pass  # the usual way to end it from a terminal
        finally:
            chosen.put(Deed.QUIT)
            thread.join()
    if watch.failure is not None:
        raise watch.failure


def _open_desktop(chosen: "Callable[[Choice], None]", first: "View") -> "Desktop":
    """The tray of this computer's desktop.

    Raises:
        UsageError: when the extra is not installed, or there is no tray.
    """
    try:
        if sys.platform == "linux":
            from realtime_bokeh.tray.notifier import Notifier

            return Notifier(chosen, first)
        from realtime_bokeh.tray.native import Native

        return Native(chosen, first)
    except ImportError as error:
        raise UsageError(
            f"The tray needs {error.name}, which is not installed; {install_hint('tray')}"
        ) from error
