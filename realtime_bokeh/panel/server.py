"""The panel's server, on a thread of its own, for this computer alone."""

import asyncio
import errno
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.files import reason
from realtime_bokeh.panel import place
from realtime_bokeh.panel.api import application
from realtime_bokeh.panel.events import Events
from realtime_bokeh.panel.program import Program
from realtime_bokeh.panel.security import Guard

_GRACE = 1  # seconds for requests under way when it ends
_END = 5.0  # seconds for its thread to end


class _Server(uvicorn.Server):
    """uvicorn's, which sleeps until something comes: as it is, it looks about ten times a second.

    ended: to be set once it shall end.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ended = threading.Event()

    async def main_loop(self) -> None:
        await asyncio.to_thread(self.ended.wait)


@contextmanager
def serving(program: Program, port: int) -> Iterator[str]:
    """Serve a program's panel; gives the page's address, token included.

    Args:
        port: 0: any that is free.

    Raises:
        UsageError: when the port is taken.
        BokehError: when the token or the port cannot be noted.
    """
    token = place.token()
    listener = _listen(port)
    port = listener.getsockname()[1]
    events = Events(program.state)
    program.on_change(events.changed)
    server = _Server(
        uvicorn.Config(
            Guard(application(program, events), port, token), http="h11", ws="none",
            lifespan="off", log_config=None, access_log=False, server_header=False,
            date_header=False, proxy_headers=False, timeout_graceful_shutdown=_GRACE,
        )
    )  # fmt: skip
    thread = threading.Thread(target=server.run, args=([listener],), name="panel", daemon=True)
    try:
        place.enter(port)
        thread.start()
        yield place.address(port)
    finally:
        place.leave()
        events.end()
        server.ended.set()
        if thread.ident is not None:
            thread.join(_END)
        listener.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # where it would let two programs have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((place.HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"Port {port} is taken, maybe by another panel; give another to --port or --panel"
            ) from error
        raise BokehError(f"Port {port} cannot be used ({reason(error)}); choose another") from error
    return listener
