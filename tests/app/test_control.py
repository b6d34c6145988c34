"""The commands that speak to a running panel, over a server with a fake program behind it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra [panel] is not installed")

from realtime_bokeh.panel import models, place
from realtime_bokeh.panel.server import serving
from tests.panel.programs import FakeProgram
from tests.program import Command

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere no variable moves the folder of state"
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProgram]:
    """One whose panel runs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    program = FakeProgram()
    with serving(program, 0):
        yield program
    assert not (place.folder() / "panel.json").exists()


@pytest.mark.parametrize(
    ("line", "changes", "said"),
    [
        ("set strength 0.6", {"strength": 0.6}, "strength 0.6"),
        ("set smoothing 1", {"smoothing": 1.0}, "smoothing 1"),
        ("set mirror on", {"mirror": True}, "mirror on"),
        ("set inference-size 160x90", {"inference_size": "160x90"}, "inference_size 160x90"),
        ("blank on", {"blank": True}, "blank on"),
        ("freeze on", {"frozen": True}, "frozen on"),
        ("off on", {"off": True}, "off on\nThe blur is off: everybody sees your room"),
        ("camera 1", {"camera": "1"}, "camera 1"),
        ("model dmshn", {"model": "dmshn"}, "model dmshn"),
        ("camera rtsp://me:pw@cam/1", {"camera": "rtsp://me:pw@cam/1"}, "camera rtsp://me:***@cam"),
    ],
)
def test_settings_are_changed(
    program: FakeProgram, command: Command, line: str, changes: dict[str, object], said: str
) -> None:
    outcome = command("control", *line.split())
    assert outcome.status == 0, outcome.lines
    assert outcome.out.startswith(said)
    assert program.settings == models.Settings().model_copy(update=changes)


@pytest.mark.parametrize(
    ("name", "key"), [("blank", "blank"), ("freeze", "frozen"), ("off", "off")]
)
def test_a_key_of_the_desktop_toggles(
    program: FakeProgram, command: Command, name: str, key: str
) -> None:
    for expected in ("on", "off"):
        outcome = command("control", name, "toggle")
        assert outcome.status == 0, outcome.lines
        assert outcome.out.startswith(f"{key} {expected}\n")
        assert getattr(program.settings, key) is (expected == "on")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("set strength 2", "strength cannot be taken"),
        ("set strength much", "strength 'much' is not a number; give 0 to 1"),
        ("set mirror maybe", "mirror 'maybe' is unknown; give on or off"),
        ("set sharpness 1", "There is no setting 'sharpness'; choose camera, model"),
        ("model none", "There is no model 'none'; choose lite"),
    ],
)
def test_what_is_wrong_is_said(
    program: FakeProgram, command: Command, line: str, sentence: str
) -> None:
    outcome = command("control", *line.split())
    assert outcome.status == 2
    assert outcome.lines == [outcome.lines[0]]
    assert outcome.lines[0].startswith(f"realtime-bokeh: {sentence}")
    assert program.settings == models.Settings()


def test_a_run_is_started_and_stopped(program: FakeProgram, command: Command) -> None:
    assert command("control", "status").status == 1
    assert command("control", "start").out == "running\n"
    outcome = command("control", "status")
    assert outcome.status == 0
    assert outcome.out.splitlines()[0].split() == ["run", "running"]
    assert "strength        1\n" in outcome.out
    assert command("control", "start").status == 2
    assert command("control", "stop").out == "stopped\n"


@pytest.mark.parametrize("noted", [None, '{"port": 1, "pid": 99999999}', "no JSON", "[]", "{}"])
def test_without_a_panel_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, noted: str | None
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if noted is not None:
        place.folder().mkdir(parents=True)
        (place.folder() / "panel.json").write_text(noted)
    outcome = command("control", "blank", "on")
    assert outcome.status == 2
    assert outcome.lines[0].startswith("realtime-bokeh: No panel runs; start one:")


def test_a_panel_that_does_not_answer_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place.enter(1)  # where nobody listens
    outcome = command("control", "start")
    assert outcome.status == 1
    assert "The panel on port 1 does not answer" in outcome.lines[0]


def test_the_token_is_made_once_for_the_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    token = place.token()
    assert place.token() == token
    assert len(token) >= 32
    place.enter(1)
    assert [path.stat().st_mode & 0o777 for path in place.folder().iterdir()] == [0o600] * 2


def test_a_port_that_is_taken_is_said(program: FakeProgram, command: Command) -> None:
    port = place.running().port
    outcome = command("panel", "--port", port)
    assert outcome.status == 2
    assert f"Port {port} is taken" in outcome.lines[0]
    assert "--port" in outcome.lines[0]
    assert place.running().port == port


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    for name in ("realtime_bokeh.panel.server", "uvicorn"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    outcome = command("--camera", "demo", "--output", "none", "--panel")
    assert outcome.status == 2
    assert "[panel]" in outcome.lines[0]


def test_open_leads_to_the_panel_that_runs(
    program: FakeProgram, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert command("panel", "--open").status == 0
    port = place.running().port
    assert opened == [f"http://127.0.0.1:{port}/?token={place.token()}"]
