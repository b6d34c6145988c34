"""A live run from a marked camera, for tests of what is shown when."""

import threading
import time
from collections.abc import Callable

import numpy as np

from realtime_bokeh.engines import Controls, Engine
from realtime_bokeh.engines.base import Finish, FocusMap
from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Frame, Image, Source
from realtime_bokeh.live.adapt import Quality
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.live.openers import Choice
from realtime_bokeh.live.run import LiveRun
from realtime_bokeh.recompose import Recomposer
from realtime_bokeh.sizes import InferenceSize, Size
from tests.fakes import RecordingSink, UnchangedEngine

SIZE = Size(48, 64)
RAW_MARK, RENDERED_MARK = (250, 0, 250), (0, 250, 0)  # colours that no card has


class MarkedCamera(Source):
    """Gives pictures of one colour, a corner of another, a thousand a second; no two are alike.

    error: that is raised instead. flows: cleared, it blocks. stuck: it repeats one picture.
    opens: cleared, opening it blocks.
    """

    size, fps, live, noisy = SIZE, 30.0, True, True

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.flows, self.opens = threading.Event(), threading.Event()
        self.flows.set()
        self.opens.set()
        self.stuck = False
        self.closed = 0
        self._number = 0
        image = np.full((*SIZE, 3), RAW_MARK, np.uint8)
        image[:8, :8] = 0
        self.image = image

    def describe(self) -> str:
        return "marked"

    def read(self) -> Frame | None:
        assert self.flows.wait(60)
        time.sleep(0.001)
        if self.error:
            raise self.error
        self._number += not self.stuck
        image = self.image.copy()
        image[0, 0, 0] = self._number % 250
        return Frame(image, 0, time.monotonic())

    def close(self) -> None:
        self.closed += 1


class MarkingEngine(UnchangedEngine):
    """Holds nothing to be in focus, so that all is RENDERED_MARK; a corner tells the strength.

    error: that is raised instead. gate: cleared, it hangs. slow: a frame takes too long.
    seen: the latest image.
    focus: of the whole picture; no number when it has run out of range.
    """

    network_seconds = 0.05
    seen: Image

    def __init__(self, name: str = "best", slow: bool = False) -> None:
        super().__init__()
        self.name, self.slow = name, slow
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.focus = 0.0
        self._recompose = Recomposer()

    def _begin(self, image: Image, controls: Controls) -> Finish:
        assert self.gate.wait(60)
        self.seen = image
        if self.error:
            raise self.error
        if self.slow:
            time.sleep(0.05)
        size = Size.of(image)
        focus = np.full(size, self.focus, np.float32)
        rendering = self._recompose(image, np.full_like(image, RENDERED_MARK), focus, size)
        rendering[:8, :8] = round(200 * controls.strength)
        return lambda: rendering

    def _focus_map(self) -> FocusMap:
        return np.full((16, 16), self.focus, np.float32)


class OtherOpeners:
    """Opens a camera of lower pictures, and engines that tell of their quality.

    slow: models of which a frame takes longer than a thirtieth of a second.
    asked: the engine's name and the size of the latest quality that was asked for.
    """

    def __init__(self) -> None:
        self.asked: tuple[str, InferenceSize] | None = None
        self.slow: set[str] = set()

    def camera(self, name: str) -> Callable[[], Source]:
        if name != "other":
            raise UsageError(f"There is no camera {name!r}")
        other = MarkedCamera()
        other.image = np.ascontiguousarray(other.image[:24])
        return lambda: other

    def engine(self, name: str, quality: Quality) -> Callable[[], Engine]:
        self.asked = name, quality.size
        return lambda: MarkingEngine(quality.model, quality.model in self.slow)

    def qualities(self, choice: Choice) -> list[Quality]:
        for name in (choice.model, choice.engine):
            if name == "none":
                raise UsageError(f"There is no {name!r}")
        size = choice.size or Size(16, 16)
        return [Quality(choice.model, size, 2.0), Quality("least", size, 1.0)]


class Stage:
    """A run on a thread of its own, and what its screen shows.

    Args:
        opener: opens another camera than `device`.
        fps, passthrough: as `LiveRun` has them.

    recording: a second output that nobody watches while it runs.
    mended: set, another engine can be opened. refusal: that is raised instead.
    slept: seconds by which the run's clock is ahead of the real one.
    """

    def __init__(
        self, opener: Callable[[], Source] | None = None, fps: float = 0.0,
        passthrough: bool = False,
    ) -> None:  # fmt: skip
        self.device, self.engine = MarkedCamera(), MarkingEngine()
        self.screen, self.recording = RecordingSink(live=True), RecordingSink()
        self.watched = True
        self.slept = 0.0
        self.camera = WatchedCamera(opener or self._open, clock=self._now)
        self.mended = threading.Event()
        self.refusal: Exception | None = None
        self.openers = OtherOpeners()
        self.effect = LiveEffect(self.engine, self._open_engine, self._now)
        self.run = LiveRun(
            self.camera, self.effect, [self.screen, self.recording], self.openers, Choice("best"),
            fps=fps, passthrough=passthrough, watched=lambda: self.watched, clock=self._now,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.run.run)

    def _now(self) -> float:
        return time.monotonic() + self.slept

    def _open(self) -> Source:
        assert self.device.opens.wait(60)
        if self.device.error:
            raise self.device.error
        return self.device

    def _open_engine(self) -> Engine:
        if self.refusal:
            raise self.refusal
        assert self.mended.wait(60)
        return MarkingEngine()

    def look(self) -> str:
        """What the next thing that is shown is: raw, rendered or a card."""
        before = len(self.screen.frames)
        self.until(lambda: len(self.screen.frames) > before)
        return kind(self.screen.frames[-1].image)

    def until(self, found: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not found():
            assert time.monotonic() < deadline
            assert self.thread.is_alive()
            time.sleep(0.001)

    def sees(self, wanted: str) -> None:
        self.until(lambda: bool(self.screen.frames) and self.look() == wanted)

    @property
    def shown(self) -> set[str]:
        """Every kind that any output ever got."""
        return {kind(f.image) for f in [*self.screen.frames, *self.recording.frames]}

    def end(self) -> None:
        """Let go of all that hangs, and stop."""
        for gate in (self.engine.gate, self.device.flows, self.device.opens, self.mended):
            gate.set()
        self.run.stop()
        self.thread.join(60)
        assert not self.thread.is_alive()


def kind(image: Image) -> str:
    """Raw, if a single pixel is the camera's own; else rendered or a card."""
    for name, mark in (("raw", RAW_MARK), ("rendered", RENDERED_MARK)):
        if (image == mark).all(2).any():
            return name
    return "card"
