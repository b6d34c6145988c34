import os
from pathlib import Path

import pytest

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.files import check_output, temporary_path, write_beside

ENDINGS = (".mp4", ".mkv")


def test_a_good_place_passes(tmp_path: Path) -> None:
    check_output(tmp_path / "new.MP4", "a video", ENDINGS)
    (tmp_path / "old.mkv").touch()
    check_output(tmp_path / "old.mkv", "a video", ENDINGS)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("out.png", r"out.png cannot hold a video; end its name with one of .mp4, .mkv"),
        ("out", "cannot hold a video"),
        ("folder.mp4", "is a folder"),
        ("missing/out.mp4", "The folder .*missing does not exist; create it first"),
        ("file/out.mp4", "file is a file, not a folder"),
        ("x" * 300 + ".mp4", "File name too long"),
    ],
)
def test_a_bad_place_is_explained(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=sentence):
        check_output(tmp_path / name, "a video", ENDINGS)


def test_a_part_can_be_made_for_every_name(tmp_path: Path) -> None:
    part = temporary_path(tmp_path / ("é" * 125 + ".mp4"))
    part.touch()
    assert part.parent == tmp_path
    assert part.name.startswith(".")


def test_a_file_beside_others_takes_no_place(tmp_path: Path) -> None:
    path = tmp_path / "12.30.png"
    found = [write_beside(path, content).name for content in (b"a", b"b", b"c")]
    assert found == ["12.30.png", "12.30-2.png", "12.30-3.png"]
    assert [(tmp_path / name).read_bytes() for name in found] == [b"a", b"b", b"c"]
    assert len(list(tmp_path.iterdir())) == 3


def test_a_file_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            with pytest.raises(SinkError, match=r"No space left on device.*nothing was kept"):
                write_beside(tmp_path / "a.png", b"a")
        assert list(tmp_path.iterdir()) == []
