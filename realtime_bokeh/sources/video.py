"""A video file, or a stream on standard input, through PyAV."""

import contextlib
import os
import time
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.codec import CodecContext
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from realtime_bokeh.colours import Colours
from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.files import STANDARD, ffmpeg_name, reason
from realtime_bokeh.frame import Frame, Source
from realtime_bokeh.pipes import StandardInput, interruptible
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.pictures import Developer, Shown, turned
from realtime_bokeh.sources.timeline import AnyPacket, Clock, Timeline
from realtime_bokeh.sources.truncation import stated_length

if TYPE_CHECKING:  # PyAV has it in its stubs only
    from av.container.core import Chapter

_COVER = Disposition.attached_pic
_TEXT_ART = {"ansi", "bintext", "xbin", "idf"}  # codecs by which FFmpeg "decodes" plain text
_PICTURES = {"avif", "avis", "heic", "heix", "hevc", "mif1", "msf1"}  # brands of pictures in MP4
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # decoders that read it; FFmpeg's own do not
# how far FFmpeg looks for the beginning of a track that is announced, and mostly need not
_PROBING = {"analyzeduration": "60000000", "probesize": "100000000"}  # microseconds, bytes
_BESIDE = 2  # seconds by which a picture and its sound may lie apart in a file
_MOST_PIXELS = 8192 * 8192  # a frame of this size takes 2 GB to render


def _open(path: Path) -> InputContainer:
    if path == STANDARD:
        return av.open(StandardInput(), "r", metadata_errors="replace", options=_PROBING)
    if not os.path.isfile(path):
        raise UsageError(f"{path} does not exist or is not a file")
    size = path.stat().st_size
    if size == 0:
        raise UsageError(f"{path} is empty")
    if size < stated_length(path):
        raise UsageError(
            f"{path} is cut off ({size} of {stated_length(path)} bytes); copy or download it again"
        )
    return av.open(ffmpeg_name(path), "r", metadata_errors="replace", options=_PROBING)


def choose_video(container: InputContainer) -> VideoStream | str:
    """The video of a file, or why it has none."""
    brand = container.metadata.get("major_brand", "").strip()
    # covers of songs and albums are video streams too
    streams = [s for s in container.streams.video if not s.disposition & _COVER]
    if container.format.name.endswith("_pipe") or container.format.name == "image2":
        return "is a picture; give it the ending of one, such as .jpg"
    if brand in _PICTURES:
        return "is a picture; give it the ending of one, such as .heic"
    if not streams:
        return "has no video in it"
    known = [s for s in streams if s.codec_context is not None]
    if not known:
        return "has a video of a kind that cannot be decoded; convert it to H.264"
    # a camera may put a preview of one frame beside its video
    chosen = max(known, key=lambda s: (bool(s.disposition & Disposition.default), s.frames != 1))
    if chosen.codec_context.name in _TEXT_ART:
        return "is a text, not a video"
    return chosen


def nominal_rate(stream: VideoStream) -> Fraction:
    """Frames a second: the lower of what the file says and FFmpeg guesses, for either may count the
    ticks of its clock."""
    known = [rate for rate in (stream.average_rate, stream.guessed_rate) if rate]
    return min(known, default=Fraction(30))


