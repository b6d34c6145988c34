"""Ways of a track's packets into a new file."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet
from av.subtitles.stream import SubtitleStream

AnyPacket: TypeAlias = "Packet[Any]"
_READING = 3  # seconds for which a line is shown that does not say how long


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
        self._shaper: AudioResampler | None = None
        self._form: tuple[str, int, int] | None = None  # of the frames that it takes

    def take(self, packet: AnyPacket) -> list[AnyPacket]:
        return self._encode(self._source.decode(packet))

    def finish(self) -> list[AnyPacket]:
        # what a decoder gives without a time lies behind the end of the last packet
        made = self._encode([f for f in self._source.decode(None) if f.pts is not None])
        return [*made, *self._shaped(None), *self.stream.encode(None)]

    def _encode(self, frames: Sequence[AudioFrame]) -> list[AnyPacket]:
        made: list[AnyPacket] = []
        for frame in frames:
            form = (frame.format.name, frame.layout.nb_channels, frame.sample_rate)
            if form != self._form:  # as when a film follows advertising
                made += self._shaped(None)
                target = self.stream.codec_context
                self._form = form
                self._shaper = AudioResampler(target.format, target.layout, target.sample_rate)
            made += self._shaped(frame)
        return made

    def _shaped(self, frame: AudioFrame | None) -> list[AnyPacket]:
        """A frame in the encoder's form, encoded; None: what is left of those before."""
        if self._shaper is None:
            return []
        shaped = self._shaper.resample(frame)
        return [packet for part in shaped for packet in self.stream.encode(part)]


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
        written.time_base = packet.time_base
        written.duration = packet.duration or round(_READING / packet.time_base)
        written.stream = self.stream
        return [written]

    def finish(self) -> list[AnyPacket]:
        return []
