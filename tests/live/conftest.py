"""The stage of tests of live runs."""

import threading
from collections.abc import Iterator

import pytest

from realtime_bokeh.live import camera, run
from realtime_bokeh.live.effect import PREPARER
from tests.live.stage import Stage


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs wait less for what is lost."""
    monkeypatch.setattr(camera, "_PAUSES", (0.001,))
    monkeypatch.setattr(camera, "_LINGER", 0.0)
    monkeypatch.setattr(camera, "_SILENCE", 0.3)
    monkeypatch.setattr(camera, "_CLOSING", 60)
    monkeypatch.setattr(run, "_SILENCE", 0.3)


@pytest.fixture(params=[{}])
def stage(request: pytest.FixtureRequest, impatient: None) -> Iterator[Stage]:
    """One that shows renderings; its parameter is a `Stage`'s."""
    stage = Stage(**request.param)
    stage.thread.start()
    stage.sees("rendered")
    yield stage
    stage.end()
    assert stage.screen.closed == [True]
    stage.effect.close()
    for thread in threading.enumerate():
        if thread.name in (camera.READER, PREPARER):
            thread.join(60)
