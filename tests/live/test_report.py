"""The figures of a run that never began, with what it measures put in."""

import json

import pytest

from realtime_bokeh.errors import EngineError, SourceError
from realtime_bokeh.live import camera
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.live.openers import Choice
from realtime_bokeh.live.report import snapshot
from realtime_bokeh.live.run import LiveRun
from tests.live.stage import MarkedCamera, MarkingEngine, OtherOpeners


@pytest.fixture
def run() -> LiveRun:
    device, engine = MarkedCamera(), MarkingEngine()
    engine.reason = "lite, unchanged"
    return LiveRun(
        WatchedCamera(lambda: device), LiveEffect(engine, MarkingEngine), [], OtherOpeners(),
        Choice("lite"),
    )  # fmt: skip


def test_a_run_that_begins_has_noughts(run: LiveRun) -> None:
    figures = snapshot(run)
    run.camera.close()
    assert {name for name, value in figures.items() if value == 0} == {
        "fps_in", "fps_out", "latency_p50_ms", "latency_p99_ms", "effect_p50_ms", "effect_p99_ms",
        "dropped", "camera_losses", "effect_failures",
    }  # fmt: skip
    assert figures["model"] == "lite"
    assert figures["engine"] == "lite, unchanged"
    assert figures["camera_size"] == figures["output_size"] == "64x48"
    assert (figures["trouble"], figures["lesser"]) == ("", "")
    assert json.loads(json.dumps(figures)) == figures


def test_times_are_in_milliseconds(run: LiveRun) -> None:
    for _ in range(98):
        run.metrics.record("latency", 0.0401)
        run.metrics.record("effect", 0.02)
    for _ in range(2):
        run.metrics.record("latency", 0.5)
        run.metrics.record("effect", 0.25)
    figures = snapshot(run)
    run.camera.close()
    assert (figures["latency_p50_ms"], figures["latency_p99_ms"]) == (40.1, 500.0)
    assert (figures["effect_p50_ms"], figures["effect_p99_ms"]) == (20.0, 250.0)


def test_failures_are_counted(run: LiveRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_PAUSES", (0.0,))
    device, engine = MarkedCamera(), run.effect.engine
    assert isinstance(engine, MarkingEngine)
    device.error = SourceError("Camera 0 gives no frames")
    attempts: list[int] = []

    def opener() -> MarkedCamera:
        attempts.append(1)
        if len(attempts) == 3:
            device.error = None
        return device

    run.camera.use(opener)
    frame = run.camera.read()
    assert frame is not None
    engine.error = EngineError("OpenVINO failed")
    run.effect.begin(frame.image, run.state.controls)()
    figures = snapshot(run)
    run.camera.close()
    assert len(attempts) == 3
    assert figures["camera_losses"] == 1  # however many attempts it took
    assert figures["effect_failures"] == 1
    assert figures["trouble"] == "OpenVINO failed"
