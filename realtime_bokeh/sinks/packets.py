"""Ways of a track's packets into a new file."""

from typing import Any, Protocol, TypeAlias

from av.audio.stream import AudioStream
from av.packet import Packet
from av.subtitles.stream import SubtitleStream

AnyPacket: TypeAlias = "Packet[Any]"


class Track(Protocol):
    """A track of the new file.

    stream: the new file's.
    """

    stream: Any

    def take(self, packet: AnyPacket) -> list[AnyPacket]:
        """What is to be written for a packet of the original.

        Raises:
            av.FFmpegError: when the packet is damaged.
        """

    def finish(self) -> list[AnyPacket]:
        """What is left to write."""


class Copied:
    """A track whose packets go into the file as they are."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._latest: int | None = None

    def take(self, packet: AnyPacket) -> list[AnyPacket]:
        packet.stream = self.stream
        if packet.dts is None:
            packet.dts = packet.pts
        if packet.dts is not None and self._latest is not None and packet.dts <= self._latest:
            packet.dts = self._latest + 1  # else the file's writer gives up
            packet.pts = packet.dts if packet.pts is None else max(packet.pts, packet.dts)
        self._latest = packet.dts
        return [packet]

    def finish(self) -> list[AnyPacket]:
        return []


class Recoded:
    """Sound that is decoded and encoded anew."""

    def __init__(self, stream: AudioStream, source: AudioStream) -> None:
        self.stream = stream
        self._source = source.codec_context  # it outlives the original's file, as packets do

    def take(self, packet: AnyPacket) -> list[AnyPacket]:
        frames = self._source.decode(packet)  # the encoder brings them into its own form
        return [made for frame in frames for made in self.stream.encode(frame)]

    def finish(self) -> list[AnyPacket]:
        frames = [*self._source.decode(None), None]
        return [made for frame in frames for made in self.stream.encode(frame)]


class Rewritten:
    """Subtitles in another way of writing them."""

    def __init__(self, stream: SubtitleStream, source: SubtitleStream) -> None:
        self.stream = stream
        self._source = source.codec_context

    def take(self, packet: AnyPacket) -> list[AnyPacket]:
        lines = self._source.decode2(packet)
        if lines is None or not len(lines):
            return []
        written: AnyPacket = self.stream.codec_context.encode_subtitle(lines)
        written.pts = written.dts = packet.pts
        written.duration, written.time_base = packet.duration, packet.time_base
        written.stream = self.stream
        return [written]

    def finish(self) -> list[AnyPacket]:
        return []
