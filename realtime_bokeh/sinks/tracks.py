"""What a video has beside its pictures: sound, subtitles, chapters, tags, covers, attachments.

Copied where the new file's format can hold them, else made again, else left out with a remark.
"""

import io
from collections import deque
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import av
from av.audio.stream import AudioStream
from av.codec import Codec
from av.container import OutputContainer
from av.stream import AttachmentStream, Discard, Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from realtime_bokeh.colours import Colours
from realtime_bokeh.files import ffmpeg_name, reason
from realtime_bokeh.sinks.packets import AnyPacket, Copied, Recoded, Rewritten, Track

if TYPE_CHECKING:  # PyAV has it in its stubs only
    from av.container.core import Chapter

_SOUND = {"mp4": "aac", "mov": "aac", "matroska": "aac", "webm": "libopus"}  # where made again
_BIT_RATE = 96_000  # for each channel
_LAYOUTS = {
    1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1",
}  # fmt: skip
_COVERS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}  # by codec
_TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
_TEXTS = {
    "subrip",
    "srt",
    "ass",
    "ssa",
    "mov_text",
    "webvtt",
    "text",
}  # codecs of written subtitles
_APPLE = "com.apple.quicktime."
_OF_THE_FILE = {  # tags that say how the original was stored
    "major_brand", "minor_version", "compatible_brands", "encoder", "software", "duration",
    "alpha_mode",
    "number_of_frames", "number_of_bytes", "bps", "vendor_id",
    "company_name", "product_name", "product_version", "product_version_num", "product_uid",
    "toolkit_version_num", "application_platform", "operational_pattern_ul", "uid",
    "generation_uid", "material_package_umid", "file_package_umid", "package_umid",  # of MXF
}  # fmt: skip


class Original(Protocol):
    """What the written video inherits from; `sources.video.VideoReader` is one, and says more."""

    stream: VideoStream
    others: list[Stream]
    packets: deque[tuple[int, AnyPacket]]
    chapters: list["Chapter"]
    metadata: dict[str, str]
    colours: Colours
    pixel_aspect: Fraction


