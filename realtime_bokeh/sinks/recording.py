"""A recording of what is live: it can be played up to its last seconds, whatever ends it."""

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from av import VideoFrame
from av.container import OutputContainer
from av.video.frame import PictureType

from realtime_bokeh.frame import Frame
from realtime_bokeh.sinks.packets import AnyPacket
from realtime_bokeh.sinks.places import Growing, Place
from realtime_bokeh.sinks.soundtrack import Soundtrack
from realtime_bokeh.sinks.tracks import Original
from realtime_bokeh.sinks.video import VideoWriter
from realtime_bokeh.sizes import Size
from realtime_bokeh.sound import SoundSource

_TIME_BASE = Fraction(1, 90_000)
_PIECE = 1.0  # seconds after which a picture is stored whole, and with it what came before
_PAUSE = 1.0  # seconds without a picture after which sound is stored that is older than this

# An MP4 is written in pieces, and turned into a usual one at its end. Where no picture ends a
# piece, sound of twice its length does. Without delay_moov, FFmpeg 8 would move the pictures by the
# delay of AAC, and crash where a file gets none.
_IN_PIECES = {
    "mp4": {
        "movflags": "hybrid_fragmented+frag_keyframe+delay_moov",
        "frag_duration": f"{2 * _PIECE * 1e6:.0f}",
    },
    "matroska": {"cluster_time_limit": f"{_PIECE * 1e3:.0f}"},
}
_IN_PIECES["mov"], _IN_PIECES["webm"] = _IN_PIECES["mp4"], _IN_PIECES["matroska"]
# each piece at once, and sound even while no picture comes (not beside VP9: FFmpeg waits for it)
_AT_ONCE = {"flush_packets": "1", "max_interleave_delta": f"{_PIECE * 1e6:.0f}"}


class Recording(VideoWriter):
    """Writes live frames, timed by their capture, into a file as `places.Growing` describes it.

    Args:
        path: ending in one of `encoders.FORMATS`.
        size: (height, width) of every frame.
        fps: nominal.
        sound: recorded too, in step with the capture of the frames, and closed with the file.
        tell: gets a sentence when there is no sound any more; the recording goes on in silence.
        clock: the monotonic one.

    Raises:
        UsageError: as `video.check_video`.
        SinkError: when the file cannot be written.
    """

    def __init__(
        self, path: Path, size: Size, fps: float, sound: SoundSource | None = None,
        tell: Callable[[str], object] = lambda sentence: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._sound, self._tell, self._clock = sound, tell, clock
        self._soundtrack: Soundtrack | None = None
        self._told = False
        self._began = self._latest = 0.0  # when the first and the latest frame were captured
        self._whole_at: float | None = None  # when the latest that is stored whole was
        self._last_pts = -1
        self._hold = 1 / fps
        try:
            super().__init__(path, size, fps, _TIME_BASE)
        except BaseException:
            self._close_sound()
            raise

    def _open_place(self) -> Place:
        self._growing = Growing(self._path)
        return self._growing

    def _open(
        self, size: Size, fps: float, original: Original | None, options: dict[str, str]
    ) -> None:
        super()._open(size, fps, original, options | self._encoder.live)
        self._growing.begin()

    def _container_options(self, kind: str, original: Original | None) -> dict[str, str]:
        return _IN_PIECES[kind] | _AT_ONCE

    def _add_others(self, container: OutputContainer, original: Original | None) -> None:
        if self._sound is not None:
            self._soundtrack = Soundtrack(container, self._sound)

    def describe(self) -> str:
        sound = "without sound, which --audio records"
        if self._sound is not None:
            sound = f"with sound from {self._sound.describe()}"
        return f"{self._name} ({self._growing.part.name} until it is complete), {sound}"

    def _stamp(self, picture: VideoFrame, frame: Frame) -> None:
        if self._whole_at is None:
            self._began = frame.captured_at
        self._latest = frame.captured_at
        if self._whole_at is None or frame.captured_at - self._whole_at >= _PIECE:
            self._whole_at = frame.captured_at
            picture.pict_type = PictureType.I
        pts = round((frame.captured_at - self._began) / _TIME_BASE)
        picture.pts = self._last_pts = max(pts, self._last_pts + 1)

    def _mux(self, packets: Sequence[AnyPacket]) -> None:
        super()._mux(packets)
        self._growing.mark()

    def _mux_others(self, until: Fraction | None) -> None:
        if self._soundtrack is None:
            return
        if until is None:
            sounds = self._soundtrack.finish(self._began, self._latest + self._hold)
        else:
            sounds = self._soundtrack.due(self._began, self._began + float(until))
        self._mux_sounds(sounds)

    def _mux_sounds(self, packets: Sequence[AnyPacket]) -> None:
        assert self._container is not None
        for packet in packets:
            self._container.mux(packet)
        self._growing.mark()

    def write(self, frame: Frame) -> None:
        super().write(frame)
        self._tell_trouble()

    def idle(self) -> None:
        track = self._soundtrack
        if track is None or self._container is None:
            return
        if self._begun:
            until = self._clock() - _PAUSE
            self._guarded(lambda: self._mux_sounds(track.due(self._began, until)))
        else:
            track.pass_over()
        self._tell_trouble()

    def _tell_trouble(self) -> None:
        if self._sound is not None and not self._told and self._sound.trouble:
            self._told = True
            self._tell(f"{self._sound.trouble}; the recording goes on in silence")

    def close(self, complete: bool) -> None:
        """Finish: however the run ended, what was recorded is kept."""
        try:
            super().close(complete=True)
        finally:
            self._close_sound()

    def _discard(self) -> None:
        self._growing.drop()  # first: FFmpeg would put an end to what has to stay as it is
        super()._discard()

    def _close_sound(self) -> None:
        if self._sound is not None:
            self._sound.close()
