"""The control page, alone or beside a run."""

import contextlib
import webbrowser
from dataclasses import replace
from pathlib import Path

import click

from realtime_bokeh.app.display import console
from realtime_bokeh.app.process import give_way, keep_one_heap
from realtime_bokeh.app.profile import find_default, find_profile, profile_option
from realtime_bokeh.app.settings import Settings, environment, load_settings
from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.extras import install_hint
from realtime_bokeh.panel import PORT


@click.command()
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", default=PORT,
              show_default=True, help="Port on this computer")  # fmt: skip
@profile_option
def panel(opens: bool, port: int, profile: str | None) -> None:
    """Serve the control page.

    A run begins at once if the profile names a camera; else the page starts one. q or Ctrl-C ends
    the panel. Where a panel runs already, --open opens its page.
    """
    if opens and open_page():
        return
    path: Path | None = find_profile(profile) if profile else find_default()
    settings = load_settings(path, {}, environment())
    run_with_panel(settings, port, begins=settings.camera is not None, opens=opens)


def run_with_panel(settings: Settings, port: int, begins: bool, opens: bool = False) -> None:
    """Serve the control page until the user ends the program, and run as it says.

    Args:
        begins: whether a run begins at once.
        opens: whether the page is opened in the browser.

    Raises:
        UsageError: when the extra is not installed, or the port is taken.
    """
    try:
        from realtime_bokeh.panel.server import serving
    except ImportError as error:
        raise UsageError(
            f"The panel needs {error.name}, which is not installed; {install_hint('panel')}"
        ) from error
    from realtime_bokeh.app.session import Session

    keep_one_heap()  # before the server's threads
    if settings.low_priority:
        give_way()  # once, not at every run
    session = Session(replace(settings, low_priority=False))
    with serving(session, port) as address:
        # the address opens the panel to whoever reads it, and logs are kept
        shown = address if console.is_terminal else "realtime-bokeh panel --open shows it"
        console.print(f"panel: {shown}")
        if opens:
            webbrowser.open(address)
        if begins:
            session.start()
        session.serve()


def open_page() -> bool:
    """Open the page of the panel that runs already in the browser; whether one does."""
    from realtime_bokeh.panel import client, place

    with contextlib.suppress(BokehError):
        client.ask("GET", "state")
        webbrowser.open(place.address(place.running().port))
        return True
    return False
