"""A live run in figures, for whoever follows it."""

from typing import TypedDict

from realtime_bokeh.live.run import LiveRun


class Snapshot(TypedDict):
    """What a run measures at present; all of it can be written as JSON.

    fps_in, fps_out: frames a second from the camera and to the outputs, over the latest 60 frames;
        0 when none came for three seconds.
    latency_p50_ms, latency_p99_ms: milliseconds from a frame's capture to its delivery: the median
        and the 99th percentile over the latest 600 frames; 0 before there was one.
    effect_p50_ms, effect_p99_ms: likewise, for which a frame occupied the effect's thread.
    dropped: frames that a newer one replaced, since the first was delivered.
    camera_losses: how often the camera was lost; attempts to open it again do not count.
    effect_failures: frames that could not be rendered.
    trouble: what is wrong at present, in words; empty when all is well.
    model: that was asked for.
    lesser: what it renders with instead for the moment, to hold the frame rate; empty: it does not.
    engine: the model and what runs it, as a user is shown them.
    camera_size, output_size: of the camera's latest frame and of the outputs, WIDTHxHEIGHT.
    """

    fps_in: float
    fps_out: float
    latency_p50_ms: float
    latency_p99_ms: float
    effect_p50_ms: float
    effect_p99_ms: float
    dropped: int
    camera_losses: int
    effect_failures: int
    trouble: str
    model: str
    lesser: str
    engine: str
    camera_size: str
    output_size: str


def snapshot(run: LiveRun) -> Snapshot:
    """A run's figures at present; from any thread."""
    metrics, camera, effect = run.metrics, run.camera, run.effect
    latency, rendering = metrics.latency("latency"), metrics.latency("effect")
    return {
        "fps_in": round(metrics.fps("capture"), 1),
        "fps_out": round(metrics.fps("emit"), 1),
        "latency_p50_ms": _milliseconds(latency.p50),
        "latency_p99_ms": _milliseconds(latency.p99),
        "effect_p50_ms": _milliseconds(rendering.p50),
        "effect_p99_ms": _milliseconds(rendering.p99),
        "dropped": run.dropped,
        "camera_losses": camera.losses,
        "effect_failures": effect.failed,
        "trouble": run.trouble,
        "model": run.choice.model,
        "lesser": str(run.lesser or ""),
        "engine": effect.engine.reason,
        "camera_size": str(camera.given),
        "output_size": str(camera.size),
    }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1e3, 1)
