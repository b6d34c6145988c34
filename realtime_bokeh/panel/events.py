"""Server-sent events: the state at once, at every change, and regularly."""

import asyncio
from collections.abc import AsyncIterator, Callable

from realtime_bokeh.panel.models import State

STREAMS = 16  # at once

_FIGURES = 0.5  # seconds between states while a run goes on
_SIGN_OF_LIFE = 15.0  # seconds of silence after which a comment is sent


class Events:
    """Sends states to whoever listens; on the server's loop, but for `changed`."""

    def __init__(self, state: Callable[[], State]) -> None:
        self._state = state
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: set[asyncio.Event] = set()
        self._taken = 0
        self._ended = False

    def changed(self) -> None:
        """Send the state anew; from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    def end(self) -> None:
        """End every stream soon; from any thread."""
        self._ended = True
        self.changed()

    def _wake(self) -> None:
        for listener in self._listeners:
            listener.set()

    def take(self) -> bool:
        """Take a place for a stream, which ends with `give_back`; False when all are taken."""
        if self._taken == STREAMS:
            return False
        self._taken += 1
        return True

    def give_back(self) -> None:
        """Give a stream's place to another."""
        self._taken -= 1

    async def stream(self) -> AsyncIterator[str]:
        """The text of a stream, for as long as it is read."""
        self._loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        self._listeners.add(changed)
        try:
            while not self._ended:
                changed.clear()  # first: what changes while the state is put together counts
                state = await asyncio.to_thread(self._state)
                yield f"event: state\ndata: {state.model_dump_json()}\n\n"
                while not await _set(changed, _FIGURES if state.running else _SIGN_OF_LIFE):
                    if state.running:
                        break
                    yield ": still here\n\n"
        finally:
            self._listeners.discard(changed)


async def _set(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event is set within some seconds."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True
