import threading
import time

import pytest

from realtime_bokeh.sources.pace import Pace


class Stopped(threading.Event):
    """Of a clock that only waiting moves. waits: all of them, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self.now += max(0.0, timeout)
        return False


@pytest.mark.parametrize(
    ("moments", "spent", "waits"),
    [
        ([7, 7.5, 8.5], 0.25, [0, 0.25, 0.75]),  # what happens between is part of it
        ([0, 0.5, 1], 0.75, [0, -0.25, -0.5]),  # a little late: it catches up
        ([0, 0.5, 1], 5.0, [0, 0, 0]),  # very late: it goes on from there
        ([0, 3, 3.5], 0.0, [0, 0, 0.5]),  # a leap forward
        ([9, 0, 0.5], 0.0, [0, 0, 0.5]),  # and back
    ],
)
def test_moments_come_as_they_did(
    moments: list[float], spent: float, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = Stopped()
    monkeypatch.setattr(time, "monotonic", lambda: stopped.now)
    pace = Pace(stopped, longest=2.0)
    for moment in moments:
        pace.wait(moment)
        stopped.now += spent
    assert stopped.waits == pytest.approx(waits)
