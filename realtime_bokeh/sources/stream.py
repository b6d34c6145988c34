"""A camera on the network, by its address: RTSP, MJPEG, HLS or MPEG-TS, through PyAV."""

import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from urllib.parse import urlsplit

import av

from realtime_bokeh.errors import BokehError, SourceError, UsageError
from realtime_bokeh.files import reason
from realtime_bokeh.frame import Frame, Source
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.address import check_address, without_secrets
from realtime_bokeh.sources.pace import Pace
from realtime_bokeh.sources.pictures import Developer, Shown
from realtime_bokeh.sources.timeline import Clock
from realtime_bokeh.sources.video import choose_video, nominal_rate

_TIMEOUTS = (5.0, 5.0)  # seconds to connect and find out what comes, and for more of it to come
_PATIENCE = 10.0  # seconds until the first whole picture, which some cameras send that rarely
_LEAP = 2.0  # seconds between two pictures that only a leap in a stream's time explains
_MEASURED = 1.0  # seconds over which a rate is measured that the stream does not tell
_OPTIONS = {
    "rtsp_transport": "tcp",  # over UDP, what is lost tears pictures
    # not fflags=nobuffer: it throws away what was looked at, and so the first whole picture
    "analyzeduration": "1000000",  # microseconds; of FFmpeg's own five seconds, four are wasted
    "overrun_nonfatal": "1",  # of UDP: too much at once costs pictures, not the run
}


class Stream(Source):
    """A live stream from the network; a frame may have another size than the first.

    What sends at its own pace is handed out as it comes. What comes faster than it is to be seen,
    as HLS and files do, is handed out at the pace of its recording.

    Args:
        address: such as rtsp://user:password@host/path; nothing that is said has the password.

    Raises:
        UsageError: when the address is wrong, or there is no video at it.
        SourceError: when nobody answers there.
    """

    live = True

    def __init__(self, address: str) -> None:
        check_address(address)
        self._address = address
        self._name = f"The camera at {urlsplit(address).hostname or without_secrets(address)}"
        self._index = 0
        self._closed = threading.Event()
        self._developer = Developer(keep_hdr=False)
        with self._explained():
            self._container = av.open(
                address, "r", timeout=_TIMEOUTS, options=_OPTIONS, metadata_errors="replace"
            )
        try:
            self._begin()
        except BaseException:
            self._container.close()
            raise

    def _begin(self) -> None:
        form = self._container.format.name
        if form.endswith("_pipe"):
            raise UsageError(
                f"{self._name} gives a single picture at this address; its video has another one"
            )
        stream = choose_video(self._container)
        if isinstance(stream, str):
            raise UsageError(f"{self._name} {stream}")
        self._stream = stream
        # threads that take a frame each would keep as many frames back
        stream.thread_type = "SLICE"
        rate = float(nominal_rate(stream))
        self.fps = rate if 1 <= rate <= 240 else 30.0
        self._base = stream.time_base or 1 / Fraction(self.fps)  # seconds a unit of time stamps
        recorded = form == "hls" or self._container.duration is not None
        self._pace = Pace(self._closed, _LEAP) if recorded else None
        self._pictures = self._decoded()
        self._ahead = self._next()
        if self._ahead is None:
            raise SourceError(f"{self._name} sends no picture that can be read")
        self.size = Size.of(self._ahead.image)
        if form == "mpjpeg":  # FFmpeg takes it for 25, whatever it is
            self._measure()

    def _measure(self) -> None:
        """Find out the rate by what comes."""
        assert self._ahead is not None
        begin, count = self._ahead.captured_at, 0
        while self._ahead.captured_at - begin < _MEASURED and (frame := self._next()) is not None:
            self._ahead, count = frame, count + 1
        if count:
            rate = count / max(self._ahead.captured_at - begin, 1e-3)
            self.fps = min(max(rate, 1.0), 240.0)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """FFmpeg's errors as ours; its own have the address in them, and so the password."""
        try:
            yield
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._in_words(error) from None  # a traceback is to be without it, too

    def _in_words(self, error: Exception) -> BokehError:
        name = self._name
        if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
            return UsageError(
                f"{name} lets nobody in without the right user and password; write them before "
                "its host, as in rtsp://user:password@host/path"
            )
        if isinstance(error, av.error.HTTPNotFoundError):
            return UsageError(f"{name} has nothing at this path; its manual says which it has")
        if isinstance(error, av.error.ProtocolNotFoundError):
            scheme = self._address.partition("://")[0]
            return UsageError(
                f"FFmpeg in PyAV has no {scheme}:// here; use another of the camera's"
            )
        if isinstance(error, av.error.InvalidDataError):
            return UsageError(f"{name} sends nothing that can be read as a video")
        if isinstance(error, ConnectionRefusedError):
            return SourceError(f"{name} refuses connections; check that it is on, and the port")
        if isinstance(error, (av.error.ExitError, TimeoutError)):
            return SourceError(f"{name} does not answer; check that it is on and in this network")
        if getattr(error, "errno", None) == errno.EIO and not self._known():
            return SourceError(f"{name} is not known by that name; check it, or give its number")
        return SourceError(f"{name} cannot be read ({reason(error)})")

    def _known(self) -> bool:
        """Whether the host's name is known; FFmpeg does not tell."""
        try:
            socket.getaddrinfo(urlsplit(self._address).hostname, None)
        except (OSError, UnicodeError):  # the latter where it could be nobody's
            return False
        return True

    def describe(self) -> str:
        codec = self._stream.codec_context.name
        return f"{without_secrets(self._address)}: {self.size} at {self.fps:.4g} fps {codec}"

    def _decoded(self) -> Iterator[Shown]:
        """All pictures as they come; what is damaged is left out."""
        step = max(1, round(1 / (self.fps * self._base)))
        clock = Clock(self._container.format.name, step)
        begin, begun = time.monotonic(), False
        for packet in self._container.demux(self._stream):
            if not begun and time.monotonic() - begin > _PATIENCE:
                return
            clock.note(packet)
            try:
                pictures = packet.decode()
            except av.error.InvalidDataError:
                continue
            for picture in pictures:
                if not begun:
                    self._developer.begin(picture)
                    begun = True
                pts = clock(picture)
                yield from self._developer.develop(picture, pts, clock.duration(picture))

    def _next(self) -> Frame | None:
        with self._explained():
            shown = next(self._pictures, None)
        if shown is None:
            return None
        if self._pace is not None:
            self._pace.wait(float(shown.pts * self._base))
        return Frame(shown.image, 0, time.monotonic())

    def read(self) -> Frame | None:
        frame, self._ahead = self._ahead or self._next(), None
        if frame is None or self._closed.is_set():
            return None
        self._index += 1
        return replace(frame, index=self._index - 1)

    def cancel(self) -> None:
        self._closed.set()

    def close(self) -> None:
        self._closed.set()
        self._container.close()
