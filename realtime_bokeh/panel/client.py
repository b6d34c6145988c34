"""Speaks to the panel that runs, over its API."""

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.panel import place

_PATIENCE = 30.0  # seconds for an answer


def ask(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer of the running panel to a request.

    Args:
        path: behind /api/v1/.

    Raises:
        UsageError: when no panel runs, or it refuses, with its sentence.
        BokehError: when it fails.
    """
    running = place.running()
    request = Request(
        f"http://{place.HOST}:{running.port}/api/v1/{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {place.token()}", "Content-Type": "application/json"},
    )  # fmt: skip
    opener = build_opener(ProxyHandler({}))  # a proxy has nothing to do with this computer
    try:
        with opener.open(request, timeout=_PATIENCE) as answer:
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
            return found
    except HTTPError as error:
        kind = UsageError if error.code < 500 else BokehError
        raise kind(_sentence(error)) from error
    except (URLError, OSError, ValueError) as error:
        raise BokehError(
            f"The panel on port {running.port} does not answer ({error}); start it again"
        ) from error


def _sentence(error: HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (ValueError, KeyError, OSError):
        return f"The panel answers with status {error.code}; see its terminal"
