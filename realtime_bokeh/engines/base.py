"""What every engine is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from realtime_bokeh.frame import Image

Finish = Callable[[], Image]  # waits for a frame that was begun, and gives it


@dataclass(frozen=True)
class Controls:
    """Live controls, both in [0, 1]; changing them recompiles nothing."""

    strength: float = 1.0
    smoothing: float = 0.5


class Engine(Protocol):
    """Renders frames one after the other; keeps the temporal state between them.

    Frames may change size at any time; the state then starts anew. Not thread-safe.
    """

    network_seconds: float
    """How long the network took for the latest frame, without shrinking and recomposing where those
    are outside it."""

    in_flight: int = 1
    """How many frames may be begun before the first of them is finished, to any use."""

    busy: str = ""
    """What takes it long at present, such as compiling; readable from other threads."""

    def describe(self) -> str:
        """Runtime, precision and device, such as "openvino int8 on CPU"."""
        ...

    def __call__(self, image: Image, controls: Controls) -> Image:
        """Render one frame, uint8 [H, W, 3] BGR, to a new one of the same size.

        Raises:
            EngineError: when the runtime fails.
        """
        ...

    def begin(self, image: Image, controls: Controls) -> Finish:
        """Begin to render a frame; frames are finished in the order in which they were begun.

        Raises:
            EngineError: when the runtime fails; finishing may raise it too.
        """
        result = self(image, controls)
        return lambda: result

    def reset(self) -> None:
        """Forget the past, as at a scene cut."""
        ...
