"""The panel's API over a program: what is answered, and what is refused in one sentence."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the extra [panel] is not installed")

from fastapi.testclient import TestClient

from realtime_bokeh.errors import SinkError
from realtime_bokeh.panel import events
from realtime_bokeh.panel.api import application
from realtime_bokeh.panel.events import Events
from realtime_bokeh.panel.security import Guard
from tests.panel.programs import PORT, TOKEN, FakeProgram, pair

STATE = "/api/v1/state"


@pytest.fixture
def program() -> FakeProgram:
    return FakeProgram()


@pytest.fixture
def client(program: FakeProgram) -> Iterator[TestClient]:
    """A page of the panel's own, which has the token."""
    listeners = Events(program.state)
    program.on_change(listeners.changed)
    guarded = Guard(application(program, listeners), PORT, TOKEN)
    with TestClient(
        guarded,
        base_url=f"http://127.0.0.1:{PORT}",
        headers={"Authorization": f"Bearer {TOKEN}", "Origin": f"http://127.0.0.1:{PORT}"},
        raise_server_exceptions=False,
    ) as client:
        yield client


def _sentence(answer: Any, status: int) -> str:
    """The sentence of a refusal, of which there is nothing but that."""
    assert answer.status_code == status, answer.text
    said = answer.json()
    assert list(said) == ["error"]
    assert "\n" not in said["error"]
    return str(said["error"])


def test_the_state_is_given_and_changed(client: TestClient, program: FakeProgram) -> None:
    assert client.get(STATE).json() == program.state().model_dump()
    answer = client.patch(STATE, json={"strength": 0, "blank": True})
    assert answer.status_code == 200
    assert answer.json()["settings"] == {
        "camera": "demo", "model": "lite", "engine": "auto", "inference_size": "auto",
        "strength": 0.0, "smoothing": 0.5, "mirror": False, "off": False, "blank": True,
        "frozen": False,
    }  # fmt: skip
    assert client.patch(STATE, json={}).json() == answer.json()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"strength": 1.5}, "strength"),
        ({"strength": None}, "strength"),
        ({"strength": "0.5"}, "strength"),
        ({"strength": True}, "strength"),
        ({"sharpness": 1}, "sharpness"),
        ({"off": 1}, "off"),
        ({"engine": "magic"}, "engine"),
        ({"inference_size": "big"}, "inference_size"),
        ({"camera": ""}, "camera"),
        ({"camera": "x" * 2000}, "camera"),
        ([], "body"),
        ({"mirror": True, "model": "none"}, "no model"),
    ],
)
def test_a_wrong_setting_is_refused_and_changes_nothing(
    client: TestClient, program: FakeProgram, body: Any, where: str
) -> None:
    before = program.state()
    assert where in _sentence(client.patch(STATE, json=body), 422)
    assert program.state() == before


