"""A video file through PyAV."""

import os
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.files import ffmpeg_name, reason
from realtime_bokeh.frame import EXACT, Frame, Image, Source
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.truncation import stated_length

_TEXT_ART = {"ansi", "bintext", "xbin", "idf"}  # codecs by which FFmpeg "decodes" plain text
_PICTURES = {"avif", "avis", "heic", "heix", "hevc", "mif1", "msf1"}  # brands of pictures in MP4


def _orientation(picture: VideoFrame) -> tuple[bool, bool, bool]:
    """Whether to swap rows and columns, then to flip up and down, then left and right."""
    data: Any = picture.side_data.get("DISPLAYMATRIX")
    if data is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(data, np.int32)[:5].tolist()  # x, y becomes ax + cy, bx + dy
    swap = abs(b) > abs(a)
    return swap, (b if swap else d) < 0, (c if swap else a) < 0


def upright(picture: VideoFrame) -> Image:
    """A decoded frame as uint8 [H, W, 3] BGR, turned as its rotation metadata says."""
    image = picture.to_ndarray(format="bgr24", interpolation=EXACT)
    swap, down, left = _orientation(picture)
    if swap:
        image = image.swapaxes(0, 1)
    return np.ascontiguousarray(image[:: -1 if down else 1, :: -1 if left else 1])


def _open(path: Path) -> tuple[InputContainer, VideoStream]:
    if not os.path.isfile(path):
        raise UsageError(f"{path} does not exist or is not a file")
    size = path.stat().st_size
    if size == 0:
        raise UsageError(f"{path} is empty")
    if size < stated_length(path):
        raise UsageError(
            f"{path} is cut off ({size} of {stated_length(path)} bytes); copy or download it again"
        )
    try:
        container = av.open(ffmpeg_name(path))
    except (av.FFmpegError, OSError) as error:
        raise UsageError(f"{path} is not a video that can be read ({reason(error)})") from error
    format_name = container.format.name
    brand = container.metadata.get("major_brand", "").strip()
    # covers of songs and albums are video streams too
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if format_name.endswith("_pipe") or format_name == "image2" or brand in _PICTURES:
        problem = "is a picture; give it the ending of one, such as .jpg"
    elif not streams:
        problem = "has no video in it"
    elif streams[0].codec_context.name in _TEXT_ART:
        problem = "is a text, not a video"
    else:
        return container, streams[0]
    container.close()
    raise UsageError(f"{path} {problem}")


class VideoReader(Source):
    """The first video stream of a file, upright, with its own timing.

    stream: what is decoded.
    start: seconds before the file's first packet, which the frames' pts leave out.
    pixel_aspect: width by height of a pixel, upright; 0 if that is not known.

    Raises:
        UsageError: when the file is missing, cut off or holds no video.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index = 0
        self._last_pts: int | None = None
        self._container, self.stream = _open(path)
        try:
            self._begin()
        except BaseException:
            self._container.close()
            raise

    def _begin(self) -> None:
        stream = self.stream
        stream.thread_type = "AUTO"
        self._pictures = self._container.decode(stream)
        self._ahead = self._next()
        if self._ahead is None:
            raise UsageError(f"{self.path} has no frames that can be read; it may be cut off")
        picture, image = self._ahead
        self.size = Size.of(image)
        self.fps = float(stream.average_rate or stream.guessed_rate or 30)
        self.total = stream.frames or self._estimate()
        time_base = stream.time_base or 1 / Fraction(self.fps)
        self.time_base = time_base
        self._step = max(1, round(1 / (self.fps * time_base)))
        self.start = max(Fraction(0), Fraction(self._container.start_time or 0, av.time_base))
        self._offset = round(self.start / time_base)
        self.pixel_aspect = stream.sample_aspect_ratio or Fraction(0)
        if self.pixel_aspect and _orientation(picture)[0]:
            self.pixel_aspect = 1 / self.pixel_aspect

    def _estimate(self) -> int | None:
        if not self._container.duration:
            return None
        return round(self._container.duration / av.time_base * self.fps)

    def describe(self) -> str:
        codec = self.stream.codec_context.name
        return f"{self.path.name}: {self.size} at {self.fps:.4g} fps {codec}"

    def _next(self) -> tuple[VideoFrame, Image] | None:
        try:
            picture = next(self._pictures, None)
            return None if picture is None else (picture, upright(picture))
        except (av.FFmpegError, OSError) as error:
            if self._index == 0:
                raise UsageError(f"{self.path} cannot be decoded ({reason(error)})") from error
            raise SourceError(
                f"{self.path} is damaged after frame {self._index} ({reason(error)})"
            ) from error

    def read(self) -> Frame | None:
        if self._ahead is None:
            return None
        picture, image = self._ahead
        if Size.of(image) != self.size:
            raise SourceError(
                f"{self.path} changes its picture size at frame {self._index}, "
                "which is not supported; cut it there and render the parts"
            )
        self._last_pts = self._pts(picture)
        duration = picture.duration or self._step
        frame = Frame(image, self._index, time.monotonic(), self._last_pts, duration)
        self._index += 1
        self._ahead = self._next()
        return frame

    def _pts(self, picture: VideoFrame) -> int:
        """A frame's time; without time stamps, or with one twice, it still goes forward."""
        if picture.pts is None:
            return 0 if self._last_pts is None else self._last_pts + self._step
        pts = picture.pts - self._offset
        return pts if self._last_pts is None else max(pts, self._last_pts + 1)

    def close(self) -> None:
        self._container.close()
