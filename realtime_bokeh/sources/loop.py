"""A video file as a camera: at its own pace, again and again."""

import threading
import time
from dataclasses import replace
from pathlib import Path

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.frame import Frame, Source
from realtime_bokeh.sources.pace import Pace
from realtime_bokeh.sources.video import VideoReader


class Loop(Source):
    """The video of a file, live.

    Args:
        path: of the file.

    Raises:
        UsageError: when the file is missing, cut off or holds no video.
    """

    live = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._index = 0
        self._closed = threading.Event()
        self._reader = VideoReader(path)
        self.size, self.fps = self._reader.size, self._reader.fps
        self._pace = Pace(self._closed)
        self._begin = 0.0  # of the present round, in seconds of all rounds
        self._end = 0.0  # of what was read of it, in seconds after that

    def describe(self) -> str:
        return f"{self._reader.describe()}, again and again"

    def read(self) -> Frame | None:
        frame = self._reader.read()
        if frame is None:
            self._begin += self._end
            self._reader = begin_again(self._reader, self._path)
            frame = self._reader.read()
        if frame is None or self._closed.is_set():
            return None
        self._wait(frame)
        frame = replace(
            frame, index=self._index, captured_at=time.monotonic(), pts=None, duration=0
        )
        self._index += 1
        return frame

    def _wait(self, frame: Frame) -> None:
        """Until a frame's moment comes."""
        assert frame.pts is not None, "a file says when"
        moment = float(frame.pts * self._reader.time_base)
        length = float(frame.duration * self._reader.time_base)
        self._end = moment + (length or 1 / self.fps)
        self._pace.wait(self._begin + moment)

    def cancel(self) -> None:
        self._closed.set()

    def close(self) -> None:
        self._closed.set()
        self._reader.close()


def begin_again(reader: VideoReader, path: Path) -> VideoReader:
    """Close the reader of a file, and open another at its beginning.

    Raises:
        SourceError: when it cannot be read any more.
    """
    reader.close()
    try:
        return VideoReader(path)
    except UsageError as error:  # it could be read before
        raise SourceError(str(error)) from error
