from pathlib import Path

import pytest
from PIL import Image as Pillow

from realtime_bokeh.app.batch import gather
from realtime_bokeh.errors import UsageError
from tests import clips
from tests.program import Command


def _touch(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def test_photos_and_videos_of_a_folder(tmp_path: Path) -> None:
    _touch(tmp_path / "in", "b.MOV", "a.avi", "c.heic", "d.jpg", "._d.jpg", "notes.txt", "e.webm")
    batch = gather([tmp_path / "in"], tmp_path / "out")
    out = tmp_path / "out"
    assert [rendering for _, rendering in batch.photos] == [out / "c.jpg", out / "d.jpg"]
    assert [rendering for _, rendering in batch.videos] == [
        out / "a.mp4", out / "b.MOV", out / "e.webm",
    ]  # fmt: skip
    assert batch.skipped == ["notes.txt (no photo or video that is read)"]
    assert out.is_dir()


def test_cutouts_become_files_that_hold_transparency(tmp_path: Path) -> None:
    names = ("b.MOV", "a.avi", "c.heic", "d.jpg", "d.png", "e.webm", "f.mp4", "g.WEBP")
    files = _touch(tmp_path / "in", *names)
    batch = gather(files, tmp_path / "out", alpha=True)
    assert [rendering.name for _, rendering in batch.photos] == [
        "c.png", "d.jpg.png", "d.png", "g.WEBP",
    ]  # fmt: skip
    assert [rendering.name for _, rendering in batch.videos] == [
        "b.MOV", "a.mov", "e.webm", "f.mov",
    ]  # fmt: skip


def test_files_of_any_ending_are_taken_by_name(tmp_path: Path) -> None:
    files = _touch(tmp_path / "in", "a.bin", "b.jpg")
    batch = gather(files, tmp_path / "out")
    assert batch.videos == [(files[0], tmp_path / "out" / "a.mp4")]
    assert batch.photos == [(files[1], tmp_path / "out" / "b.jpg")]


def test_no_rendering_takes_anothers_place(tmp_path: Path) -> None:
    files = _touch(tmp_path / "in", "a.avi", "a.mp4", "b.heic", "B.JPG")
    batch = gather(files, tmp_path / "out")
    names = [rendering.name for _, rendering in [*batch.photos, *batch.videos]]
    assert names == ["b.heic.jpg", "B.JPG", "a.avi.mp4", "a.mp4"]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    files = [*_touch(tmp_path / "x", "a.mp4"), *_touch(tmp_path / "y", "A.mp4")]
    with pytest.raises(UsageError, match="Two files would become"):
        gather(files, tmp_path / "out")


def test_no_file_becomes_itself(tmp_path: Path) -> None:
    files = _touch(tmp_path / "in", "a.mp4", "b.mp4")
    with pytest.raises(UsageError, match="IN and OUT are the same"):
        gather(files, tmp_path / "in")


def test_what_fails_does_not_stop_the_others(tmp_path: Path, command: Command) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    clips.make(folder / "1.avi", codec="mpeg4", options={})
    (folder / "2.mp4").write_text("no video")
    clips.make(folder / "3.mkv", audio=["aac"])
    Pillow.new("RGB", (64, 48), (9, 99, 200)).save(folder / "4.png")
    outcome = command("render", folder, tmp_path / "out", "--strength", 0)
    assert outcome.status == 1
    assert outcome.lines[-1] == "realtime-bokeh: 1 of 4 files could not be rendered"
    assert any(line.startswith(f"skipped: {folder / '2.mp4'} is") for line in outcome.lines)
    rendered = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert rendered == ["1.mp4", "3.mkv", "4.png"]
    assert len(clips.times(tmp_path / "out" / "1.mp4")) == 12
    assert clips.sounds(tmp_path / "out" / "3.mkv") == clips.sounds(folder / "3.mkv")


def test_several_files_in_one_call(tmp_path: Path, command: Command) -> None:
    for name in ("a.mp4", "b.mp4"):
        clips.make(tmp_path / name)
    line = ["render", tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "out", "--strength", 0]
    assert command(*line, "--end", 0.25).status == 0
    for name in ("a.mp4", "b.mp4"):
        assert len(clips.times(tmp_path / "out" / name)) == 6
