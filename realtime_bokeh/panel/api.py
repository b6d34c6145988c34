"""The panel's web application: the API over a program, and the page's files."""

import mimetypes
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.security import APIKeyQuery, HTTPBearer
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from realtime_bokeh import __version__
from realtime_bokeh.errors import BokehError, SinkError
from realtime_bokeh.panel.events import STREAMS, Events
from realtime_bokeh.panel.models import (
    Choices,
    Error,
    Profile,
    ProfileName,
    Profiles,
    Settings,
    State,
)
from realtime_bokeh.panel.program import Busy, Missing, Program
from realtime_bokeh.panel.view import View

_STATIC = Path(__file__).with_name("static")
_UNKEPT = {"cache-control": "no-store"}

# the guard asks for the token; this says so in the OpenAPI document
_TOKEN = [
    Depends(HTTPBearer(auto_error=False)),
    Depends(APIKeyQuery(name="token", auto_error=False)),
]


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors of a path, besides those that `security.Guard` gives for every one."""
    return {status: {"model": Error} for status in (401, 403, 413, 421, *statuses)}


class _Stream(StreamingResponse):
    """A stream of events, whose place is given back when it has ended, however that was."""

    def __init__(self, events: Events) -> None:
        super().__init__(events.stream(), media_type="text/event-stream", headers=_UNKEPT)
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._events.give_back()


def application(program: Program, events: Events) -> FastAPI:
    """The application, unguarded: `security.Guard` has to stand before it."""
    app = FastAPI(
        title="Realtime Bokeh", version=__version__, openapi_url="/api/v1/openapi.json",
        docs_url=None, redoc_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.include_router(_run_routes(program, events, View(program.pair)))
    app.include_router(_profile_routes(program))
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _wrong)
    app.add_exception_handler(BokehError, _failed)
    app.add_exception_handler(Exception, _broken)
    mimetypes.add_type("text/javascript", ".js")  # Windows may have been told something else

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(_STATIC / "index.html", headers=_UNKEPT)

    app.mount("/", StaticFiles(directory=_STATIC))
    return app


def _run_routes(program: Program, events: Events, view: View) -> APIRouter:
    routes = APIRouter(prefix="/api/v1", dependencies=_TOKEN)

    @routes.get("/state", responses=_errors())
    def state() -> State:
        return program.state()

    @routes.patch("/state", responses=_errors(400, 422))
    def change(settings: Settings) -> State:
        program.change(settings.model_dump(exclude_unset=True))
        return program.state()

    @routes.post("/start", status_code=202, responses=_errors(409))
    def start() -> State:
        program.start()
        return program.state()

    @routes.post("/stop", status_code=202, responses=_errors())
    def stop() -> State:
        program.stop()
        return program.state()

    @routes.get("/choices", responses=_errors())
    def choices() -> Choices:
        return program.choices()

    @routes.get(
        "/events", response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}, **_errors(503)},
    )  # fmt: skip
    async def follow() -> Response:
        """Events named "state", each with the state as JSON."""
        if not events.take():
            sentence = f"{STREAMS} pages follow the state already; close one of them"
            return JSONResponse({"error": sentence}, 503, {"connection": "close", **_UNKEPT})
        return _Stream(events)

    @routes.get(
        "/view", response_class=Response,
        responses={
            200: {"content": {"image/jpeg": {}}}, 204: {"description": "No picture yet"},
            **_errors(),
        },
    )  # fmt: skip
    async def look() -> Response:  # on the loop: a thread would take longer than the picture
        """The camera's newest picture above its rendering."""
        picture = view.jpeg()
        if picture is None:
            return Response(status_code=204, headers=_UNKEPT)
        return Response(picture, headers=_UNKEPT, media_type="image/jpeg")

    return routes


def _profile_routes(program: Program) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/profiles", dependencies=_TOKEN)

    @routes.get("", responses=_errors())
    def profiles() -> Profiles:
        return Profiles(profiles=[Profile(name=name) for name in program.profiles()])

    @routes.put("/{name}", responses={201: {"model": Profile}, **_errors(422, 500)})
    def save(name: ProfileName, response: Response) -> Profile:
        """Save the present settings."""
        if program.save_profile(name):
            response.status_code = 201
        return Profile(name=name)

    @routes.post("/{name}/load", responses=_errors(404, 422))
    def load(name: ProfileName) -> State:
        program.load_profile(name)
        return program.state()

    @routes.delete("/{name}", status_code=204, responses=_errors(404, 422, 500))
    def remove(name: ProfileName) -> None:
        program.remove_profile(name)

    return routes


def _answer(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status, _UNKEPT)


def _refused(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses: a path or a method that there is not."""
    assert isinstance(error, HTTPException)
    sentence = f"{request.method} {request.url.path} is not possible ({error.detail})"
    answer = _answer(error.status_code, f"{sentence}; see /api/v1/openapi.json")
    answer.headers.update(error.headers or {})  # Allow
    return answer


def _wrong(request: Request, error: Exception) -> JSONResponse:
    """A body or a name that is not as the models say."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _answer(400, 'The body is not JSON; send an object such as {"strength": 0.6}')
    where = ".".join(str(part) for part in first["loc"][1:]) or "The body"
    reason = first["msg"][:1].lower() + first["msg"][1:]
    return _answer(422, f"{where} cannot be taken: {reason}; see /api/v1/openapi.json")


def _failed(request: Request, error: Exception) -> JSONResponse:
    """What the program refuses."""
    statuses = {Busy: 409, Missing: 404, SinkError: 500}
    status = next((s for kind, s in statuses.items() if isinstance(error, kind)), 422)
    return _answer(status, str(error))


def _broken(request: Request, error: Exception) -> JSONResponse:
    """What should not happen; its traceback is in the terminal."""
    return _answer(500, f"internal error, please report it: {error!r}")
