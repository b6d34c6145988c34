"""How fast it is here: frames from memory through the engine, without a camera."""

import itertools
import time
from dataclasses import dataclass
from fractions import Fraction

import psutil
from rich.table import Table

from realtime_bokeh.app.display import print_table
from realtime_bokeh.app.parts import open_effect
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.engines import Controls, Engine
from realtime_bokeh.engines.base import Finish
from realtime_bokeh.frame import Frame, Image, Source
from realtime_bokeh.metrics import Metrics, percentiles
from realtime_bokeh.pipeline import Pipeline
from realtime_bokeh.sinks.discard import Discard
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import demo

_PICTURES = 24  # frames of the scene kept in memory and shown again and again
_WARM_UP = 20
_FRAME = Size(720, 1280)


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


class RepeatedImages(Source):
    """A few images over and over, as fast as they are taken."""

    def __init__(self, pictures: list[Image], frames: int) -> None:
        self.size = Size.of(pictures[0])
        self.fps = 30.0
        self.total = frames
        self.time_base = Fraction(1, 30)
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


def run(settings: Settings, frames: int) -> Result:
    """Open the engine that settings ask for and measure it over a number of frames.

    Raises:
        UsageError, EngineError: when it cannot be opened.
    """
    controls = Controls(settings.strength, settings.smoothing)
    _, engine, _ = open_effect(settings)
    with engine:
        return measure(settings.model, engine, controls, settings.size or _FRAME, frames)


def measure(model: str, engine: Engine, controls: Controls, size: Size, frames: int) -> Result:
    """Send frames of a size through the pipeline, as many as asked for, and measure."""
    pictures = demo.images(size, _PICTURES)
    metrics = Metrics()
    process = psutil.Process()
    frame_seconds: list[float] = []
    network_seconds: list[float] = []
    memory: list[float] = []

    def effect(image: Image) -> Finish:
        begin = time.perf_counter()
        finish = engine.begin(image, controls)

        def measured() -> Image:
            rendered = finish()
            frame_seconds.append(time.perf_counter() - begin)
            network_seconds.append(engine.network_seconds)
            if len(frame_seconds) % max(1, frames // 10) == 0:
                memory.append(process.memory_info().rss / 1e6)
            return rendered

        return measured

    for _ in range(_WARM_UP):
        effect(pictures[0])()
    frame_seconds.clear()
    network_seconds.clear()
    memory.clear()
    begin = time.perf_counter()
    Pipeline(
        RepeatedImages(pictures, frames), effect, [Discard()], metrics, in_flight=engine.in_flight
    ).run()
    seconds = time.perf_counter() - begin
    frame, inner = percentiles(frame_seconds), percentiles(network_seconds)
    outside = percentiles([a - b for a, b in zip(frame_seconds, network_seconds, strict=True)])
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


def print_results(results: list[Result]) -> None:
    """Print results as a table on standard output, times in milliseconds a frame."""
    table = Table("model", "engine", "fps", "frame", "p99", "network", "rest", "memory")
    for r in results:
        times = (r.frame_ms, r.frame_p99_ms, r.network_ms, r.overhead_ms)
        milliseconds = (f"{time:.1f} ms" for time in times)
        table.add_row(r.model, r.engine, f"{r.fps:.0f}", *milliseconds, f"{r.memory_mb:.0f} MB")
    print(f"{results[0].frames} frames of {results[0].frame_size}")
    print_table(table)
