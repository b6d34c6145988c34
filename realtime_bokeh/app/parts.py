"""The parts that live runs and renderings have in common, and their end."""

import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import TypeVar

from realtime_bokeh import weights
from realtime_bokeh.app.display import console
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.engines import Controls, Engine, open_engine
from realtime_bokeh.frame import Image, Sink, Source
from realtime_bokeh.interrupts import held
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.pipeline import CAPTURE, EFFECT
from realtime_bokeh.sizes import Size

Entered = TypeVar("Entered")

SCENE = Size(480, 640)  # of the built-in scene
SCENE_FPS = 30.0

# an image in; out comes the function that waits for its rendering and gives it
Effect = Callable[[Image], Callable[[], Image]]


class Parts:
    """A context at whose end all that was opened in it is closed, however far the run came.

    What the pipeline has closed before is closed a second time, which does nothing. What one of its
    threads still uses, because a driver or a compiler holds it, stays open: it may crash otherwise.
    """

    def __init__(self) -> None:
        self._at_end = ExitStack()

    def add_source(self, source: Source) -> None:
        """Close a source at the end."""
        self._at_end.callback(_close_unused, source, CAPTURE)

    def add_engine(self, engine: Engine | LiveEffect) -> None:
        """Close an engine, or what has several, at the end."""
        self._at_end.callback(_close_unused, engine, EFFECT)

    def open_sinks(self, openers: Iterable[Callable[[], Sink]]) -> list[Sink]:
        """Open sinks, and close them at the end: as not complete, if nothing else has before."""
        sinks: list[Sink] = []
        with held:  # each is known here when an interruption strikes
            for opener in openers:
                sink = opener()
                self._at_end.callback(sink.close, complete=False)
                sinks.append(sink)
        return sinks

    def entered(self, context: AbstractContextManager[Entered]) -> Entered:
        """Enter a context, and leave it at the end."""
        return self._at_end.enter_context(context)

    def __enter__(self) -> "Parts":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        with held:
            self._at_end.__exit__(kind, error, trace)


def _close_unused(part: Source | Engine | LiveEffect, thread: str) -> None:
    """Close a part, unless the thread of that name, the only one to use it, has not ended."""
    if all(other.name != thread for other in threading.enumerate()):
        part.close()


def engine_opener(settings: Settings, photos: bool = False) -> Callable[[], Engine]:
    """What opens the engine of these settings; `photos`: see `open_engine`.

    Raises:
        UsageError, WeightsError: when there is no such model, or it is damaged.
    """
    model = weights.find(settings.model)
    return lambda: open_engine(
        model, settings.engine, settings.inference_size, settings.device, settings.precision,
        photos, settings.threads,
    )  # fmt: skip


def say_passed_over(engine: Engine, settings: Settings) -> None:
    """Tell those who want to know which engines are not used, and why."""
    if settings.verbose:
        for sentence in engine.passed_over:
            console.print(sentence)


def open_effect(settings: Settings, photos: bool = False) -> tuple[Effect, Engine, str]:
    """The effect on files, the engine in it, and the line about it; `photos` as above."""
    engine = engine_opener(settings, photos)()
    say_passed_over(engine, settings)
    controls = Controls(settings.strength, settings.smoothing)

    def effect(image: Image) -> Callable[[], Image]:
        if settings.mirror:
            image = image[:, ::-1].copy()
        return engine.begin(image, controls)

    return effect, engine, engine.reason
