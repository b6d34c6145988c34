"""What a run measures: latencies by stage, frame rates, drops."""

import threading
import time
from collections import deque
from dataclasses import dataclass

_LATENCIES = 600  # of the latest frames
_MOMENTS = 60
_SETTLED = 5.0  # seconds for which a stage is slow before it counts as that


@dataclass(frozen=True)
class Percentiles:
    """How long a stage takes: the median and the 99th percentile over frames, in seconds."""

    p50: float
    p99: float


def percentiles(values: list[float]) -> Percentiles:
    """The median and the 99th percentile by the nearest rank; zeros when there is nothing."""
    if not values:
        return Percentiles(0.0, 0.0)
    ordered = sorted(values)
    return Percentiles(
        ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    )


class Metrics:
    """Latencies and counts of a run's stages, collected from several threads.

    Stages are named by whoever records them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[str, deque[float]] = {}
        self._moments: dict[str, deque[float]] = {}
        self._first: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def record(self, stage: str, seconds: float) -> None:
        """A stage took so long for a frame that it has just finished."""
        with self._lock:
            now = time.monotonic()
            self._seconds.setdefault(stage, deque(maxlen=_LATENCIES)).append(seconds)
            self._moments.setdefault(stage, deque(maxlen=_MOMENTS)).append(now)
            self._first.setdefault(stage, now)
            self._counts[stage] = self._counts.get(stage, 0) + 1

    def count(self, stage: str) -> int:
        """How many frames passed a stage."""
        with self._lock:
            return self._counts.get(stage, 0)

    def latency(self, stage: str) -> Percentiles:
        """How long a stage took for a frame, over the latest 600; zeros when there was none."""
        with self._lock:
            return percentiles(list(self._seconds.get(stage, ())))

    def fps(self, stage: str) -> float:
        """Frames a second through a stage, over the latest 60; 0 when that was long ago."""
        with self._lock:
            moments = self._moments.get(stage)
            if not moments or len(moments) < 2:
                return 0.0
            interval = max(moments[-1] - moments[0], 1e-9) / (len(moments) - 1)
            silence = time.monotonic() - moments[-1]
            return 0.0 if silence > max(3.0, 3 * interval) else 1 / interval

    def falls_behind(self, stage: str, other: str) -> bool:
        """Whether a stage has run for some seconds, now at less than half of another's rate."""
        with self._lock:
            first = self._first.get(stage)
        if first is None or time.monotonic() - first < _SETTLED:
            return False
        return self.fps(stage) < self.fps(other) / 2
