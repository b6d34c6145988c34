"""The effect of a live run: its engine may fail, be mended, and be exchanged while frames flow."""

import threading
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from realtime_bokeh.engines import Controls, Engine
from realtime_bokeh.errors import in_words
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size

PREPARER = "bokeh engine"  # the name of the threads that open engines, which a compiler may hold

_TRIES = 2  # frames in a row that may fail before the engine is opened anew
_PAUSES = (1.0, 2.0, 5.0, 10.0)  # seconds before each further attempt to open one
_CHECKED = 15  # frames between looks at the network's state, which costs a copy of it

Opener = Callable[[], Engine]
Finish = Callable[[], Image | None]  # waits for a frame's rendering; None: it failed


class LiveEffect:
    """Renders frames with an engine, and outlives it.

    An engine that fails is reset, then opened anew, as often as it takes; `trouble` says why frames
    come back as None meanwhile, `failed` how many have. Frames are begun and finished on one
    thread; all else is told from any thread.

    Args:
        engine: already open.
        opener: opens its like.
    """

    def __init__(
        self, engine: Engine, opener: Opener, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.engine = engine
        self.trouble = ""
        self.failed = 0
        self._opener = opener
        self._clock = clock
        self._lock = threading.Lock()
        self._prepared: tuple[Engine, Opener] | None = None
        self._asked = 0  # number of the latest request for an engine
        self._preparing = False
        self._failures = 0  # frames in a row
        self._attempts = 0  # engines opened in a row that did not help
        self._next_attempt = 0.0
        self._under_way: Counter[Engine] = Counter()
        self._retired: list[Engine] = []
        self._size: Size | None = None
        self._frames = 0

    @property
    def preparing(self) -> bool:
        """Whether another engine is being opened; the present one goes on."""
        return self._preparing

    def use(self, opener: Opener) -> None:
        """Render with another engine as soon as it is open, and ready for the present frames."""
        with self._lock:
            self._asked += 1
            self._preparing = True
            number, size = self._asked, self._size
        work = threading.Thread(
            target=self._prepare, args=(number, opener, size), name=PREPARER, daemon=True
        )
        work.start()

    def _prepare(self, number: int, opener: Opener, size: Size | None) -> None:
        engine: Engine | None = None
        try:
            engine = opener()
            if size is not None:  # the first frame of a size may take long
                engine(np.zeros((*size, 3), np.uint8))
                engine.reset()
        except Exception as error:
            if engine is not None:
                engine.close()
            with self._lock:
                if number == self._asked:
                    self._preparing = False
                    self.trouble = in_words(error, "the effect")
            return
        with self._lock:
            engine, stale = (engine, None) if number == self._asked else (None, engine)
            if engine is not None:
                stale = self._prepared[0] if self._prepared else None
                self._prepared, self._preparing = (engine, opener), False
        if stale is not None:
            stale.close()

    def begin(self, image: Image, controls: Controls) -> Finish:
        """Begin to render a frame, uint8 [H, W, 3] BGR; never raises."""
        self._size = Size.of(image)
        self._exchange()
        engine = self.engine
        try:
            finish = engine.begin(image, controls)
        except Exception as error:
            self._failed(error)
            return lambda: None
        self._under_way[engine] += 1

        def finished() -> Image | None:
            try:
                rendering = finish()
                self._check(engine)
            except Exception as error:
                self._failed(error)
                return None
            finally:
                self._under_way[engine] -= 1
                self._close_retired()
            self._failures = self._attempts = 0
            self.trouble = ""
            return rendering

        return finished

    def _check(self, engine: Engine) -> None:
        """Numbers that are none would stay in the network's memory of the past for ever."""
        self._frames += 1
        if self._frames % _CHECKED == 0:
            focus = engine.focus_map()
            if focus is not None and not np.isfinite(focus).all():
                raise ArithmeticError("its numbers ran out of range")

    def _failed(self, error: Exception) -> None:
        self.trouble = in_words(error, "the effect")
        self.failed += 1
        self._failures += 1
        self.engine.reset()
        now = self._clock()
        if self._failures >= _TRIES and not self._preparing and now >= self._next_attempt:
            self._next_attempt = now + _PAUSES[min(self._attempts, len(_PAUSES) - 1)]
            self._attempts += 1
            self.use(self._opener)

    def _exchange(self) -> None:
        """Take the engine that was prepared, if any."""
        with self._lock:
            prepared, self._prepared = self._prepared, None
        if prepared is not None:
            self._retired.append(self.engine)
            self.engine, self._opener = prepared
            self._close_retired()

    def _close_retired(self) -> None:
        """Close engines whose frames are all finished."""
        for engine in [engine for engine in self._retired if not self._under_way[engine]]:
            self._retired.remove(engine)
            del self._under_way[engine]
            engine.close()

    def close(self) -> None:
        """Close every engine; not while a frame is begun or finished."""
        with self._lock:
            self._asked += 1  # what is being opened is closed when it is
            prepared, self._prepared = self._prepared, None
        for engine in [self.engine, *self._retired, *([prepared[0]] if prepared else [])]:
            engine.close()
