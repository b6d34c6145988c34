import threading

import pytest

from realtime_bokeh import metrics
from realtime_bokeh.metrics import Metrics, Percentiles, percentiles


def test_percentiles_take_the_nearest_rank() -> None:
    assert percentiles([]) == Percentiles(0.0, 0.0)
    assert percentiles([3.0]) == Percentiles(3.0, 3.0)
    assert percentiles([float(i) for i in range(200, -1, -1)]) == Percentiles(100.0, 198.0)


def test_stages_are_counted_apart_from_all_threads() -> None:
    found = Metrics()

    def record(stage: str) -> None:
        for _ in range(500):
            found.record(stage, 0.5)

    stages = ["capture", "emit"] * 2
    bodies = [threading.Thread(target=record, args=(stage,)) for stage in stages]
    for body in bodies:
        body.start()
    for body in bodies:
        body.join()
    assert found.count("capture") == found.count("emit") == 1000
    assert found.count("nothing") == 0
    assert found.latency("emit") == Percentiles(0.5, 0.5)
    assert found.latency("nothing") == Percentiles(0.0, 0.0)


def test_the_frame_rate_is_that_of_the_latest_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(metrics.time, "monotonic", lambda: now[0])
    found = Metrics()
    assert found.fps("emit") == 0.0
    for step in [1.0] * 60 + [0.05] * 60:
        now[0] += step
        found.record("emit", 0.0)
    assert found.fps("emit") == pytest.approx(20)
    now[0] += 10
    assert found.fps("emit") == 0.0  # long ago
