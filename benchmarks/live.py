"""What a live run holds beside other programs, and what its controls cost.

    python benchmarks/live.py [--model dmshn] [--seconds 8]

Runs on the built-in scene at 640x480 and 30 frames a second. Prints JSON:

- alone, busy: frames a second, and what the network runs with, alone and beside two programs that
  take all the processor they get.
- back: seconds until the full quality is back after these have ended, null if it does not come, and
  the rate then.
- strength: moved from 0 to 1 in 20 steps of a tenth of a second: frames, those that were dropped,
  and milliseconds from capture to delivery, of the median frame and of the latest.
- blank: the share of a core that a blank run takes, in percent, once no engine is being opened.

SECONDS is how long each is measured; it settles for as long before.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median

from realtime_bokeh import Engine, open_engine
from realtime_bokeh.frame import Frame, Sink, Source
from realtime_bokeh.live.adapt import Quality, ladder
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.effect import PREPARER, LiveEffect
from realtime_bokeh.live.openers import Choice
from realtime_bokeh.live.run import LiveRun
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.demo import Demo
from realtime_bokeh.weights import find, models

_SIZE, _FPS = Size(480, 640), 30.0
_HOGS = 2
_STEPS = 20
_PATIENCE = 8  # times SECONDS, for the full quality to come back


class _Openers:
    """Opens engines; there is one camera."""

    def camera(self, name: str) -> Callable[[], Source]:
        return partial(Demo, _SIZE, _FPS)

    def engine(self, name: str, quality: Quality) -> Callable[[], Engine]:
        return partial(open_engine, quality.model, name, inference=quality.size)

    def qualities(self, choice: Choice) -> Sequence[Quality]:
        return ladder(find(choice.model), models(), choice.size, _SIZE)


class _Ages(Sink):
    """Notes how old frames are when they are delivered, in seconds."""

    def __init__(self) -> None:
        self.ages: list[float] = []

    def describe(self) -> str:
        return "ages"

    def write(self, frame: Frame) -> None:
        self.ages.append(time.monotonic() - frame.captured_at)

    def close(self, complete: bool) -> None:
        pass


class _Measurement:
    """Measures a run from another thread than its own; then it stops it."""

    def __init__(self, run: LiveRun, sink: _Ages, seconds: float) -> None:
        self._run, self._sink, self._seconds = run, sink, seconds
        self.result: dict[str, object] = {}

    def __call__(self) -> None:
        try:
            while not self._sink.ages:
                time.sleep(0.05)
            self.result["alone"] = self._rate()
            with ExitStack() as hogs:
                for _ in range(_HOGS):
                    hog = subprocess.Popen([sys.executable, "-c", "while True: pass"])
                    hogs.callback(hog.kill)
                self.result["busy"] = self._rate()
            self.result["back"] = self._back()
            self.result["strength"] = self._strength()
            self.result["blank"] = self._blank()
        finally:
            self._run.stop()

    def _fps(self) -> float:
        before = len(self._sink.ages)
        time.sleep(self._seconds)
        return round((len(self._sink.ages) - before) / self._seconds, 1)

    def _rate(self) -> dict[str, object]:
        time.sleep(self._seconds)
        fps = self._fps()
        return {"fps": fps, "with": str(self._run.lesser or self._run.choice.model)}

    def _back(self) -> dict[str, object]:
        begin, patience = time.monotonic(), _PATIENCE * self._seconds
        while self._run.lesser and time.monotonic() - begin < patience:
            time.sleep(0.05)
        seconds = None if self._run.lesser else round(time.monotonic() - begin, 1)
        return {"after_s": seconds, "fps": self._fps()}

    def _strength(self) -> dict[str, object]:
        before, dropped = len(self._sink.ages), self._run.dropped
        for step in range(_STEPS + 1):
            self._run.set(strength=step / _STEPS)
            time.sleep(0.1)
        ages = self._sink.ages[before:] or [float("nan")]
        return {
            "frames": len(ages), "dropped": self._run.dropped - dropped,
            "median_ms": round(median(ages) * 1e3, 1), "latest_ms": round(max(ages) * 1e3, 1),
        }  # fmt: skip

    def _blank(self) -> dict[str, object]:
        self._run.set(blank=True)
        time.sleep(self._seconds)
        while any(thread.name == PREPARER for thread in threading.enumerate()):
            time.sleep(0.05)
        worked = time.process_time()
        time.sleep(self._seconds)
        return {"percent": round((time.process_time() - worked) / self._seconds * 100, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="dmshn")
    parser.add_argument("--seconds", type=float, default=8.0)
    args = parser.parse_args()
    openers, sink = _Openers(), _Ages()
    opener = partial(open_engine, args.model)
    effect = LiveEffect(opener(), opener)
    engine = effect.engine.reason
    camera = WatchedCamera(openers.camera("demo"))
    run = LiveRun(camera, effect, [sink], openers, Choice(args.model), fps=_FPS)
    measurement = _Measurement(run, sink, args.seconds)
    thread = threading.Thread(target=measurement)
    thread.start()
    run.run()
    thread.join()
    effect.close()
    for other in threading.enumerate():
        if other.name == PREPARER:
            other.join()  # the interpreter's end would crash under a compiler
    print(json.dumps({"engine": engine, **measurement.result}, indent=2))


if __name__ == "__main__":
    main()
