"""A live run: it owns camera, effect and outputs, and is told what to do from any thread."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2

from realtime_bokeh.engines import Engine
from realtime_bokeh.frame import Image, Sink
from realtime_bokeh.live.adapt import Adapter, Quality
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.card import card
from realtime_bokeh.live.effect import Finish, LiveEffect
from realtime_bokeh.live.letterbox import letterbox
from realtime_bokeh.live.openers import Choice, Openers
from realtime_bokeh.live.state import State
from realtime_bokeh.metrics import Metrics
from realtime_bokeh.pipeline import Pipeline

_SILENCE = 1.0  # seconds without a rendering after which the card is shown, or
_FRAMES = 4  # as many frames as this, where they take longer

STARTING = "Realtime Bokeh: no picture yet"
BLANK = "Paused"
UNWATCHED = "The camera is off while nobody watches"
SILENT = "The effect does not answer"
ENDED = "Realtime Bokeh has ended after a failure"


class LiveRun:
    """Camera, effect and outputs, which go on whatever happens to the first two.

    The virtual camera shows rendered pictures, or a card that says why there are none; the camera's
    own picture only when it is told to (`State.off`) or failures shall pass it through.

    Args:
        camera: read until the run is stopped; closed by it.
        effect: renders; closed by whoever made it.
        sinks: written to on the thread that calls `run`; closed by it.
        openers: of other cameras and engines.
        choice: what the effect renders with.
        fps: frames a second to hold by a lesser quality where need be; 0: by none.
        passthrough: whether the camera's own picture is shown where the effect fails.
        watched: whether somebody sees the outputs; the camera is released while nobody does.
    """

    def __init__(
        self,
        camera: WatchedCamera,
        effect: LiveEffect,
        sinks: Sequence[Sink],
        openers: Openers,
        choice: Choice,
        state: State = State(),
        fps: float = 0.0,
        passthrough: bool = False,
        watched: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metrics = Metrics()
        self.watched = True  # whether somebody saw the outputs when that was last asked
        self.camera, self.effect, self._openers = camera, effect, openers
        self._state, self._fps = state, fps
        self._passthrough = passthrough
        self._watched = watched
        self._clock = clock
        self._choice, self._adapter = choice, self._adapting(choice)
        self._rendered_by: Engine | None = None
        self._mirrored = state.mirror
        # one that a signal's handler may enter while its own thread is in it
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._fits = camera.size
        self._cards: tuple[str, Image] | None = None
        self._rendered_at: float | None = None  # None: nothing since it was last wanted
        self._latest: Image | None = None  # rendering
        self._kept: Image | None = None  # that it is frozen at
        self._pair: tuple[Image, Image] | None = None  # the camera's, and `_latest` of it
        self._pipeline = Pipeline(
            camera, self._begin, sinks, self.metrics, self.instead, effect.engine.in_flight
        )

    @property
    def state(self) -> State:
        """What the run is told at present."""
        return self._state

    @property
    def choice(self) -> Choice:
        """What was asked for to render with."""
        return self._choice

    @property
    def lesser(self) -> Quality | None:
        """What it renders with instead of what was asked for, to hold its rate, if it does."""
        adapter = self._adapter
        return adapter.qualities[adapter.at] if adapter and adapter.at else None

    @property
    def limit(self) -> float | None:
        """Frames a second that are possible at most, where no quality holds the rate."""
        adapter = self._adapter
        return adapter.limit if adapter else None

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced; see `Pipeline.dropped`."""
        return self._pipeline.dropped

    @property
    def trouble(self) -> str:
        """What is wrong at present, in words; empty when all is well."""
        return self.camera.trouble or self.effect.trouble

    @property
    def refused(self) -> str:
        """Why the latest engine or model could not be opened, in words, while another renders."""
        return self.effect.refused

    def set(self, **changes: float | bool) -> State:
        """Change what the fields of `State` say; from any thread, at once and without a drop.

        Raises:
            UsageError: when a number is out of its range; nothing is changed then.
            TypeError: for a name that `State` does not have.
        """
        with self._lock:
            state = replace(self._state, **changes)  # type: ignore[arg-type]  # checked below
            _ = state.controls
            if state.frozen and not self._state.frozen:
                self._kept = self._latest
            self._state = state
        return state

    def use_camera(self, name: str) -> None:
        """Read another camera from now on; from any thread.

        Raises:
            UsageError: when there is no such camera; the present one stays.
        """
        self.camera.use(self._openers.camera(name))

    def use_effect(self, choice: Choice) -> None:
        """Render with another model, engine or size as soon as it is ready; from any thread.

        Raises:
            UsageError, WeightsError, EngineError: when something of it cannot be had here; the
                present one stays.
        """
        opener = self._openers.engine(choice.engine, self._openers.qualities(choice)[0])
        with self._lock:
            self._choice, self._adapter = choice, self._adapting(choice)
            self.effect.use(opener)

    def pair(self) -> tuple[Image, Image] | None:
        """The newest picture of the camera and what became of it, both as the outputs take them;
        from any thread. None while nothing of the camera is shown. Not to be written to."""
        pair = self._pair
        if pair is None or self._state.blank:  # one that was under way may come after that
            return None
        image, rendering = pair
        return self._fitted(image), rendering

    def _adapting(self, choice: Choice) -> Adapter | None:
        if not self._fps:
            return None
        return Adapter(self._openers.qualities(choice), self._fps, self._clock)

    def stop(self) -> None:
        """End the run soon; from any thread."""
        self._stopped.set()
        self.camera.cancel()

    def run(self, tick: Callable[[], None] = lambda: None) -> None:
        """Run until it is stopped, on this thread; `tick` as in `Pipeline.run`.

        Raises:
            What an output raises, after all was closed; KeyboardInterrupt and `Stopped` likewise.
        """
        self._pipeline.run(tick)

    def _begin(self, image: Image) -> Finish:
        """The effect as the pipeline has it."""
        state = self._state
        if state.mirror != self._mirrored:
            self._mirrored = state.mirror
            self.effect.engine.reset()  # its past is the other way round
        if state.mirror:
            image = cv2.flip(image, 1)  # first: what stands behind the person is not mirrored
        if state.off:
            # what is under way when it is on again is not shown any more
            return lambda: self._unrendered(image) if self._state.off else None
        begin = self._clock()
        finish = self.effect.begin(image, state.controls)
        begun = self._clock() - begin

        def finished() -> Image | None:
            begin = self._clock()
            rendering = finish()
            if rendering is None:
                return self._unrendered(image) if self._passthrough else None
            self._rendered_at = self._clock()
            self._adapt(begun + self._rendered_at - begin)
            fitted = self._fitted(rendering)
            with self._lock:
                if not self._holds:
                    self._latest, self._pair = fitted, (image, fitted)
                    if self._state.frozen:
                        self._kept = fitted
            return fitted

        return finished

    def _unrendered(self, image: Image) -> Image:
        """The camera's own picture for the outputs."""
        fitted = self._fitted(image)
        with self._lock:
            if not self._holds:
                self._pair = image, fitted
        return fitted

    @property
    def _holds(self) -> bool:
        """Whether it is frozen at a picture."""
        return self._state.frozen and self._kept is not None

    def _adapt(self, seconds: float) -> None:
        """Choose another quality, if the time that frames take says so."""
        engine = self.effect.engine
        with self._lock:
            adapter = self._adapter
            # While one is opened, that takes the processor's time; where engines are compiled for
            # minutes, another one comes too late.
            if adapter is None or self.effect.preparing or engine.compiles_each_size:
                return
            if engine is not self._rendered_by:
                self._rendered_by = engine
                adapter.begin()
            if adapter.observe(seconds, engine.network_seconds):
                quality = adapter.qualities[adapter.at]
                self.effect.use(self._openers.engine(self._choice.engine, quality))

    def _fitted(self, image: Image) -> Image:
        """A picture of the outputs' size.

        A camera may change its own while it runs: a phone is turned, another is chosen.
        """
        return letterbox(image, self._fits)

    def instead(self) -> Image | None:
        """What is shown now instead of a picture: a card, or the one that is kept; None: nothing.

        It sees to it, too, that the camera is only open while it is wanted.
        """
        state, kept = self._state, self._kept
        self.watched = watched = self._watched()
        frozen = state.frozen and kept is not None
        self.camera.want(watched and not state.blank and not frozen)
        if not watched or state.blank or self.camera.trouble:
            self._pair = None
        if self._pipeline.failed:
            return self._card(ENDED)
        if not watched:
            self._rendered_at = None
            return self._card(UNWATCHED)
        if state.blank:
            self._rendered_at = None
            return self._card(BLANK)
        if frozen:
            self._rendered_at = None
            return kept
        if self.camera.trouble:
            self._rendered_at = None
            return self._card(f"{_sentence(self.camera.trouble)}; trying again")
        if state.off:
            return None
        if self.effect.trouble:
            return None if self._passthrough else self._card(_sentence(self.effect.trouble))
        if self._rendered_at is None:
            return self._card(STARTING)
        usual = self.metrics.latency("effect").p50
        if self._clock() - self._rendered_at > max(_SILENCE, _FRAMES * usual):
            return self._card(SILENT)
        return None

    def _card(self, words: str) -> Image:
        """The same object for the same words, which need not be drawn and sent again."""
        if self._cards is None or self._cards[0] != words:
            self._cards = words, card(self._fits, words)
        return self._cards[1]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
