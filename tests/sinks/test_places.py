"""Where a video's bytes go, apart from what they are; see test_recording for whole files."""

import errno
import os
import threading
from pathlib import Path

import pytest

from realtime_bokeh.sinks import places
from realtime_bokeh.sinks.places import Growing


def _broken(descriptor: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_a_disk_that_takes_nothing_is_noticed_at_the_next_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = threading.Event()

    def broken(descriptor: int) -> None:
        assert opened.wait(60)
        growing._ended.set()  # once is enough
        _broken(descriptor)

    monkeypatch.setattr(places, "_SYNC", 0.001)
    monkeypatch.setattr(os, "fsync", broken)
    growing = Growing(tmp_path / "out.mp4")
    opened.set()
    growing._syncing.join()
    with pytest.raises(OSError, match="Input/output error"):
        growing.write(b"content")


def test_what_is_whole_stays_even_if_its_end_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = Growing(tmp_path / "out.mp4")
    growing.begin()
    growing.write(b"content")
    growing.seek(0)
    growing.write(b"C")  # as FFmpeg does at the end
    monkeypatch.setattr(os, "fsync", _broken)
    with pytest.raises(OSError, match="Input/output error"):
        growing.keep()
    growing.drop()
    assert growing.left() == f"what was recorded until then is in {growing.part}"
    assert growing.part.read_bytes() == b"Content"


def test_what_is_behind_the_last_mark_is_cut_off(tmp_path: Path) -> None:
    growing = Growing(tmp_path / "out.mp4")
    growing.write(b"head ")
    growing.begin()
    growing.write(b"piece")
    growing.mark()
    growing.write(b"half a p")
    growing.drop()
    growing.write(b"end")  # as FFmpeg does when it is closed
    growing.drop()
    assert growing.part.read_bytes() == b"head piece"


def test_a_head_alone_is_nothing(tmp_path: Path) -> None:
    growing = Growing(tmp_path / "out.mp4")
    growing.write(b"head ")
    growing.begin()
    growing.write(b"half a p")
    growing.drop()
    assert growing.left() == "nothing was kept"
    assert list(tmp_path.iterdir()) == []
