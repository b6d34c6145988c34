"""When a player shows what a file holds: its time stamps, put right.

The methods are those of FFmpeg's own program and player (fftools, libavcodec's
`guess_correct_pts`), which no library offers.
"""

from fractions import Fraction
from typing import Any, TypeAlias

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

AnyPacket: TypeAlias = "Packet[Any]"
_TS_DISCONT = 0x200  # AVFMT_TS_DISCONT
_JUMP = 10  # seconds between packets of a track that only a seam between recordings explains
_NEAR = Fraction(1, 2)  # seconds within which a packet goes on where its track ended
_BACK = Fraction(1, 10)  # seconds that a track may go back without being at a seam
_PREROLL = Fraction(1, 20)  # seconds of sound that a decoder needs before what is heard
_DECODING_ORDER = {"avi"}  # formats that store no times of presentation


class Timeline:
    """Moves packets to a time line that begins at 0 and runs on over the seams of recordings that
    were joined, as transport streams may be.

    Args:
        start, end: seconds of that line: what lies outside is left out, and the line
            begins anew at `start`; None for the end of the file.
    """

    def __init__(
        self, container: InputContainer, video: VideoStream, start: Fraction, end: Fraction | None
    ) -> None:
        self.start, self.end = start, end
        begin = Fraction(container.start_time or 0, av.time_base)
        if begin < 0:  # sound may begin before 0, so that its decoder is ready; a picture does not
            base = video.time_base or Fraction(1)
            begin = min(Fraction(0), (video.start_time or 0) * base)
        self._shift = -begin
        self._seams = Fraction(0)
        self._has_seams = bool(container.format.flags & _TS_DISCONT)
        self.exact_seek = not self._has_seams and container.format.name not in _DECODING_ORDER
        self._former = Fraction(0)  # what `_seams` was before the latest
        self._behind: set[int] = set()  # tracks of which nothing came since then
        self._next: dict[int, Fraction] = {}  # where each track would go on to be decoded
        self._shown = Fraction(0)  # until when all tracks together are shown

    def begin_with(self, packet: AnyPacket) -> None:
        """Move the line if the file's first packet of the video lies before it: the start that a
        file states may leave out tracks without times of presentation."""
        stamp = packet.dts if packet.pts is None else packet.pts
        if stamp is not None and packet.time_base is not None and not packet.is_discard:
            self._shift = max(self._shift, -stamp * packet.time_base)

    def place(self, packet: AnyPacket) -> None:
        """Move a packet's time stamps."""
        stamps = [stamp for stamp in (packet.dts, packet.pts) if stamp is not None]
        if not stamps or packet.time_base is None:
            return  # the end, or a format without time stamps
        base = packet.time_base
        seams = self._seams
        if self._has_seams and packet.stream.type in ("video", "audio"):
            decoded, shown = (stamp * base + self._shift for stamp in (stamps[0], stamps[-1]))
            seams = self._seams_for(packet.stream.index, decoded, shown)
            length = (packet.duration or 0) * base
            self._next[packet.stream.index] = decoded + seams + length
            self._shown = max(self._shown, shown + seams + length)
        shift = round((self._shift + seams - self.start) / base)
        if packet.dts is not None:
            packet.dts += shift
        if packet.pts is not None:
            packet.pts += shift

    def _seams_for(self, index: int, decoded: Fraction, shown: Fraction) -> Fraction:
        """What moves a packet over the seams before it, of which it may show the latest."""
        if index in self._behind:
            if abs(decoded + self._former - self._next[index]) < _NEAR:
                return self._former  # it belongs to what was before the seam
            self._behind.discard(index)
            step = decoded + self._seams - self._next[index]
            if abs(step) < _JUMP:  # it is over the seam, too, but may not run far back for it
                self._seams -= step if step < -_BACK else 0
                return self._seams
        if self._lies_beside(index, decoded + self._seams):
            self._former, self._seams = self._seams, self._shown - shown
            self._behind = set(self._next) - {index}
        return self._seams

    def _lies_beside(self, index: int, moment: Fraction) -> bool:
        """Whether a packet goes on neither where its track ended nor where another one is."""
        if not self._next:
            return False
        latest = max(self._next.values())
        back = moment - self._next.get(index, latest - _JUMP)
        return moment - latest > _JUMP or back < -_BACK

    def holds(self, packet: AnyPacket) -> bool:
        """Whether a placed packet of another track than the video's is in what is shown."""
        known = packet.dts if packet.pts is None else packet.pts
        if known is None or packet.time_base is None:
            return False
        begin = known * packet.time_base
        finish = begin + (packet.duration or 0) * packet.time_base
        if packet.is_discard:  # an edit list hides it
            return finish > -_PREROLL and begin <= 0
        if packet.stream.type == "subtitle":  # what is read at the start may have begun before
            begin, finish = self.clipped(begin, finish)
            packet.pts = packet.dts = round(begin / packet.time_base)
            packet.duration = max(0, round((finish - begin) / packet.time_base))
        return (finish > 0 or not self.start) and not self.is_over(begin)

    def is_over(self, moment: Fraction) -> bool:
        """Whether a moment of the line lies behind the end."""
        return self.end is not None and moment >= self.length

    @property
    def length(self) -> Fraction:
        """Seconds from start to end, where an end is given."""
        assert self.end is not None
        return self.end - self.start

    def clipped(self, begin: Fraction, finish: Fraction) -> tuple[Fraction, Fraction]:
        """What is shown of a span of the line."""
        if self.end is not None:
            finish = min(finish, self.length)
        return max(begin, Fraction(0)), finish

    def moved(self, moment: Fraction) -> Fraction:
        """Where a moment of the file lies, in seconds, seams apart; as for chapters."""
        return moment + self._shift - self.start


class Clock:
    """When each decoded frame is shown, in units of its time base: what the file says, or where
    that is missing or goes back, what the order of the frames says.

    Args:
        step: from one frame to the next, as far as the file says.
    """

    def __init__(self, format_name: str, step: int) -> None:
        self._only_dts = format_name in _DECODING_ORDER
        self._step = step
        self._delay: int | None = None  # of the decoder's first frame against its first packet
        self._first: int | None = None
        self._latest: int | None = None
        self._latest_pts, self._latest_dts = -(1 << 62), -(1 << 62)
        self._wrong_pts = self._wrong_dts = 0

    def note(self, packet: AnyPacket) -> None:
        """Take notice of a packet before it is decoded."""
        if self._first is None and packet.size:
            self._first = packet.dts

    def __call__(self, picture: VideoFrame) -> int:
        """A frame's time, later than that of the frame before."""
        moment = self._best(picture)
        if self._latest is not None:
            moment = self._latest + self._step if moment is None else max(moment, self._latest + 1)
            self._step = moment - self._latest
        self._latest = moment or 0
        return self._latest

    def duration(self, picture: VideoFrame) -> int:
        """How long the latest frame is shown, as far as is known when it has come."""
        return self._step if self._only_dts else picture.duration or self._step

    def _best(self, picture: VideoFrame) -> int | None:
        pts, dts = picture.pts, picture.dts
        if self._only_dts:
            if self._delay is None:
                self._delay = (dts or 0) - (self._first or 0)
            return None if dts is None else dts - self._delay
        if dts is not None:
            self._wrong_dts += dts <= self._latest_dts
            self._latest_dts = dts
        if pts is not None:
            self._wrong_pts += pts <= self._latest_pts
            self._latest_pts = pts
        return pts if pts is not None and (self._wrong_pts <= self._wrong_dts) else dts
