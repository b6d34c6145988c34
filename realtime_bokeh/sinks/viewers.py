"""Who watches the virtual camera, and whether that is worth running for."""

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

_OPENED_OR_CLOSED = 0x20 | 0x08 | 0x10  # inotify's events
_SETTLES = 0.25  # seconds after an opening until the process surely lists the device
_AGAIN = 5.0  # seconds after which a list of processes is old, where inotify tells of changes
_UNTOLD = 1.0  # the same where it does not

_STAYS = 0.7  # seconds that a viewer has to stay: others only look which cameras there are
_LINGERS = 7.0  # seconds without a viewer after which frames are no longer wanted


class _News(Protocol):
    def watched(self) -> bool: ...

    def close(self) -> None: ...


class _Events:
    """v4l2loopback's own word, since its version 0.13; of every user's programs that stream.

    Raises:
        OSError: when the device does not give it.
    """

    def __init__(self, device: str) -> None:
        from realtime_bokeh.sinks import v4l2  # not above: Windows has no ioctl

        self._next = v4l2.watched
        self._descriptor: int | None = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._watched = False
        try:
            v4l2.subscribe(self._descriptor)
        except OSError:
            self.close()
            raise

    def watched(self) -> bool:
        assert self._descriptor is not None
        with contextlib.suppress(FileNotFoundError):  # no more news
            while True:
                self._watched = self._next(self._descriptor)
        return self._watched

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class _Holders:
    """Which other processes have the device open, by /proc; only the user's own are seen.

    They are listed anew when inotify says that somebody opened or closed it, and now and then.
    """

    def __init__(self, device: str, clock: Callable[[], float]) -> None:
        self._device = os.path.realpath(device)
        self._clock = clock
        self._due = clock()
        self._watched = False
        libc = ctypes.CDLL(None)
        self._notices: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        path = os.fsencode(self._device)
        if (
            self._notices >= 0
            and libc.inotify_add_watch(self._notices, path, _OPENED_OR_CLOSED) < 0
        ):
            self.close()

    def watched(self) -> bool:
        changed = self._changed()
        now = self._clock()
        if changed or now >= self._due:
            self._watched = is_open_elsewhere(self._device)
            # an opening is told a moment before the process lists it
            self._due = now + (_SETTLES if changed else _AGAIN if self._notices >= 0 else _UNTOLD)
        return self._watched

    def _changed(self) -> bool:
        if self._notices < 0:
            return False
        try:
            return bool(os.read(self._notices, 1 << 16))
        except BlockingIOError:
            return False

    def close(self) -> None:
        if self._notices >= 0:
            os.close(self._notices)
        self._notices = -1


def is_open_elsewhere(device: str) -> bool:
    """Whether another process of this user has a file open, by its real path."""
    own = str(os.getpid())
    for process in os.scandir("/proc"):
        if not process.name.isdecimal() or process.name == own:
            continue
        with contextlib.suppress(OSError):  # it is another user's, or has ended
            for entry in os.scandir(f"/proc/{process.name}/fd"):
                with contextlib.suppress(OSError):  # it was closed meanwhile
                    if os.readlink(entry.path) == device:
                        return True
    return False


class Viewers:
    """Whether other programs watch a virtual camera; ours never counts.

    Before v4l2loopback 0.13 only the programs of this user are seen, and to hold the device open is
    to watch. On other systems than Linux nobody can tell: there somebody always watches.

    Args:
        device: the path of a v4l2loopback device.
    """

    def __init__(self, device: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._news: _News | None = None
        if sys.platform == "linux":
            try:
                self._news = _Events(device)
            except OSError:
                self._news = _Holders(device, clock)

    def watched(self) -> bool:
        """Whether one watches now; it never blocks, and may be asked many times a second."""
        return self._news is None or self._news.watched()

    def close(self) -> None:
        """Ask no more; safe to call twice."""
        if self._news is not None:
            self._news.close()


class Demand:
    """Whether frames are wanted: soon after a viewer came to stay, until none has been for a while.

    Args:
        watched: whether somebody watches now, as `Viewers.watched`.
        clock: seconds.
    """

    def __init__(
        self, watched: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._watched, self._clock = watched, clock
        self._came: float | None = None  # when the present viewer did
        self._stayed = float("-inf")  # when one was last here who had come to stay
        self._wanted = False

    def wanted(self) -> bool:
        """To be asked several times a second."""
        now = self._clock()
        if not self._watched():
            self._came = None
        elif self._came is None:
            self._came = now
        if self._came is not None and now - self._came >= _STAYS:
            self._stayed, self._wanted = now, True
        elif now - self._stayed >= _LINGERS and self._came is None:
            # who has just come may stay: to stop for the moment until that is sure would flicker
            self._wanted = False
        return self._wanted
