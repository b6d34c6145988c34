"""What a live run may be told to use, and what opens it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from realtime_bokeh.engines import Engine
from realtime_bokeh.frame import Source
from realtime_bokeh.live.adapt import Quality
from realtime_bokeh.sizes import InferenceSize


@dataclass(frozen=True)
class Choice:
    """What a run shall render with.

    model, engine: their names.
    size: about the area at which the network runs; None: what the model was made for.
    """

    model: str
    engine: str = "auto"
    size: InferenceSize | None = None


class Openers(Protocol):
    """Opens what a run may be told to use."""

    def camera(self, name: str) -> Callable[[], Source]:
        """What opens a camera.

        Raises:
            UsageError: when there is no such camera.
        """
        ...

    def engine(self, name: str, quality: Quality) -> Callable[[], Engine]:
        """What opens an engine."""
        ...

    def qualities(self, choice: Choice) -> Sequence[Quality]:
        """How a choice is rendered, and what may take its place where that is too slow.

        Raises:
            UsageError, WeightsError: when there is no such model, or it is damaged.
            UsageError, EngineError: when there is no such engine, or it cannot be used here.
        """
        ...
