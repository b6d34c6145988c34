"""A video file through PyAV: H.264, the source's frame timing, its audio copied untouched."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from av.video.stream import VideoStream

from realtime_bokeh.errors import SinkError, SourceError, UsageError
from realtime_bokeh.files import check_output, ffmpeg_name, reason, temporary_path
from realtime_bokeh.frame import EXACT, Frame, Sink
from realtime_bokeh.sizes import Size

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
AnyPacket: TypeAlias = "Packet[Any]"
_LIVE_TIME_BASE = Fraction(1, 90_000)
# visually lossless, at a speed that leaves the processor to the network; B-frames would make the
# length that an MP4 states wrong where frames are not evenly spaced
_OPTIONS = {"crf": "18", "preset": "veryfast", "bf": "0"}
_KEEP_DURATIONS = 1 << 8  # AV_CODEC_FLAG_FRAME_DURATION
_BT709, _UNSPECIFIED, _BT601 = 1, 2, 5
# AVColorSpace: matrices that swscale converts to; the others become BT.709
_MATRICES = {_BT709, _UNSPECIFIED, 4, 5, 6, 7, 9}


class Original(Protocol):
    """What the written video inherits from; `sources.video.VideoReader` is one."""

    path: Path
    stream: VideoStream
    start: Fraction
    pixel_aspect: Fraction


class VideoWriter(Sink):
    """Writes beside the path and renames at the end: the file appears whole or not at all.

    Args:
        path: ending in .mp4, .m4v, .mov or .mkv.
        size: (height, width) of every frame.
        fps: nominal.
        time_base: seconds per unit of the frames' pts; None for live frames, whose time of
            capture is used.
        original: a video whose audio tracks, metadata, colour description and pixel shape are
            carried over.

    Raises:
        UsageError: as `files.check_output`, or when the original's audio does not fit the format.
        SinkError: when the file cannot be written.
    """

    def __init__(
        self, path: Path, size: Size, fps: float, time_base: Fraction | None = None,
        original: Original | None = None,
    ) -> None:  # fmt: skip
        check_output(path, "a video", FORMATS)
        self._path = path
        self._part = temporary_path(path)
        self._live = time_base is None
        self._time_base = time_base or _LIVE_TIME_BASE
        self._began: float | None = None
        self._last_pts = -1
        self._failed = False
        self._original: InputContainer | None = None
        self._audio: Iterator[AnyPacket] = iter(())
        self._waiting: AnyPacket | None = None
        self._container: OutputContainer | None = None
        try:
            self._guarded(lambda: self._open(size, fps, original))
        except BaseException:
            self._discard()
            raise

    def _open(self, size: Size, fps: float, original: Original | None) -> None:
        height, width = size
        self._container = av.open(
            ffmpeg_name(self._part), "w", format=FORMATS[self._path.suffix.lower()]
        )
        rate = Fraction(fps).limit_denominator(1001)
        stream = self._container.add_stream("libx264", rate=rate, options=_OPTIONS)
        assert isinstance(stream, VideoStream)
        self._stream = stream
        stream.width, stream.height = width, height
        # halved colour needs even sides
        stream.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
        context = stream.codec_context
        context.time_base = self._time_base
        context.flags |= _KEEP_DURATIONS
        self._matrix, self._range = _BT709, int(ColorRange.MPEG)
        context.color_primaries = context.color_trc = _BT709
        if original is not None:
            theirs = original.stream.codec_context
            self._matrix = theirs.colorspace if theirs.colorspace in _MATRICES else _BT709
            self._range = int(theirs.color_range) or int(ColorRange.MPEG)
            context.color_primaries, context.color_trc = theirs.color_primaries, theirs.color_trc
            context.sample_aspect_ratio = original.pixel_aspect
        context.colorspace, context.color_range = self._matrix, self._range
        if original is None:
            self._container.start_encoding()  # opens the file
        else:
            self._copy_audio(original)

    def _copy_audio(self, original: Original) -> None:
        """Announce the original's audio tracks and get ready to copy their packets."""
        assert self._container is not None
        self._original = av.open(ffmpeg_name(original.path))
        self._container.metadata.update(self._original.metadata)
        tracks: dict[int, AudioStream] = {}
        try:
            for track in self._original.streams.audio:
                tracks[track.index] = self._container.add_stream_from_template(track)
                tracks[track.index].metadata.update(track.metadata)
            self._container.start_encoding()  # opens the file
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, OSError) or not self._original.streams.audio:
                raise  # the disk, not the format
            names = sorted({t.codec_context.name for t in self._original.streams.audio})
            raise UsageError(
                f"{self._path}: {self._path.suffix} cannot hold the audio as it is "
                f"({', '.join(names)}); choose an output ending in .mkv"
            ) from error
        if tracks:
            self._audio = _packets(self._original, tracks, original)
            self._waiting = next(self._audio, None)

    def describe(self) -> str:
        return f"{self._path}"

    def write(self, frame: Frame) -> None:
        picture = VideoFrame.from_ndarray(frame.image, format="bgr24").reformat(
            format=self._stream.pix_fmt,
            dst_colorspace=_BT601 if self._matrix in (_UNSPECIFIED, 6) else self._matrix,
            dst_color_range=self._range,
            interpolation=EXACT,
        )
        picture.pts = self._pts(frame)
        picture.duration = frame.duration  # of the last one nothing else tells
        picture.time_base = self._time_base
        self._guarded(lambda: self._mux(self._stream.encode(picture)))

    def _pts(self, frame: Frame) -> int:
        if self._began is None:
            self._began = frame.captured_at
        if not self._live and frame.pts is not None:
            return frame.pts
        pts = round((frame.captured_at - self._began) / self._time_base)
        self._last_pts = max(pts, self._last_pts + 1)
        return self._last_pts

    def _mux(self, packets: Sequence[AnyPacket]) -> None:
        """Write video packets, and before each the audio that is due."""
        assert self._container is not None
        for packet in packets:
            if packet.dts is not None and packet.time_base is not None:
                self._mux_audio(packet.dts * packet.time_base)
            self._container.mux(packet)

    def _mux_audio(self, until: Fraction | None) -> None:
        assert self._container is not None
        while self._waiting is not None:
            packet = self._waiting
            assert packet.dts is not None
            assert packet.time_base is not None
            if until is not None and packet.dts * packet.time_base > until:
                return
            self._container.mux(packet)
            self._waiting = next(self._audio, None)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            raise SinkError(
                f"{self._path} cannot be written ({reason(error)}); nothing was kept"
            ) from error

    def _finish(self) -> None:
        assert self._container is not None
        self._mux(self._stream.encode(None))
        self._mux_audio(None)
        self._container.close()
        os.replace(self._part, self._path)

    def close(self, complete: bool) -> None:
        if self._container is None:  # a second time
            return
        try:
            if complete and self._began is not None and not self._failed:
                self._guarded(self._finish)
        finally:
            self._discard()

    def _discard(self) -> None:
        for container in (self._container, self._original):
            if container is not None:
                # a full disk again, or nothing written yet: the file goes anyway
                with contextlib.suppress(av.FFmpegError, OSError):
                    container.close()
        self._container = self._original = None
        with contextlib.suppress(OSError):  # the error that led here is the one to tell
            self._part.unlink(missing_ok=True)


def _packets(
    container: InputContainer, tracks: Mapping[int, AudioStream], original: Original
) -> Iterator[AnyPacket]:
    """The original's audio packets, on the time line of its frames.

    Raises:
        SourceError: when the original is damaged.
    """
    try:
        for packet in container.demux([s for s in container.streams.audio if s.index in tracks]):
            if packet.dts is None or packet.time_base is None:
                continue  # the end
            offset = round(original.start / packet.time_base)
            packet.dts -= offset
            packet.pts = packet.dts if packet.pts is None else packet.pts - offset
            packet.stream = tracks[packet.stream.index]
            yield packet
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{original.path} has damaged audio ({reason(error)})") from error