class Tracks:
    """Everything of an original but its pictures, on the way into a new file.

    Args:
        container: of the new file, into which nothing was written yet.
        ending: of its name, for sentences.

    remarks: sentences on what is not as it was, complete after `check_tags`.
    damaged: how many packets could not be taken.
    """

    def __init__(self, container: OutputContainer, original: Original, ending: str) -> None:
        self.remarks: list[str] = []
        self._container = container
        self._format = container.format.name
        self._ending = ending
        self._packets = original.packets
        self._tracks: dict[int, Track] = {}
        self.damaged = 0
        self._metadata = _tags(original.metadata)
        container.metadata.update(self._metadata)
        if original.chapters:
            container.set_chapters(original.chapters)
        for stream in original.others:
            self._add(stream)

    @staticmethod
    def options(format_name: str, original: Original) -> dict[str, str]:
        """What the file's writer is to be told."""
        if format_name in ("matroska", "webm"):
            return {"default_mode": "passthrough"}  # tracks are the default that were it
        if any(name.startswith(_APPLE) for name in original.metadata):
            return {"movflags": "use_metadata_tags"}
        return {}

    def describe_video(self, stream: VideoStream, original: Original) -> None:
        """Give the video what the original's says about itself."""
        stream.metadata.update(_track_tags(original.stream.metadata))
        stream.disposition = original.stream.disposition

    def _add(self, stream: Stream) -> None:
        if isinstance(stream, AttachmentStream):
            self._add_attachment(stream)
        elif stream.disposition & Disposition.attached_pic:
            self._add_cover(stream)
        elif isinstance(stream, AudioStream):
            self._add_sound(stream)
        elif isinstance(stream, SubtitleStream):
            self._add_subtitles(stream)
        elif stream.type == "video":
            self._leave_out(stream, "only one video is rendered")
        elif stream.discard != Discard.all and "timecode" not in stream.metadata:
            # the first are titles of chapters, which are kept, as time codes are
            self._leave_out(stream, "it is neither sound nor picture")

    def _add_sound(self, stream: AudioStream) -> None:
        if stream.codec_context is None:
            self._leave_out(stream, "its kind is unknown")
        elif not stream.codec_context.sample_rate:
            self._leave_out(stream, "nothing of it came at the beginning")
        elif self._holds(stream):
            self._copy(stream)
        else:
            self._recode(stream)

    def _recode(self, stream: AudioStream) -> None:
        name = _SOUND[self._format]
        context = stream.codec_context
        channels = context.channels
        layout = _LAYOUTS.get(channels, "stereo")
        # not read: PyAV frees an order of channels of the file's own twice
        context.layout = layout if channels in _LAYOUTS else f"{channels}c"
        rates = Codec(name, "w").audio_rates or []
        rate = context.sample_rate if context.sample_rate in rates else 48_000
        try:
            context.open(strict=False)
            made = self._container.add_stream(
                name, rate=rate, layout=layout, bit_rate=_BIT_RATE * min(channels, 8)
            )
            assert isinstance(made, AudioStream)
        except (av.FFmpegError, ValueError) as error:
            self._leave_out(stream, f"it can be neither copied nor decoded ({reason(error)})")
            return
        self._keep(stream, Recoded(made, stream))
        fewer = "" if channels in _LAYOUTS else f", in stereo instead of {channels} channels"
        self.remarks.append(
            f"{_title(stream)} was encoded anew in {name.removeprefix('lib')}{fewer}, since "
            f"{self._ending} cannot hold it as it is"
        )

    def _add_subtitles(self, stream: SubtitleStream) -> None:
        context = stream.codec_context
        if self._holds(stream):
            self._copy(stream)
        elif context is None or context.name not in _TEXTS:
            self._leave_out(stream, f"{self._ending} cannot hold it")
        else:
            context.open(strict=False)
            made = self._container.add_stream(_TEXT[self._format])
            assert isinstance(made, SubtitleStream)
            made.codec_context.subtitle_header = context.subtitle_header
            made.codec_context.time_base = Fraction(1, 1000)
            self._keep(stream, Rewritten(made, stream))

    def _add_attachment(self, stream: AttachmentStream) -> None:
        if self._format == "matroska" and stream.name and stream.mimetype:
            self._container.add_attachment(stream.name, stream.mimetype, stream.data)
        else:
            self._leave_out(stream, f"{self._ending} cannot hold it")

    def _add_cover(self, stream: Stream) -> None:
        """The picture of a cover is the first thing that comes out of a file."""
        found = [packet for number, packet in self._packets if number == stream.index]
        kind = _COVERS.get(stream.codec_context.name) if stream.codec_context else None
        if found and kind and self._format == "matroska":
            self._container.add_attachment(*kind, bytes(found[0]))
        elif found and self._holds(stream):
            self._copy(stream)
        else:
            self._leave_out(stream, f"{self._ending} cannot hold it")

    def _holds(self, stream: Stream) -> bool:
        """Whether the format takes a track as it is, found out with a file in memory."""
        first = [packet for number, packet in self._packets if number == stream.index][:1]
        try:
            with av.open(io.BytesIO(), "w", format=self._format) as trial:
                copied = trial.add_stream_from_template(stream)
                trial.start_encoding()
                for packet in first:
                    trial.mux(_twin(packet, copied))
        except (av.FFmpegError, ValueError):
            return False
        return True

    def _copy(self, stream: Stream) -> None:
        self._keep(stream, Copied(self._container.add_stream_from_template(stream)))

    def _keep(self, stream: Stream, track: Track) -> None:
        track.stream.metadata.update(_track_tags(stream.metadata))
        track.stream.disposition = stream.disposition
        self._tracks[stream.index] = track

    def _leave_out(self, stream: Stream, why: str) -> None:
        self.remarks.append(f"{_title(stream)} was left out: {why}")

    def check_tags(self, path: Path) -> None:
        """Remark on tags that the new file does not have, now that it is whole."""
        with av.open(ffmpeg_name(path), "r", metadata_errors="replace") as written:
            # a time code becomes a track
            places = [written.metadata, *(stream.metadata for stream in written.streams)]
            found = {name.lower() for place in places for name in place}
            values = {value for place in places for value in place.values()}
        missing = sorted(
            name for name, value in self._metadata.items()
            if name.lower() not in found and value not in values
        )  # fmt: skip
        if missing:
            noun = "tag" if len(missing) == 1 else "tags"
            self.remarks.append(f"{self._ending} cannot hold the {noun} {', '.join(missing)}")

    def due(self, until: Fraction | None) -> Iterator[AnyPacket]:
        """What is to be written before the video goes on at a moment in seconds; None: all."""
        while self._packets and (until is None or _moment(self._packets[0][1]) <= until):
            number, packet = self._packets.popleft()
            track = self._tracks.get(number)
            if track is not None:
                yield from self._taken(track, packet)
        if until is None:
            for track in self._tracks.values():
                yield from track.finish()

    def _taken(self, track: Track, packet: AnyPacket) -> list[AnyPacket]:
        try:
            return track.take(packet)
        except (av.FFmpegError, ValueError):
            self.damaged += 1
            return []


def _twin(packet: AnyPacket, stream: Stream) -> AnyPacket:
    """The same packet for another track, whose writer changes it."""
    twin: AnyPacket = av.Packet(bytes(packet))
    twin.time_base = packet.time_base
    twin.pts, twin.dts, twin.duration = packet.pts, packet.dts, packet.duration
    twin.is_keyframe, twin.stream = packet.is_keyframe, stream
    return twin


def _moment(packet: AnyPacket) -> Fraction:
    stamp = packet.pts if packet.dts is None else packet.dts
    return (stamp or 0) * packet.time_base


def _tags(metadata: Mapping[str, str]) -> dict[str, str]:
    """What a file or a track says about its content, not about how it was stored."""
    return {
        name: value for name, value in metadata.items()
        if name.lower().partition("-")[0] not in _OF_THE_FILE  # some have a language behind them
        and not name.lower().startswith("_statistics")
    }  # fmt: skip


def _track_tags(metadata: Mapping[str, str]) -> dict[str, str]:
    """The same of a track, whose title FFmpeg reads from MP4 by another name than it writes it."""
    tags = _tags(metadata)
    if "name" in tags:
        tags.setdefault("title", tags.pop("name"))
    return tags


def _title(stream: Stream) -> str:
    """A track as sentences call it."""
    names = {"audio": "sound", "subtitle": "subtitles", "data": "data"}
    kind = names.get(stream.type, stream.type)
    if stream.disposition & Disposition.attached_pic:
        kind = "cover"
    details = [
        stream.codec_context.name if stream.codec_context else "",
        stream.language if stream.language not in (None, "und") else "",
    ]
    known = ", ".join(detail for detail in details if detail)
    return f"Track {stream.index} ({kind}{', ' if known else ''}{known})"
