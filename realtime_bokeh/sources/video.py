"""A video file through PyAV."""

import os
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.files import reason
from realtime_bokeh.frame import Frame, Image
from realtime_bokeh.geometry import Size


def upright(picture: VideoFrame) -> Image:
    """A decoded frame as uint8 [H, W, 3] BGR, turned as its rotation metadata says."""
    image = picture.to_ndarray(format="bgr24")
    turns = round(picture.rotation / 90) % 4  # counter-clockwise
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


class VideoFile:
    """The first video stream of a file, upright, with its own timing.

    Raises:
        UsageError: when the file is missing or holds no video.
    """

    live = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._index = 0
        if not path.is_file():
            raise UsageError(f"{path} does not exist or is not a file")
        if path.stat().st_size == 0:
            raise UsageError(f"{path} is empty")
        try:
            self._container = av.open(os.fspath(path))
        except (av.FFmpegError, OSError) as error:
            raise UsageError(f"{path} is not a video that can be read ({reason(error)})") from error
        if not self._container.streams.video:
            self._container.close()
            raise UsageError(f"{path} has no video in it")
        self.stream = self._container.streams.video[0]
        self.stream.thread_type = "AUTO"
        self._frames = self._decode()
        self._ahead: VideoFrame | None = self._next()
        if self._ahead is None:
            self._container.close()
            raise UsageError(f"{path} has no frames that can be read; it may be cut off")
        image = upright(self._ahead)
        self.size: Size = (image.shape[0], image.shape[1])
        self.fps = float(self.stream.average_rate or self.stream.guessed_rate or 30)
        self.total: int | None = self.stream.frames or self._estimate()
        self.time_base: Fraction | None = self.stream.time_base
        self._last_pts = -1

    def _estimate(self) -> int | None:
        if not self._container.duration:
            return None
        return round(self._container.duration / av.time_base * self.fps)

    def describe(self) -> str:
        height, width = self.size
        codec = self.stream.codec_context.name
        return f"{self._path.name}: {width}x{height} at {self.fps:.4g} fps {codec}"

    def _decode(self) -> Iterator[VideoFrame]:
        yield from self._container.decode(self.stream)

    def _next(self) -> VideoFrame | None:
        try:
            return next(self._frames, None)
        except (av.FFmpegError, OSError) as error:
            if self._index == 0:
                raise UsageError(f"{self._path} cannot be decoded ({reason(error)})") from error
            raise SourceError(
                f"{self._path} is damaged after frame {self._index} ({reason(error)})"
            ) from error

    def read(self) -> Frame | None:
        picture = self._ahead
        if picture is None:
            return None
        image = upright(picture)
        if (image.shape[0], image.shape[1]) != self.size:
            raise SourceError(
                f"{self._path} changes its picture size at frame {self._index}, "
                "which is not supported; cut it there and render the parts"
            )
        # a file without time stamps, or with one twice, still goes forward
        pts = self._last_pts + 1 if picture.pts is None else max(picture.pts, self._last_pts + 1)
        frame = Frame(image, self._index, time.monotonic(), pts)
        self._last_pts = pts
        self._index += 1
        self._ahead = self._next()
        return frame

    def close(self) -> None:
        self._container.close()
