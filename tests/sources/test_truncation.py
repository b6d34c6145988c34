from pathlib import Path

import pytest

from realtime_bokeh.sources.truncation import stated_length
from tests import clips


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mov", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")],
)
def test_a_whole_file_states_its_own_length(tmp_path: Path, name: str, codec: str) -> None:
    path = clips.make(tmp_path / name, codec=codec, options={})
    assert stated_length(path) == path.stat().st_size


def test_rubbish_behind_an_mp4_does_not_count(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mp4")
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"\xff" * 100)
    assert stated_length(path) == size


def test_a_recording_that_was_left_open_states_nothing(tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mkv")
    content = path.read_bytes()
    place = content.index(b"\x18\x53\x80\x67") + 4
    path.write_bytes(content[:place] + b"\x01" + b"\xff" * 7 + content[place + 8 :])
    assert stated_length(path) == 0


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFFF])
def test_an_avi_that_was_written_to_a_pipe_states_nothing(tmp_path: Path, length: int) -> None:
    path = clips.make(tmp_path / "a.avi", codec="mpeg4", options={})
    content = path.read_bytes()
    path.write_bytes(content[:4] + length.to_bytes(4, "little") + content[8:])
    assert stated_length(path) == 0


@pytest.mark.parametrize("content", [b"", b"\x1a\x45\xdf\xa3", b"\0\0\0\x08mdat", b"RIFF", b"x"])
def test_a_few_bytes_do_no_harm(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert stated_length(tmp_path / "a") in (0, 8)
