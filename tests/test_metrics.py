import threading
import time

import pytest

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
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    found = Metrics()
    assert found.fps("emit") == 0.0
    for step in [1.0] * 60 + [0.05] * 60:
        now[0] += step
        found.record("emit", 0.0)
    assert found.fps("emit") == pytest.approx(20)
    now[0] += 10
    assert found.fps("emit") == 0.0  # long ago


def test_a_slow_stage_has_a_rate_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    found = Metrics()
    for _ in range(3):
        now[0] += 10
        found.record("emit", 0.0)
    assert found.fps("emit") == pytest.approx(0.1)
    now[0] += 29
    assert found.fps("emit") == pytest.approx(0.1)
    now[0] += 2
    assert found.fps("emit") == 0.0


@pytest.mark.parametrize(
    ("slowness", "behind"), [(1, False), (1.9, False), (2.1, True), (300, True)]
)
def test_a_stage_falls_behind_another(
    monkeypatch: pytest.MonkeyPatch, slowness: float, behind: bool
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    found = Metrics()
    for index in range(180):
        now[0] = 100 + index / 30
        found.record("capture", 0.0)
        if found.count("emit") * slowness <= index:
            found.record("emit", 0.0)
        if index < 140:  # it is too early to tell
            assert not found.falls_behind("emit", "capture")
    assert found.falls_behind("emit", "capture") == behind
