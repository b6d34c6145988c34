"""A camera that is watched: lost, blocked or stuck, it is opened again until it gives pictures."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from realtime_bokeh.errors import BokehError, in_words
from realtime_bokeh.frame import Frame, Image, Source
from realtime_bokeh.mailbox import Closed, Mailbox, Policy
from realtime_bokeh.sizes import Size

READER = "bokeh camera"  # the name of the threads that drivers may hold

_SILENCE = 1.0  # seconds without a picture after which a camera counts as lost
_OPENING = 10.0  # until it gives its first one; some need seconds to begin
_LOOK = 0.1  # between looks at what others want
_PAUSES = (0.5, 1.0, 2.0, 3.0)  # before each further attempt
_CLOSING = 1.0  # for a driver to let go of a camera
_LINGER = 2.0  # for which the camera stays open when nobody wants it: people press keys twice


class _Reading:
    """A camera while it is open, read on a thread of its own: a driver may hold it for ever."""

    def __init__(self, opener: Callable[[], Source]) -> None:
        self._opener = opener
        self._frames: Mailbox[Frame] = Mailbox(Policy.NEWEST_WINS)
        self.source: Source | None = None
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._run, name=READER, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            source = self._opener()
            try:
                self.source = source
                while (frame := source.read()) is not None:
                    self._frames.put(frame)
            finally:
                source.close()
        except Closed:
            pass
        except Exception as error:
            self.error = error
        finally:
            self._frames.finish()

    def get(self, timeout: float) -> Frame:
        """The newest frame.

        Raises:
            Closed: when none comes any more; `error` says why, if it failed.
            TimeoutError: when none came in time.
        """
        return self._frames.get(timeout)

    def abandon(self) -> None:
        """Close the camera as soon as its driver lets go of it."""
        self._frames.close()
        if self.source is not None:
            self.source.cancel()


class WatchedCamera(Source):
    """Gives the frames of a camera for as long as the run lasts, whatever becomes of the camera.

    A thread beside the one that reads it notices within a second when no frame comes, or always the
    same one, and opens it again, with longer and longer pauses. What is wrong meanwhile is in
    `trouble`, how often something went wrong in `losses`, and the size of the latest frame in
    `given`. While nobody wants its frames (`want`), the camera is closed, and its light is off.

    Args:
        opener: opens the camera. Where that is noisy, a driver that repeats a picture is stuck; if
            the picture is still after it was opened again, it may be a cover, and counts as good.
        wait: whether to begin without a camera, and wait for one.
        size, fps: that hold where the run begins without it.

    Raises:
        What `opener` raises, unless `wait`.
    """

    live = True

    def __init__(
        self,
        opener: Callable[[], Source],
        wait: bool = False,
        size: Size = Size(720, 1280),
        fps: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.size, self.fps = size, fps
        self.trouble = ""
        self.losses = 0  # attempts to open it again do not count
        self._description = "camera: none yet"
        self._clock = clock
        self._changed = threading.Condition()
        self._opener = opener
        self._wanted, self._unwanted_at = True, 0.0
        self._ended = False
        self._reading: _Reading | None = None
        self._released: _Reading | None = None  # the latest
        self._index = 0
        self._begin()
        # here and not on a thread: macOS asks whether a program may see only on the main one
        try:
            opened = opener()
        except BokehError as error:
            if not wait:
                raise
            self.trouble = str(error)
        else:
            self.size, self.fps = opened.size, opened.fps
            self._description = opened.describe()
            self._reading = _Reading(lambda: opened)
        self.given = self.size  # of the latest frame

    def _begin(self) -> None:
        """Nothing is known of the camera that is opened next."""
        self._failures = 0
        self._came_at: float | None = None  # when the latest frame of this reading came
        self._interval = 0.0  # seconds between frames, about
        self._asked_at = self._clock()
        self._latest: Image | None = None
        self._changed_at = self._asked_at  # when the picture was last another one
        self._still = False  # whether it may stay as it is

    def describe(self) -> str:
        return self._description

    @property
    def open(self) -> bool:
        """Whether the camera is held, so that its light may be on."""
        return self._reading is not None

    def want(self, wanted: bool) -> None:
        """Say whether frames are wanted; from any thread."""
        with self._changed:
            if wanted != self._wanted:
                self._wanted, self._unwanted_at = wanted, self._clock()
                self._changed.notify_all()

    def use(self, opener: Callable[[], Source]) -> None:
        """Read another camera from now on; from any thread."""
        with self._changed:
            self._opener = opener
            self._release()
            self._begin()
            self._changed.notify_all()

    def read(self) -> Frame | None:
        while True:
            with self._changed:
                if self._ended:
                    return None
                if not self._wanted and self._clock() - self._unwanted_at >= _LINGER:
                    self._release()
                    self._changed.wait_for(lambda: self._wanted or self._ended)
                    continue
                if self._reading is None:
                    self._reading = _Reading(self._opener)
                    self._came_at, self._asked_at = None, self._clock()
                reading = self._reading
            problem = None
            try:
                frame = reading.get(_LOOK)
            except TimeoutError:
                if not self._silent():
                    continue
                problem = "the camera gives no pictures"
            except Closed:
                error = reading.error
                problem = in_words(error, "the camera") if error else "the camera has ended"
            with self._changed:
                if reading is not self._reading:  # another was chosen meanwhile
                    continue
                if problem is None and (problem := self._repeats(reading, frame.image)) is None:
                    return self._taken(frame)
                self._lost(problem)

    def _silent(self) -> bool:
        """Whether frames should have come."""
        if self._came_at is None:
            return self._clock() - self._asked_at > _OPENING
        # cameras slow down in the dark, and so do computers under load
        return self._clock() - self._came_at > max(_SILENCE, 5 * self._interval)

    def _repeats(self, reading: _Reading, image: Image) -> str | None:
        """What to say of a camera that gives this picture: nothing, unless it is stuck."""
        now = self._clock()
        if self._latest is None or not _alike(image, self._latest):
            self._latest, self._changed_at, self._still = image, now, False
        elif not self._still and now - self._changed_at > _SILENCE:
            self._still = True
            if reading.source is not None and reading.source.noisy:
                return "the camera repeats one picture"
        return None

    def _taken(self, frame: Frame) -> Frame:
        """A frame as it goes on; the camera is well."""
        now = self._clock()
        if self._came_at is not None:
            # at most so much: what the computer slept is no pause of the camera
            self._interval += 0.1 * (min(now - self._came_at, _SILENCE) - self._interval)
        self._came_at = now
        self.trouble = ""
        self._failures = 0
        self.given = Size.of(frame.image)
        frame = replace(frame, index=self._index)
        self._index += 1
        return frame

    def _lost(self, problem: str) -> None:
        """Close the camera, and wait before it is tried again."""
        self.losses += not self.trouble
        self.trouble = problem
        self._release()
        pause = _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1
        opener = self._opener
        self._changed.wait_for(lambda: self._ended or self._opener is not opener, pause)

    def _release(self) -> None:
        if self._reading is not None:
            self._reading.abandon()
            self._released, self._reading = self._reading, None

    def cancel(self) -> None:
        with self._changed:
            self._ended = True
            self._release()
            self._changed.notify_all()

    def close(self) -> None:
        self.cancel()
        if self._released is not None:
            self._released.thread.join(_CLOSING)


def _alike(image: Image, other: Image) -> bool:
    """Whether two pictures are the same in every number."""
    if image.shape != other.shape or not np.array_equal(image[::16], other[::16]):
        return False  # nearly always found out here
    return np.array_equal(image, other)
