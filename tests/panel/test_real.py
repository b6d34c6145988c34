"""The real program behind its panel: whatever comes in, one clear answer, and frames flow on."""

import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any

import pytest

pytest.importorskip("fastapi", reason="the extra [panel] is not installed")

import hypothesis
import schemathesis
from schemathesis.core.result import Ok

from realtime_bokeh.panel import place
from realtime_bokeh.panel.events import STREAMS
from tests.program import PROGRAM, started, wait_for

_FRAME = 64 * 48 * 3  # bytes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it has no such pipes")


class Program:
    """The program with the built-in scene, and a count of the frames that it gives.

    port: of its panel. process: that it is.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port
        self.frames = 0
        assert process.stdout is not None
        threading.Thread(target=self._count, args=(process.stdout,), daemon=True).start()

    def _count(self, output: IO[bytes]) -> None:
        while output.read(_FRAME):
            self.frames += 1

    def flows(self) -> None:
        """Wait for twenty more frames: some may have been under way."""
        before = self.frames
        wait_for(lambda: self.frames >= before + 20, self.process)

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        """The status and the JSON of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        own = {"Authorization": f"Bearer {place.token()}", "Content-Type": "application/json"}
        try:
            connection.request(method, f"/api/v1/{path}", body, own | headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    def state(self) -> dict[str, Any]:
        status, state = self.ask("GET", "state")
        assert status == 200
        return state


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    port = _free_port()
    line = [*PROGRAM, "--camera", "demo", "--output", "-", "--size", "64x48", "--panel", f"{port}"]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        program = Program(process, port)
        wait_for(lambda: program.frames > 0, process)
        yield program
        process.terminate()
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        assert b"Traceback" not in errors


def test_settings_take_effect_while_frames_flow(program: Program) -> None:
    changes = {"strength": 0.5, "model": "dmshn", "engine": "openvino", "inference_size": "64x48"}
    status, state = program.ask("PATCH", "state", json.dumps(changes))
    assert status == 200
    assert {key: state["settings"][key] for key in changes} == changes
    wait_for(lambda: program.state()["engine"].startswith("dmshn, openvino"), program.process)
    program.flows()
    status, answer = program.ask("PATCH", "state", json.dumps({"strength": 0, "camera": "none"}))
    assert (status, list(answer)) == (422, ["error"])
    assert program.state()["settings"]["strength"] == 0.5
    program.ask("PATCH", "state", json.dumps({"model": "lite", "inference_size": "auto"}))


def test_what_is_refused_does_not_stop_frames(program: Program) -> None:
    refused = [
        program.ask("GET", "state", Host="evil.example"),
        program.ask("GET", "state", Origin="http://evil.example"),
        program.ask("GET", "state", Authorization=""),
        program.ask("PATCH", "state", b" " * 100_000_000),
        program.ask("PATCH", "state", "{"),
    ]
    assert [status for status, _ in refused] == [421, 403, 401, 413, 400]
    assert all(list(answer) == ["error"] for _, answer in refused)
    program.flows()


def test_a_thousand_streams_at_once(program: Program) -> None:
    request = (
        f"GET /api/v1/events?token={place.token()} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{program.port}\r\n\r\n"
    )
    statuses: list[int] = []
    open_streams: list[socket.socket] = []
    try:
        for _ in range(4):  # each 250 at once: a process may have only so many files open
            streams = [
                socket.create_connection(("127.0.0.1", program.port), timeout=120)
                for _ in range(250)
            ]
            open_streams += streams
            for stream in streams:
                stream.sendall(request.encode())
            for stream in streams:
                statuses.append(int(stream.recv(12).split()[1]))
                if statuses[-1] == 503:
                    stream.close()
        assert sorted(statuses) == [200] * STREAMS + [503] * (1000 - STREAMS)
        program.flows()
    finally:
        for stream in open_streams:
            stream.close()
    # places are given back
    wait_for(lambda: _stream_opens(program, request), program.process)


def _stream_opens(program: Program, request: str) -> bool:
    with socket.create_connection(("127.0.0.1", program.port), timeout=120) as stream:
        stream.sendall(request.encode())
        text = b""
        while b"\n\n" not in text and b" 503 " not in text:
            text += stream.recv(65536)
    if b" 503 " in text:
        return False
    assert text.split(b"\r\n\r\n")[1].split(b"\r\n", 1)[1].startswith(b"event: state\ndata: {")
    return True


def test_a_run_is_stopped_and_started(program: Program) -> None:
    program.ask("PATCH", "state", json.dumps({"off": True}))
    assert program.ask("POST", "start")[0] == 409
    assert program.ask("POST", "stop")[0] == 202
    wait_for(lambda: program.state()["phase"] == "stopped", program.process)
    state = program.state()
    assert (state["measured"], state["trouble"], state["engine"]) == (None, "", "")
    assert not state["settings"]["off"]
    assert program.ask("GET", "view")[0] == 204
    assert program.ask("POST", "start")[0] == 202
    wait_for(lambda: program.state()["phase"] == "running", program.process)
    program.flows()


def test_no_request_of_the_description_makes_the_server_fail(program: Program) -> None:
    """Those that would end the run are left out, and the stream, which has no end."""
    here = f"http://127.0.0.1:{program.port}"
    token = {"Authorization": f"Bearer {place.token()}"}
    described = schemathesis.openapi.from_url(f"{here}/api/v1/openapi.json")
    asked = set()
    for found in described.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.path in ("/api/v1/events", "/api/v1/stop"):
            continue

        @hypothesis.settings(
            max_examples=10, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            answer = case.call(base_url=here, headers=token)
            assert answer.status_code < 500, (case.method, case.path, answer.text)
            if answer.status_code >= 400:
                assert list(answer.json()) == ["error"]
            asked.add((case.method, case.path, answer.status_code))

        ask()
    assert ("PATCH", "/api/v1/state", 200) in asked
    well = {"camera": "demo", "model": "lite", "blank": False, "frozen": False, "off": False}
    assert program.ask("PATCH", "state", json.dumps(well))[0] == 200
    program.flows()
