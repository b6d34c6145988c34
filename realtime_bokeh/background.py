"""Another background than the camera's: a colour, a photo or a clip behind what is in focus."""

import contextlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageColor

from realtime_bokeh.engines.base import Controls, Engine, Finish, FocusMap
from realtime_bokeh.errors import EngineError, UsageError
from realtime_bokeh.frame import Frame, Image
from realtime_bokeh.matte import cut_out, over
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.loop import begin_again
from realtime_bokeh.sources.video import VideoReader
from realtime_bokeh.stills import Still, is_still, read_still

_LATE = 1.0  # seconds behind its time after which a clip goes on from where it is, as after a pause

# a frame, and what is in focus in it: what is shown instead of its rendering
Compose = Callable[[Image, FocusMap], Image]
Clock = Callable[[], float]  # seconds, asked once a frame


class Background(ABC):
    """What is shown where nothing is in focus; used on one thread."""

    @abstractmethod
    def picture(self, size: Size) -> Image:
        """What is behind the next frame, uint8 [H, W, 3] BGR of its size, to be read only.

        Raises:
            SourceError: when it cannot be read any more.
        """

    def close(self) -> None:  # noqa: B027 - only a file that is read has something to close
        """Release the file; safe to call twice."""


class Plate(Background):
    """One picture, uint8 [H, W, 3] BGR: the largest part of it that has a frame's shape."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._filled = image

    def picture(self, size: Size) -> Image:
        if Size.of(self._filled) != size:
            self._filled = filled(self._image, size)
        return self._filled


class Clip(Background):
    """A video again and again, at its own pace.

    Args:
        path: of the file.
        clock: what that pace is measured by.

    Raises:
        UsageError: when the file is missing, cut off or holds no video.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._reader = VideoReader(path)
        self._begin: float | None = None  # when the present round's first moment was
        self._shown: Frame | None = None
        self._until = 0.0  # seconds after that, for which it is shown
        self._plate = Plate(np.zeros((1, 1, 3), np.uint8))

    def picture(self, size: Size) -> Image:
        now = self._clock()
        if self._begin is None or now - self._begin - self._until > _LATE:
            self._begin = now - self._until
        before = self._shown
        while self._shown is None or now - self._begin >= self._until:
            self._next()
        if self._shown is not before:
            self._plate = Plate(self._shown.image)
        return self._plate.picture(size)

    def _next(self) -> None:
        """Go on to the next frame, or from the end to the beginning."""
        frame = self._reader.read()
        if frame is None:
            assert self._begin is not None
            self._begin, self._until = self._begin + self._until, 0.0
            self._reader = begin_again(self._reader, self._path)
            frame = self._reader.read()
            assert frame is not None, "a reader that opens has a frame"
        assert frame.pts is not None, "a file says when"
        # never none: a clip of no length would be gone through without an end
        length = float(frame.duration * self._reader.time_base) or 1 / self._reader.fps
        self._until = float(frame.pts * self._reader.time_base) + length
        self._shown = frame

    def close(self) -> None:
        self._reader.close()


def find_background(text: str, photos: bool = False) -> Callable[[Clock], Background]:
    """What opens the background that a person wrote: a colour as in CSS, or a file's path.

    Args:
        photos: whether it shall stand behind photos, which have no time for a clip.

    Raises:
        UsageError: when it is neither; what is returned may raise it too, for a file that cannot
            be read.
    """
    with contextlib.suppress(ValueError):  # which says that it is none
        colour = ImageColor.getrgb(text)
        if len(colour) == 3:
            pixel = np.array([[colour[::-1]]], np.uint8)
            return lambda clock: Plate(pixel)
    path = Path(text)
    if not os.path.isfile(path):
        raise UsageError(
            f"--background {text} is no color, such as lime or '#00ff00', and no file; "
            "give a color, a photo or a clip"
        )
    if is_still(path):
        return lambda clock: Plate(_on_black(read_still(path)))
    if photos:
        raise UsageError(
            f"--background {text} is no photo that is read, and a clip cannot stand behind a "
            "photo; give a color or a photo"
        )
    return lambda clock: Clip(path, clock)


def _on_black(still: Still) -> Image:
    """A photo without its transparency, as a clip loses it too."""
    if still.alpha is None:
        return still.image
    return np.asarray(cv2.multiply(still.image, cv2.merge([still.alpha] * 3), scale=1 / 255))


def filled(image: Image, size: Size) -> Image:
    """An image cropped in its middle to a size's shape, and resized: uint8 [H, W, 3] BGR."""
    height, width = image.shape[:2]
    scale = max(size.height / height, size.width / width)
    down = min(height, max(1, round(size.height / scale)))
    across = min(width, max(1, round(size.width / scale)))
    top, left = (height - down) // 2, (width - across) // 2
    part = image[top : top + down, left : left + across]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, size[::-1], interpolation=way))


class ComposingEngine(Engine):
    """An engine that shows something else than its rendering of a frame.

    Args:
        engine: tells what is in focus; closed with this one.
        compose: makes what is shown.
        background: closed with this one, if given.
    """

    def __init__(
        self, engine: Engine, compose: Compose, background: Background | None = None
    ) -> None:
        self._engine, self._compose, self._background = engine, compose, background
        self.reason, self.passed_over = engine.reason, engine.passed_over
        self.compiles_each_size = engine.compiles_each_size

    def describe(self) -> str:
        return self._engine.describe()

    @property
    def network_seconds(self) -> float:
        return self._engine.network_seconds

    @property
    def busy(self) -> str:
        return self._engine.busy

    def close(self) -> None:
        super().close()
        self._engine.close()
        if self._background is not None:
            self._background.close()

    def _start(self, frame: Size) -> None:
        self._engine.reset()

    def _begin(self, image: Image, controls: Controls) -> Finish:
        finish = self._engine.begin(image, controls)
        focus = self._engine.focus_map()
        if focus is None or not np.isfinite(focus).all():
            raise EngineError("The network does not tell what is in focus")
        composed = self._compose(image, focus)

        def finished() -> Image:
            finish()
            return composed

        return finished

    def _focus_map(self) -> FocusMap:
        focus = self._engine.focus_map()
        assert focus is not None, "it has begun a frame"
        return focus


def with_background(engine: Engine, background: Background) -> Engine:
    """An engine that puts what is in focus before a background; it closes both."""

    def compose(image: Image, focus: FocusMap) -> Image:
        return over(cut_out(image, focus), background.picture(Size.of(image)))

    return ComposingEngine(engine, compose, background)


def with_alpha(engine: Engine) -> Engine:
    """An engine that cuts out what is in focus: frames are uint8 [H, W, 4], BGR and opacity."""
    return ComposingEngine(engine, lambda image, focus: np.dstack(cut_out(image, focus)))
