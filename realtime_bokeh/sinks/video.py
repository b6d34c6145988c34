"""A video file through PyAV: H.264, the source's frame timing, its audio copied untouched."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.files import beside, check_output, reason
from realtime_bokeh.frame import Frame
from realtime_bokeh.geometry import Size

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
AnyPacket: TypeAlias = "Packet[Any]"
_LIVE_TIME_BASE = Fraction(1, 90_000)
# visually lossless, at a speed that leaves the processor to the network
_OPTIONS = {"crf": "18", "preset": "veryfast"}
_BT709, _UNSPECIFIED = 1, 2


class VideoFile:
    """Writes beside the path and renames at the end: the file appears whole or not at all.

    Args:
        path: ending in .mp4, .m4v, .mov or .mkv.
        size: (height, width) of every frame.
        fps: nominal.
        time_base: seconds per unit of the frames' pts; None for live frames, whose time of
            capture is used.
        original: a video whose audio tracks, metadata and colour description are carried over.

    Raises:
        UsageError: as `files.check_output`, or when the original's audio does not fit the format.
        SinkError: when the file cannot be written.
    """

    live = False

    def __init__(
        self, path: Path, size: Size, fps: float, time_base: Fraction | None = None,
        original: Path | None = None,
    ) -> None:  # fmt: skip
        check_output(path, FORMATS)
        self._path = path
        self._part = beside(path)
        self._time_base = time_base
        self._began: float | None = None
        self._last_pts = -1
        self._original: InputContainer | None = None
        self._audio: Iterator[AnyPacket] = iter(())
        self._waiting: AnyPacket | None = None
        try:
            self._open(size, fps, original)
        except BaseException:
            self._discard()
            raise

    def _open(self, size: Size, fps: float, original: Path | None) -> None:
        height, width = size
        try:
            self._container: OutputContainer = av.open(
                os.fspath(self._part), "w", format=FORMATS[self._path.suffix.lower()]
            )
        except (av.FFmpegError, OSError) as error:
            raise SinkError(f"{self._path} cannot be written ({reason(error)})") from error
        rate = Fraction(fps).limit_denominator(1001)
        stream = self._container.add_stream("libx264", rate=rate, options=_OPTIONS)
        assert isinstance(stream, VideoStream)
        self._stream = stream
        stream.width, stream.height = width, height
        # halved colour needs even sides
        stream.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
        stream.codec_context.time_base = self._time_base or _LIVE_TIME_BASE
        self._matrix, self._range = _BT709, int(ColorRange.MPEG)
        if original is None:
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = _BT709
        else:
            self._carry_over(original)

    def _carry_over(self, original: Path) -> None:
        self._original = av.open(os.fspath(original))
        ours = self._stream.codec_context
        theirs = self._original.streams.video[0].codec_context
        ours.colorspace, ours.color_range = theirs.colorspace, theirs.color_range
        ours.color_primaries, ours.color_trc = theirs.color_primaries, theirs.color_trc
        self._matrix = int(theirs.colorspace)
        self._range = int(theirs.color_range) or int(ColorRange.MPEG)
        self._container.metadata.update(self._original.metadata)
        tracks = {}
        for track in self._original.streams.audio:
            try:
                tracks[track.index] = self._container.add_stream_from_template(track)
            except (av.FFmpegError, ValueError) as error:
                raise self._unfit(track.codec_context.name) from error
            tracks[track.index].metadata.update(track.metadata)
        if tracks:
            try:
                self._container.start_encoding()
            except (av.FFmpegError, ValueError) as error:
                names = {t.codec_context.name for t in self._original.streams.audio}
                raise self._unfit(", ".join(sorted(names))) from error
            self._audio = self._packets(self._original, tracks)
            self._waiting = next(self._audio, None)

    def _unfit(self, codec: str) -> UsageError:
        return UsageError(
            f"{self._path}: {self._path.suffix} cannot hold the audio as it is ({codec}); "
            "choose an output ending in .mkv"
        )

    @staticmethod
    def _packets(original: InputContainer, tracks: Mapping[int, Stream]) -> Iterator[AnyPacket]:
        for packet in original.demux([s for s in original.streams.audio if s.index in tracks]):
            if packet.dts is not None:  # else the end
                packet.stream = tracks[packet.stream.index]
                yield packet

    def describe(self) -> str:
        return f"{self._path}"

    def write(self, frame: Frame) -> None:
        if self._began is None:
            self._began = frame.captured_at
        if self._time_base is None or frame.pts is None:
            pts = round((frame.captured_at - self._began) / _LIVE_TIME_BASE)
        else:
            pts = frame.pts
        self._last_pts = max(pts, self._last_pts + 1)
        picture = VideoFrame.from_ndarray(frame.image, format="bgr24")
        matrix = Colorspace.ITU601 if self._matrix == _UNSPECIFIED else Colorspace(self._matrix)
        picture = picture.reformat(
            format=self._stream.pix_fmt, dst_colorspace=matrix, dst_color_range=self._range
        )
        picture.pts = self._last_pts
        picture.time_base = self._stream.codec_context.time_base
        self._guarded(lambda: self._mux(self._stream.encode(picture)))

    def _mux(self, packets: Sequence[AnyPacket]) -> None:
        """Write video packets, and before each the audio that is due."""
        for packet in packets:
            if packet.dts is not None and packet.time_base is not None:
                self._mux_audio(packet.dts * packet.time_base)
            self._container.mux(packet)

    def _mux_audio(self, until: Fraction | None) -> None:
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
            raise SinkError(
                f"{self._path} cannot be written ({reason(error)}); nothing was kept"
            ) from error

    def _finish(self) -> None:
        self._mux(self._stream.encode(None))
        self._mux_audio(None)
        self._container.close()

    def close(self, complete: bool) -> None:
        try:
            if complete and self._began is not None:
                self._guarded(self._finish)
                os.replace(self._part, self._path)
        finally:
            self._discard()

    def _discard(self) -> None:
        for container in (getattr(self, "_container", None), self._original):
            if container is not None:
                # a full disk again, or nothing written yet: the file goes anyway
                with contextlib.suppress(av.FFmpegError, OSError):
                    container.close()
        self._part.unlink(missing_ok=True)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
