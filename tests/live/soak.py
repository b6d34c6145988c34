"""A live run of the whole program that is told something every few seconds; for test_soak.py.

    python -m tests.live.soak CLIP SECONDS

The clip takes the camera's place, again and again. In every round the strength moves, the picture
is blank until the camera is released, and another model comes and goes. Each round ends with a line
of JSON on standard output; there are at least ROUNDS of them.
"""

import ctypes
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from statistics import median
from unittest.mock import patch

import psutil

from realtime_bokeh.app import live
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.frame import Stopped
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.live.openers import Choice
from realtime_bokeh.live.run import LiveRun

MODEL, OTHER = "lite", "dmshn"
ROUNDS = 7
_SAMPLES, _PAUSE = 8, 0.25  # of the memory, and seconds between them


@dataclass(frozen=True)
class Round:
    """What a round ended with, when the usual model was back.

    resident, allocated: bytes of memory, medians of some samples, after the C library has given the
        system what is not allocated, as far as it can. allocated: 0 where it does not tell.
    threads: how many of each name. native: how many with those of libraries, at least: a clip that
        begins again has some for a moment. files: descriptors, or Windows' handles, at least.
    latency, p99: seconds from capture to delivery, the median and the 99th percentile, over the
        latest frames. effect, effect_p99: the same of the time in the effect.
    frames, dropped: since the start.
    """

    resident: float
    allocated: float
    threads: dict[str, int]
    native: int
    files: int
    latency: float
    p99: float
    effect: float
    effect_p99: float
    frames: int
    dropped: int


class _Directed(LiveRun):
    """Acts while it runs: `_acts` says what next is waited for."""

    seconds = 0.0

    def __init__(self, camera: WatchedCamera, effect: LiveEffect, *others: object) -> None:
        super().__init__(camera, effect, *others)  # type: ignore[arg-type]  # as they came
        self._seen_camera, self._seen_effect = camera, effect
        self._process = psutil.Process()

    def run(self, tick: Callable[[], None] = lambda: None) -> None:
        acts = self._acts(time.monotonic() + self.seconds)
        waits = next(acts)

        def act() -> None:
            nonlocal waits
            tick()
            while waits():
                waits = next(acts)

        super().run(act)

    def _acts(self, end: float) -> Iterator[Callable[[], bool]]:
        yield lambda: self.metrics.count("emit") > 0
        rounds = 0
        while time.monotonic() < end or rounds < ROUNDS:
            rounds += 1
            for step in range(5):
                self.set(strength=step / 4)
                yield _after(0.2)
            self.set(blank=True)
            yield lambda: not self._seen_camera.open
            self.set(blank=False)
            yield self._flows()
            for name in (OTHER, MODEL):
                self.use_effect(Choice(name))
                yield self._renders_with(name)
                yield self._flows()
            samples = []
            for _ in range(_SAMPLES):
                yield _after(_PAUSE)
                samples.append(self._sample())
            result = self._round(samples)
            print(json.dumps(asdict(result)), flush=True)
        raise Stopped

    def _flows(self) -> Callable[[], bool]:
        """Whether pictures have come since now."""
        wanted = self.metrics.count("emit") + 10
        return lambda: self.metrics.count("emit") >= wanted

    def _renders_with(self, name: str) -> Callable[[], bool]:
        return lambda: self._seen_effect.engine.reason.startswith(name)

    def _sample(self) -> tuple[int, int, int, int]:
        """Resident and allocated bytes, threads and files of the process."""
        process = self._process
        files = process.num_handles() if sys.platform == "win32" else process.num_fds()
        _trim()
        return process.memory_info().rss, _allocated(), process.num_threads(), files

    def _round(self, samples: Sequence[tuple[int, int, int, int]]) -> Round:
        resident, allocated, native, files = zip(*samples, strict=True)
        latency, effect = (self.metrics.latency(stage) for stage in ("latency", "effect"))
        return Round(
            median(resident), median(allocated),
            dict(Counter(thread.name for thread in threading.enumerate())),
            min(native), min(files), latency.p50, latency.p99, effect.p50, effect.p99,
            self.metrics.count("emit"), self.dropped,
        )  # fmt: skip


class _Malloc(ctypes.Structure):
    """What glibc's mallinfo2 tells."""

    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost",
    )]  # fmt: skip


def _trim() -> None:
    """Have glibc give the system what it keeps of freed memory for later: up to 20 MB, more or less
    of it after every exchange."""
    with suppress(AttributeError, TypeError):  # another C library, or Windows
        ctypes.CDLL(None).malloc_trim(0)


def _allocated() -> int:
    """Bytes that the program holds by malloc; 0 where the C library does not tell."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except (AttributeError, TypeError):
        return 0
    ask.restype = _Malloc
    told = ask()
    return int(told.uordblks + told.hblkhd)


def _after(seconds: float) -> Callable[[], bool]:
    due = time.monotonic() + seconds
    return lambda: time.monotonic() >= due


if __name__ == "__main__":
    _Directed.seconds = float(sys.argv[2])
    # which engine is open shall not depend on how busy the computer is
    settings = Settings(camera=sys.argv[1], output="none", model=MODEL, adapt=False)
    with patch.object(live, "LiveRun", _Directed):
        live.run_live(settings)
