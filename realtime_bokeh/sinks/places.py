"""Where a video's bytes go while it is written, and what becomes of them."""

import contextlib
import itertools
import os
import threading
from pathlib import Path
from typing import Any

from realtime_bokeh.errors import SinkError
from realtime_bokeh.files import ffmpeg_name, reason, temporary_path
from realtime_bokeh.pipes import StandardOutput

_SYNC = 1.0  # seconds after which what was written is on the disk, whatever happens to the computer


class Place:
    """One of them; by itself, one that keeps nothing.

    target: what FFmpeg writes to: a file's name, or an object that takes bytes.
    part: the file that is written; None if it is none.
    """

    target: Any
    part: Path | None = None

    def keep(self) -> None:
        """Give what was written its name, now that it is whole and FFmpeg has closed it.

        Raises:
            OSError: when that fails.
        """

    def drop(self) -> None:
        """End it as not whole; without effect after `keep`."""

    def left(self) -> str:
        """What `drop` leaves, for a sentence."""
        return "nothing was kept"


class Piped(Place):
    """Standard output, which gets everything as it is made.

    Raises:
        UsageError: as `pipes.StandardOutput`.
    """

    def __init__(self) -> None:
        self.target = StandardOutput()


class Whole(Place):
    """A file that appears whole or not at all: it is written beside its name."""

    part: Path

    def __init__(self, path: Path) -> None:
        self._path = path
        self.part = temporary_path(path)
        self.target = ffmpeg_name(self.part)

    def keep(self) -> None:
        os.replace(self.part, self._path)

    def drop(self) -> None:
        with contextlib.suppress(OSError):  # the error that led here is the one to tell
            self.part.unlink(missing_ok=True)


class Growing(Place):
    """A file that can be played up to its latest mark, whatever ends it.

    It grows under a name that people find, NAME.recording.mp4 for NAME.mp4, and gets its own when
    it is whole: neither an older file nor what is left of another recording is lost before. As an
    object it takes FFmpeg's bytes.

    Raises:
        SinkError: when it cannot be made.
    """

    part: Path

    def __init__(self, path: Path) -> None:
        self._path = path
        for number in itertools.count(1):
            which = "" if number == 1 else f"-{number}"
            self.part = path.with_name(f"{path.stem[:50]}.recording{which}{path.suffix}")
            try:
                self._file = self.part.open("xb", buffering=0)
                break
            except FileExistsError:
                continue
            except OSError as error:
                raise SinkError(f"{path} cannot be written ({reason(error)})") from error
        self.target = self
        self._error: OSError | None = None  # after which it takes no more
        self._dropped = False
        self._head = self._mark = 0
        self._ended = threading.Event()
        self._syncing = threading.Thread(target=self._sync, daemon=True)
        self._syncing.start()

    def write(self, data: bytes | memoryview) -> int:
        """Write all of it, and say how much that was.

        Raises:
            OSError: when the disk is full, now or at an earlier call.
        """
        left = memoryview(data).cast("B")
        size = len(left)
        while left and not self._dropped:
            if self._error is not None:
                raise self._error
            try:
                left = left[self._file.write(left) :]
            except OSError as error:
                self._error = error
        return size

    def _sync(self) -> None:
        """Bring to the disk what was written: on a thread, since a slow one takes its time."""
        while not self._ended.wait(_SYNC):
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                self._error = self._error or error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return offset if self._dropped else self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._mark if self._dropped else self._file.tell()

    def begin(self) -> None:
        """So far there is only what comes before the pictures."""
        self._head = self._mark = self.tell()

    def mark(self) -> None:
        """Everything so far can be played."""
        self._mark = self.tell()

    def keep(self) -> None:
        self._mark = self._file.seek(0, os.SEEK_END)
        self._end_sync()
        os.fsync(self._file.fileno())  # else a crash could leave the name without the content
        self._file.close()
        os.replace(self.part, self._path)

    def drop(self) -> None:
        self._end_sync()
        if self._file.closed:
            return
        self._dropped = True  # from here what FFmpeg writes, as when it is closed, goes nowhere
        with contextlib.suppress(OSError):  # the error that led here is the one to tell
            with self._file:
                self._file.truncate(self._mark)
            if not self._plays():
                self.part.unlink()

    def left(self) -> str:
        if self._plays():
            return f"what was recorded until then is in {self.part}"
        return super().left()

    def _plays(self) -> bool:
        return self._mark > self._head

    def _end_sync(self) -> None:
        self._ended.set()
        self._syncing.join()
