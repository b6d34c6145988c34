from pathlib import Path

import pytest

from realtime_bokeh.errors import UsageError
from realtime_bokeh.files import check_output, temporary_path

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
