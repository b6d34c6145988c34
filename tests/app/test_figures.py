"""A run's figures in a file. The run itself never begins, but for what tests make of it."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime_bokeh.app import figures
from realtime_bokeh.app.figures import exported
from realtime_bokeh.files import write_atomically
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.live.openers import Choice
from realtime_bokeh.live.report import snapshot
from realtime_bokeh.live.run import LiveRun
from tests.fakes import CountingSource, UnchangedEngine
from tests.live.stage import OtherOpeners


@pytest.fixture
def run() -> LiveRun:
    """Closed, so that its figures stay as they are."""
    camera = WatchedCamera(lambda: CountingSource(None, live=True))
    camera.close()
    effect = LiveEffect(UnchangedEngine(), UnchangedEngine)
    return LiveRun(camera, effect, [], OtherOpeners(), Choice("lite"))


def _until(found: Callable[[], bool]) -> None:
    patience = threading.Event()
    while not found():
        patience.wait(0.001)


def _effect_ms(path: Path) -> float:
    return float(json.loads(path.read_text())["effect_p50_ms"])


def test_the_file_follows_the_run_and_has_its_end(
    run: LiveRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "_INTERVAL", 0.001)
    path = tmp_path / "run.json"
    with exported(run, path):
        _until(path.exists)
        assert _effect_ms(path) == 0
        run.metrics.record("effect", 0.02)
        _until(lambda: _effect_ms(path) == 20)
        monkeypatch.setattr(figures, "_INTERVAL", 3600)
        run.metrics.record("effect", 0.03)
    assert json.loads(path.read_text()) == snapshot(run)
    assert _effect_ms(path) == 30
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_that_fails_leaves_its_figures(run: LiveRun, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with pytest.raises(KeyboardInterrupt), exported(run, path):
        raise KeyboardInterrupt
    assert json.loads(path.read_text())["model"] == "lite"


def test_what_cannot_be_written_is_said_once_and_ends_nothing(
    run: LiveRun, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(figures, "_INTERVAL", 0.001)
    attempts: list[int] = []

    def write(path: Path, content: bytes) -> None:
        attempts.append(1)
        write_atomically(path, content)

    monkeypatch.setattr(figures, "write_atomically", write)
    with exported(run, tmp_path / "gone" / "run.json"):
        _until(lambda: len(attempts) > 3)
    told = capfd.readouterr().err
    assert told.count("run.json cannot be written (No such file or directory)") == 1
    assert told.count("the run goes on") == 1


def test_no_file_unless_one_is_asked_for(run: LiveRun, tmp_path: Path) -> None:
    before = threading.active_count()
    with exported(run, None):
        assert threading.active_count() == before