class VideoReader(Source):
    """The main video stream of a file, upright, on the time line that a player shows.

    Args:
        path: `files.STANDARD` is standard input.
        start, end: seconds of what is read, None being the end of the file.
        tracks: whether the packets of all other tracks are gathered for a writer.
        keep_hdr: whether frames of high dynamic range come with deep images, as `Developer` says.

    stream: what is decoded.
    others: the other tracks.
    packets: those of the other tracks that came so far, each behind its track's number, on the
        frames' time line; whoever takes them removes them, and may do so when this is closed.
    chapters: on the frames' time line.
    metadata: what the file says about itself.
    colours: of the frames' numbers, as a rendering should keep them.
    pixel_aspect: width by height of a pixel, upright; 0 if that is not known.
    remarks: sentences on what frames do not show as it was.

    Raises:
        UsageError: when the file is missing, cut off or holds no video.
    """

    time_base: Fraction  # a file always has one

    def __init__(
        self, path: Path, start: float = 0, end: float | None = None, tracks: bool = False,
        keep_hdr: bool = False,
    ) -> None:  # fmt: skip
        self.path = path
        self.name = "Standard input" if path == STANDARD else f"{path}"
        self._index = 0
        self._developer = Developer(keep_hdr)
        self.remarks = self._developer.remarks
        self._size: Size | None = None  # of the first picture as it is stored
        try:
            with interruptible():
                self._container = _open(path)
        except (av.FFmpegError, OSError) as error:
            raise UsageError(
                f"{self.name} is not a video that can be read ({reason(error)})"
            ) from error
        try:
            stream = choose_video(self._container)
            if isinstance(stream, str):
                raise UsageError(f"{self.name} {stream}")
            self.stream = stream
            with interruptible():
                self._begin(Fraction(start), None if end is None else Fraction(end), tracks)
        except BaseException:
            self._container.close()
            raise

    def _begin(self, start: Fraction, end: Fraction | None, tracks: bool) -> None:
        stream, container = self.stream, self._container
        self._refuse_large(Size(stream.height, stream.width))  # before anything is decoded
        stream.thread_type = "AUTO"
        self.fps = float(nominal_rate(stream))
        self.time_base = stream.time_base or 1 / Fraction(self.fps)
        self._step = max(1, round(1 / (self.fps * self.time_base)))
        self._clock = Clock(container.format.name, self._step)
        self._timeline = Timeline(container, stream, start, end)
        self.metadata: dict[str, str] = dict(container.metadata)
        self.chapters = self._moved_chapters(container.chapters())
        self.others: list[Stream] = [s for s in container.streams if s is not stream]
        self.packets: deque[tuple[int, AnyPacket]] = deque()
        self._gathered = [
            s for s in self.others
            if tracks and (s.type in ("audio", "subtitle") or s.disposition & _COVER)
        ]  # fmt: skip
        self.colours = Colours()
        self.pixel_aspect = stream.sample_aspect_ratio or Fraction(0)
        self._frames = self._shown()
        self._ahead = self._next()
        if self._ahead is None and end is not None:
            raise UsageError(f"{self.name} has no picture between --start and --end")
        if self._ahead is None and start:
            raise UsageError(f"{self.name} ends before --start {float(start):g} s")
        if self._ahead is None:
            raise UsageError(f"{self.name} has no frames that can be read; it may be cut off")
        self.size = Size.of(self._ahead.image)
        self.total = self._count()

    def _count(self) -> int | None:
        """How many frames there are between start and end, as far as the file tells."""
        start, end = self._timeline.start, self._timeline.end
        if not start and end is None and self.stream.frames:
            return self.stream.frames
        if self._container.duration:
            whole = Fraction(self._container.duration, av.time_base)
            end = whole if end is None else min(end, whole)
        return None if end is None else max(1, round(float(end - start) * self.fps))

    def _moved_chapters(self, chapters: list["Chapter"]) -> list["Chapter"]:
        """Chapters on the frames' time line."""
        moved: list[Chapter] = []
        for chapter in chapters:
            base = chapter["time_base"] or Fraction(1, 1000)
            begin, finish = (self._timeline.moved(chapter[e] * base) for e in ("start", "end"))
            begin, finish = self._timeline.clipped(begin, finish)
            if begin < finish:
                within = {"start": round(begin / base), "end": round(finish / base)}
                moved.append({**chapter, **within})  # type: ignore[typeddict-item]
        return moved

    def describe(self) -> str:
        codec = self.stream.codec_context.name
        name = self.path.name if self.path != STANDARD else self.name
        return f"{name}: {self.size} at {self.fps:.4g} fps {codec}"

    def _decoder(self) -> VideoCodecContext:
        context = self.stream.codec_context
        name = _WITH_ALPHA.get(context.name)
        tags = {tag.lower(): value for tag, value in self.stream.metadata.items()}
        if name is None or tags.get("alpha_mode") != "1":
            return context
        decoder = CodecContext.create(name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.extradata = context.extradata
        return decoder

    def _shown(self) -> Iterator[Shown]:
        """All images between start and end; meanwhile the other tracks' packets are gathered."""
        decoder = self._decoder()
        before: VideoFrame | None = None  # the latest frame before the start
        over = False  # the video is, but the sound of its end may lie behind it in the file
        for packet in self._demuxed():
            self._timeline.place(packet)
            if packet.stream is not self.stream:
                cover = packet.stream.disposition & _COVER  # it belongs to no moment
                if packet.size and (cover or self._timeline.holds(packet)):
                    self.packets.append((packet.stream.index, packet))
                continue
            self._clock.note(packet)
            if packet.dts is not None and not packet.size:
                continue  # a frame that the recorder left out; decoders take it for the end
            if over and self._timeline.is_over((packet.dts or 0) * self.time_base - _BESIDE):
                break
            for picture in () if over else decoder.decode(packet):
                pts = self._clock(picture)
                if self._size is None:
                    self._describe(picture)
                over = over or self._timeline.is_over(pts * self.time_base)
                if pts < 0 and self._timeline.start:
                    before = picture
                    continue
                if before is not None and (over or pts > self._step):
                    # it is shown when the part begins, and until this one comes
                    until = min(pts, round(self._timeline.length / self.time_base)) if over else pts
                    yield from self._developer.develop(before, 0, until)
                before = None
                if not over:
                    yield from self._developer.develop(picture, pts, self._clock.duration(picture))
        yield from self._developer.finish()

    def _describe(self, picture: VideoFrame) -> None:
        """Take from the first picture what holds for all."""
        self._size = Size(picture.height, picture.width)
        self._refuse_large(self._size)
        self.colours = self._developer.begin(picture)
        if self.pixel_aspect and turned(picture)[0]:
            self.pixel_aspect = 1 / self.pixel_aspect

    def _refuse_large(self, size: Size) -> None:
        if size.area > _MOST_PIXELS:
            raise UsageError(f"{self.name} is {size}: too large; shrink it first")

    def _demuxed(self) -> Iterator[AnyPacket]:
        """All that is read, from near the start on if the file has an index."""
        packets = self._container.demux([self.stream, *self._gathered])
        head: list[AnyPacket] = []
        for packet in packets:
            head.append(packet)
            if packet.stream is self.stream:
                self._timeline.begin_with(packet)
                break
        # what is skipped in a pipe would be lost
        if self._timeline.start and self._timeline.exact_seek and self.path != STANDARD:
            begin = -self._timeline.moved(Fraction(0))
            with contextlib.suppress(av.FFmpegError, OSError):
                self._container.seek(round(begin / self.time_base), stream=self.stream)
                head = [packet for packet in head if packet.stream.disposition & _COVER]
                packets = self._container.demux([self.stream, *self._gathered])
        yield from head
        yield from packets

    def _next(self) -> Shown | None:
        try:
            return next(self._frames, None)
        except (av.FFmpegError, OSError, ValueError) as error:
            if self._index == 0:
                hint = "; through a pipe comes what is read from front to back, such as Matroska"
                raise UsageError(
                    f"{self.name} cannot be decoded ({reason(error)})"
                    f"{hint if self.path == STANDARD else ''}"
                ) from error
            raise SourceError(
                f"{self.name} is damaged after frame {self._index} ({reason(error)})"
            ) from error

    def read(self) -> Frame | None:
        if self._ahead is None:
            return None
        shown = self._ahead
        if Size.of(shown.image) != self.size:
            raise SourceError(
                f"{self.name} changes its picture size at frame {self._index}, "
                "which is not supported; cut it there and render the parts"
            )
        frame = Frame(
            shown.image, self._index, time.monotonic(), shown.pts, shown.duration, shown.deep
        )
        self._index += 1
        self._ahead = self._next()
        return frame

    def close(self) -> None:
        self._container.close()
