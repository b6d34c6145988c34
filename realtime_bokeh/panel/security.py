"""Who may speak to the panel: this computer's pages of this port, with the token.

Other pages in the same browser can send requests to 127.0.0.1 too. They do not know the token,
their `Origin` tells them apart, and a name of theirs that leads to 127.0.0.1 is not in `_HOSTS`.
"""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

BODY = 64 * 1024  # bytes of a request's body at most

_HOSTS = ("127.0.0.1", "localhost")
_API = "/api/"
_OPEN = "/api/v1/openapi.json"  # needs no token
_PATIENCE = 10.0  # seconds for a body to come
_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob:; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # an address may have the token in it
    "cross-origin-resource-policy": "same-origin",
}
_WITH_BODY = {"content-length", "transfer-encoding"}  # a request without these has none
_REMEDY = "open the panel by: realtime-bokeh panel --open"

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """ASGI middleware that refuses what is not for the panel, in one sentence.

    Args:
        port: that the server listens on.
        token: that requests of the API and for the page have to bring.
    """

    def __init__(self, app: Application, port: int, token: str) -> None:
        self._app, self._token = app, token
        self._hosts = [f"{host}:{port}" for host in _HOSTS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            else:  # there are no WebSockets here
                await send({"type": "websocket.close", "code": 1008})
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        if refusal := self._refusal(scope, headers):
            await _refuse(send, *refusal)
            return
        if not headers.keys() & _WITH_BODY:
            await self._app(scope, receive, _with_headers(send))
            return
        body = await _read(receive)
        if body is None:
            sentence = f"The body is too large; a request has at most {BODY // 1024} KiB"
            await _refuse(send, 413, sentence, close=True)
        else:
            await self._app(scope, _again(body, receive), _with_headers(send))

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if host not in self._hosts:
            return 421, f"This is the panel of {self._hosts[0]} alone; {_REMEDY}"
        if headers.get("origin", f"http://{host}") != f"http://{host}":
            return 403, f"Other pages may not speak to the panel; {_REMEDY}"
        path = scope["path"]
        if path != "/" and (not path.startswith(_API) or path == _OPEN):
            return None
        if not self._knows_token(scope, headers):
            return 401, f"The token is missing or wrong; {_REMEDY}"
        return None

    def _knows_token(self, scope: Scope, headers: dict[str, str]) -> bool:
        kind, _, said = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            query = parse_qs(scope["query_string"].decode("latin-1"))
            said = query.get("token", [""])[0]
        return hmac.compare_digest(said.strip().encode(), self._token.encode())


async def _read(receive: Receive) -> bytes | None:
    """A request's body; None if it is too large, after its end or some seconds: who is still
    sending would not read an answer."""
    body, size = bytearray(), 0

    async def rest() -> None:
        nonlocal size
        more = True
        while more:
            message = await receive()
            piece = message.get("body", b"")
            size += len(piece)
            if size <= BODY:
                body.extend(piece)
            more = message.get("more_body", False)

    try:
        await asyncio.wait_for(rest(), _PATIENCE)
    except asyncio.TimeoutError:
        return None
    return bytes(body) if size <= BODY else None


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read, and then what else comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_encoded(_HEADERS)]
        await send(message)

    return sent


async def _refuse(send: Send, status: int, sentence: str, close: bool = False) -> None:
    body = json.dumps({"error": sentence}).encode()
    headers = {
        **_HEADERS, "content-type": "application/json", "content-length": str(len(body)),
        "cache-control": "no-store",
    }  # fmt: skip
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if close:
        headers["connection"] = "close"
    start = {"type": "http.response.start", "status": status, "headers": _encoded(headers)}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
