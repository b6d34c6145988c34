"""How fast the whole way is here: frames in memory through the engine, without a camera."""

import itertools
import sys
import time
from dataclasses import dataclass

from realtime_bokeh.engines import Controls, Engine
from realtime_bokeh.engines.base import Finish
from realtime_bokeh.frame import Frame, Image, Source
from realtime_bokeh.metrics import Metrics, percentiles
from realtime_bokeh.pipeline import Pipeline
from realtime_bokeh.sinks.discard import Discard
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.demo import Demo

_PICTURES = 24  # frames of the scene kept in memory and shown again and again
_WARM_UP = 20


@dataclass(frozen=True)
class Result:
    """Milliseconds are medians over the frames after warm-up; `overhead_ms` is the frame outside
    the network: shrinking, recomposition, hand-over."""

    model: str
    engine: str
    frame_size: str
    frames: int
    fps: float
    frame_ms: float
    frame_p99_ms: float
    network_ms: float
    overhead_ms: float
    memory_mb: float
    memory_growth_mb: float


class _Loop(Source):
    """A few pictures over and over, as fast as they are taken."""

    def __init__(self, pictures: list[Image], frames: int) -> None:
        self.size = Size.of(pictures[0])
        self.fps = 30.0
        self.total = frames
        self._pictures = itertools.cycle(pictures)
        self._left = range(frames).__iter__()

    def describe(self) -> str:
        return f"{self.size} from memory"

    def read(self) -> Frame | None:
        index = next(self._left, None)
        if index is None:
            return None
        return Frame(next(self._pictures), index, time.monotonic(), index)

    def close(self) -> None:
        pass


def _resident_mb() -> float:
    """Memory in use now, where the system tells (Linux); the peak elsewhere."""
    import resource

    if sys.platform == "linux":
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def run(model: str, engine: Engine, controls: Controls, size: Size, frames: int) -> Result:
    """Send `frames` frames of a size through the pipeline and measure."""
    scene = Demo(size, live=False)
    pictures = [f.image for f in (scene.read() for _ in range(_PICTURES)) if f is not None]
    metrics = Metrics()
    whole: list[float] = []
    network: list[float] = []
    memory: list[float] = []

    def effect(image: Image) -> Finish:
        begin = time.perf_counter()
        finish = engine.begin(image, controls)

        def measured() -> Image:
            rendered = finish()
            whole.append(time.perf_counter() - begin)
            network.append(engine.network_seconds)
            if len(whole) % max(1, frames // 10) == 0:
                memory.append(_resident_mb())
            return rendered

        return measured

    for _ in range(_WARM_UP):
        effect(pictures[0])()
    whole.clear()
    network.clear()
    memory.clear()
    begin = time.perf_counter()
    Pipeline(
        _Loop(pictures, frames), effect, [Discard()], metrics, in_flight=engine.in_flight
    ).run()
    seconds = time.perf_counter() - begin
    frame, inner = percentiles(whole), percentiles(network)
    outside = percentiles([a - b for a, b in zip(whole, network, strict=True)])
    return Result(
        model=model,
        engine=engine.describe(),
        frame_size=str(size),
        frames=frames,
        fps=round(frames / seconds, 1),
        frame_ms=round(frame.p50 * 1e3, 2),
        frame_p99_ms=round(frame.p99 * 1e3, 2),
        network_ms=round(inner.p50 * 1e3, 2),
        overhead_ms=round(outside.p50 * 1e3, 2),
        memory_mb=round(memory[-1], 1),
        memory_growth_mb=round(memory[-1] - memory[0], 1),
    )