@pytest.mark.parametrize("text", ["{", "", "NaN", '{"strength": NaN}', "\x00", '{"a":' * 9999])
def test_malformed_json_is_refused(client: TestClient, text: str) -> None:
    answer = client.patch(STATE, content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    _sentence(answer, answer.status_code)


def test_a_run_is_started_once_and_stopped(client: TestClient) -> None:
    answer = client.post("/api/v1/start")
    assert (answer.status_code, answer.json()["phase"]) == (202, "running")
    assert "stop it first" in _sentence(client.post("/api/v1/start"), 409)
    answer = client.post("/api/v1/stop")
    assert (answer.status_code, answer.json()["phase"]) == (202, "stopped")
    assert client.post("/api/v1/stop").status_code == 202


def test_choices(client: TestClient) -> None:
    assert client.get("/api/v1/choices").json()["cameras"] == [
        {"name": "demo", "label": "Built-in scene"}
    ]


def test_a_profile_is_saved_loaded_and_removed(client: TestClient, program: FakeProgram) -> None:
    client.patch(STATE, json={"strength": 0.25})
    assert client.put("/api/v1/profiles/calls").status_code == 201
    assert client.put("/api/v1/profiles/calls").status_code == 200
    assert client.get("/api/v1/profiles").json() == {"profiles": [{"name": "calls"}]}
    client.patch(STATE, json={"strength": 0.75})
    assert client.post("/api/v1/profiles/calls/load").json()["settings"]["strength"] == 0.25
    answer = client.delete("/api/v1/profiles/calls")
    assert (answer.status_code, answer.content) == (204, b"")
    for answer in (client.delete("/api/v1/profiles/calls"), client.post("/api/v1/profiles/a/load")):
        assert "There is no profile" in _sentence(answer, 404)


@pytest.mark.parametrize("name", ["a.b", "x" * 41, "%2e%2e", "a%20b", "%00"])
def test_a_profile_has_no_path_in_its_name(
    client: TestClient, program: FakeProgram, name: str
) -> None:
    assert "name" in _sentence(client.put(f"/api/v1/profiles/{name}"), 422)
    assert not program.kept


def test_a_profile_that_cannot_be_written_is_a_failure(
    client: TestClient, program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(name: str) -> bool:
        raise SinkError(f"{name}.toml cannot be written (no space); nothing was kept")

    monkeypatch.setattr(program, "save_profile", save)
    assert "no space" in _sentence(client.put("/api/v1/profiles/calls"), 500)
    monkeypatch.setattr(program, "save_profile", lambda name: 1 / 0)
    assert "please report it" in _sentence(client.put("/api/v1/profiles/calls"), 500)


def test_the_view_is_a_jpeg_that_nobody_keeps(client: TestClient, program: FakeProgram) -> None:
    answer = client.get("/api/v1/view")
    assert (answer.status_code, answer.content) == (204, b"")
    program.shown = pair(40, 200)
    answer = client.get("/api/v1/view")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (576, 512, 3)


def test_the_page_and_its_files(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'self'; img-src 'self' blob:" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "not possible" in _sentence(client.get("/nothing.js"), 404)
    assert "not possible" in _sentence(client.get("/../api.py"), 404)
    answer = client.put(STATE)
    assert "not possible" in _sentence(answer, 405)


@pytest.mark.parametrize("path", ["/", STATE, "/api/v1/events", "/api/v1/view", "/api/v1/nothing"])
@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1], "t0k\u00e9n"])
def test_no_token_no_answer(client: TestClient, path: str, token: str | None) -> None:
    del client.headers["Authorization"]
    parameters = {} if token is None else {"token": token}
    answer = client.get(path, params=parameters)
    assert "realtime-bokeh panel --open" in _sentence(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_in_the_address_and_one_in_the_header(client: TestClient) -> None:
    assert client.get(STATE, headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 401
    del client.headers["Authorization"]
    assert client.get(STATE, params={"token": TOKEN}).status_code == 200
    for path in ("/api/v1/openapi.json", "/index.html"):
        assert client.get(path).status_code == 200  # no secret is in them


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", ""]
)
def test_another_host_is_refused(client: TestClient, host: str) -> None:
    assert f"127.0.0.1:{PORT} alone" in _sentence(client.get(STATE, headers={"Host": host}), 421)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", f"http://localhost:{PORT}", f"https://127.0.0.1:{PORT}"],
)
def test_another_origin_is_refused(client: TestClient, program: FakeProgram, origin: str) -> None:
    answer = client.patch(STATE, json={"off": True}, headers={"Origin": origin})
    assert "Other pages" in _sentence(answer, 403)
    assert not program.settings.off
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_localhost_is_the_same_page(client: TestClient) -> None:
    here = {"Host": f"localhost:{PORT}", "Origin": f"http://localhost:{PORT}"}
    assert client.get(STATE, headers=here).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused(client: TestClient, chunked: bool) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    content = pieces() if chunked else b" " * 100 * 1024
    assert "at most 64 KiB" in _sentence(client.patch(STATE, content=content), 413)


def test_a_body_of_64_kib_is_taken(client: TestClient) -> None:
    body = b'{"strength": 0.5}'.ljust(64 * 1024)
    headers = {"Content-Type": "application/json"}
    assert client.patch(STATE, content=body, headers=headers).status_code == 200


def test_the_description_names_every_error(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()
    change = described["paths"]["/api/v1/state"]["patch"]["responses"]
    assert set(change) == {"200", "400", "401", "403", "413", "421", "422"}
    schemas = {
        answer["content"]["application/json"]["schema"]["$ref"]
        for status, answer in change.items()
        if status != "200"
    }
    assert schemas == {"#/components/schemas/Error"}
    assert "ValidationError" not in described["components"]["schemas"]


def test_all_places_of_streams_are_given_back() -> None:
    listeners = Events(FakeProgram().state)
    taken = [listeners.take() for _ in range(events.STREAMS + 1)]
    assert taken == [True] * events.STREAMS + [False]
    listeners.give_back()
    assert listeners.take()
