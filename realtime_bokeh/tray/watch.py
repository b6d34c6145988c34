"""What goes on beside the desktop's loop: the panel is asked, and told what was chosen."""

import contextlib
import queue
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from realtime_bokeh.errors import BokehError
from realtime_bokeh.panel import client
from realtime_bokeh.tray.menu import Choice, Deed, Desktop, Request, view

_EVERY = 1.0  # seconds between looks at the panel


class Panel(Protocol):
    """As `own.OwnPanel`."""

    def start(self) -> None: ...

    @property
    def running(self) -> bool: ...

    @property
    def failure(self) -> str: ...


class Watch:
    """Shows the panel's state in the tray, and does what is chosen there, until Quit is.

    Args:
        open_page: opens the page of the panel that runs.

    failure: why it ended without that.
    """

    def __init__(
        self, desktop: Desktop, chosen: "queue.Queue[Choice]", panel: Panel,
        open_page: Callable[[], object], ask: Callable[..., dict[str, Any]] = client.ask,
    ) -> None:  # fmt: skip
        self.failure: Exception | None = None
        self._desktop, self._chosen, self._panel = desktop, chosen, panel
        self._open_page, self._ask = open_page, ask
        self._refused = ""

    def run(self) -> None:
        """On a thread beside the desktop's `run`, which it ends at last."""
        try:
            if self._state() is None:
                self._panel.start()
            self._goes_on()
        except Exception as error:
            self.failure = error
        finally:
            self._desktop.close()

    def _goes_on(self) -> None:
        while True:
            state = self._state()
            said = self._refused or (self._panel.failure if state is None else "")
            self._desktop.show(view(state, self._panel.running, said))
            with contextlib.suppress(queue.Empty):
                choice = self._chosen.get(timeout=_EVERY)
                if choice is Deed.QUIT:
                    return
                self._do(choice)

    def _state(self) -> Mapping[str, Any] | None:
        try:
            return self._ask("GET", "state")
        except BokehError:
            return None

    def _do(self, choice: Choice) -> None:
        self._refused = ""
        try:
            if isinstance(choice, Request):
                self._ask(choice.method, choice.path, choice.body)
            elif choice is Deed.SERVE:
                self._panel.start()
            else:
                self._open_page()
        except BokehError as error:
            self._refused = str(error)
