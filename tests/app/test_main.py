"""The command line: what the user sees when all goes well."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import realtime_bokeh
from realtime_bokeh.sizes import Size
from tests import clips
from tests.program import Command

PROGRAM = [sys.executable, "-m", "realtime_bokeh"]


def test_version(command: Command) -> None:
    outcome = command("--version")
    assert (outcome.status, outcome.out) == (0, f"realtime-bokeh {realtime_bokeh.__version__}\n")


def test_no_arguments_print_the_help(command: Command) -> None:
    outcome = command()
    assert outcome.status == 0
    assert "Usage: realtime-bokeh" in outcome.out
    assert {"render", "doctor", "--camera"} <= set(outcome.out.split())
    assert outcome.lines == []


def test_the_module_is_the_command() -> None:
    ended = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout == f"realtime-bokeh {realtime_bokeh.__version__}\n"


def test_importing_loads_nothing_heavy() -> None:
    program = "import realtime_bokeh, sys; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    heavy = {b"torch", b"cv2", b"openvino", b"av", b"pyvirtualcam", b"numpy", b"click", b"rich"}
    assert not heavy & set(ended.stdout.split())


def test_a_clip_is_rendered(tmp_path: Path, command: Command) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (96, 128, 3)).astype(np.uint8)
    before = clips.make(tmp_path / "a [b].mp4", image=picture, audio=["aac"])
    after = tmp_path / "c [d].mp4"
    outcome = command("render", before, after)
    assert outcome.status == 0
    assert outcome.lines[0] == "a [b].mp4: 128x96 at 24 fps h264"
    assert re.fullmatch(
        re.escape(f"{after}: 12 frames in ")
        + r"[\d.]+ s \([\d.]+ fps with start-up and encoding\); "
        r"rendering alone [\d.]+ fps",
        outcome.lines[-1],
    )
    assert clips.sounds(after) == clips.sounds(before)
    assert clips.times(after) == pytest.approx(clips.times(before))
    assert clips.picture(after).std() < clips.picture(before).std()  # it is blurred


def test_strength_nothing_changes_nothing(tmp_path: Path, command: Command) -> None:
    color = clips.solid((180, 60, 120), Size(96, 128))
    before = clips.make(tmp_path / "in.mp4", image=color, matrix=1)
    assert command("render", before, tmp_path / "out.mkv", "--strength", 0).status == 0
    assert np.abs(clips.picture(tmp_path / "out.mkv").mean((0, 1)) - (180, 60, 120)).max() < 3


@pytest.mark.parametrize("size", [(1, 1), (20, 3000), (333, 77)])
def test_photos_of_every_shape(tmp_path: Path, command: Command, size: tuple[int, int]) -> None:
    Pillow.new("RGB", size, (9, 99, 200)).save(tmp_path / "in.png")
    assert command("render", tmp_path / "in.png", tmp_path / "out.png").status == 0
    with Pillow.open(tmp_path / "out.png") as result:
        assert result.size == size


def test_a_photo_does_not_depend_on_those_before_it(
    tmp_path: Path, command: Command, portrait: np.ndarray
) -> None:
    (tmp_path / "both").mkdir()
    for name, image in (("1.png", portrait), ("2.png", portrait // 2 + 40)):
        Pillow.fromarray(image).save(tmp_path / "both" / name)
    options = ["--smoothing", 1, "--inference-size", "64x64"]
    assert command("render", tmp_path / "both", tmp_path / "out", *options).status == 0
    alone = tmp_path / "alone.png"
    assert command("render", tmp_path / "both" / "2.png", alone, *options).status == 0
    assert alone.read_bytes() == (tmp_path / "out" / "2.png").read_bytes()


def test_a_broken_photo_does_not_stop_the_others(tmp_path: Path, command: Command) -> None:
    for name in ("1.jpg", "3.PNG", "4.webp"):
        Pillow.new("RGB", (64, 48), (9, 99, 200)).save(tmp_path / name)
    (tmp_path / "2.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no photo")
    outcome = command("render", tmp_path, tmp_path / "new" / "folder", "--strength", 0)
    assert outcome.status == 1
    assert outcome.lines[1:] == [
        *(str(tmp_path / "new" / "folder" / name) for name in ("1.jpg", "3.PNG", "4.webp")),
        "skipped: notes.txt (no photo or video that is read)",
        f"skipped: {tmp_path / '2.jpg'} is not a picture that is read; save it as JPEG, PNG, WebP, "
        "HEIC, AVIF, TIFF, BMP or GIF",
        "realtime-bokeh: 1 of 4 files could not be rendered",
    ]
    rendered = sorted((tmp_path / "new" / "folder").iterdir())
    assert [p.name for p in rendered] == ["1.jpg", "3.PNG", "4.webp"]
    assert Pillow.open(rendered[1]).size == (64, 48)


@pytest.mark.skipif(os.name == "nt", reason="no file's name has a colon there")
def test_a_colon_in_a_name_is_no_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    clips.make(tmp_path / "12:30.mp4")
    monkeypatch.chdir(tmp_path)
    assert command("render", "12:30.mp4", "12:31.mp4", "--strength", 0).status == 0
    assert clips.picture(tmp_path / "12:31.mp4").size


def test_a_folder_of_many_formats(tmp_path: Path, command: Command) -> None:
    """As a phone and a memory stick leave it."""
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    names = ("1.avif", "1.jpg", "2.avif", "3.bmp", "3.gif", "4.TIFF")
    for name in names:
        Pillow.new("RGB", (64, 48), (9, 99, 200)).save(source / name)
    (source / "._1.jpg").write_bytes(bytes(24))
    outcome = command("render", source, target, "--strength", 0)
    assert outcome.status == 0
    assert not [line for line in outcome.lines if "skipped" in line]
    rendered = sorted(path.name for path in target.iterdir())
    assert rendered == ["1.avif.jpg", "1.jpg", "2.jpg", "3.bmp.png", "3.gif.png", "4.png"]


def test_a_profile_is_used_and_flags_override_it(tmp_path: Path, command: Command) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :32] = 255
    Pillow.fromarray(image).save(tmp_path / "in.png")
    (tmp_path / "p.toml").write_text("mirror = true\nstrength = 7\n")
    line = ["render", tmp_path / "in.png", tmp_path / "out.png", "--config", tmp_path / "p.toml"]
    assert command(*line).status == 2  # a strength of 7
    assert command(*line, "--strength", 0).status == 0
    result = np.asarray(Pillow.open(tmp_path / "out.png"))
    assert np.abs(result.astype(int) - image[:, ::-1]).max() < 3


def test_the_demo_makes_a_clip_and_a_picture(tmp_path: Path, command: Command) -> None:
    outcome = command("demo", tmp_path / "d.mp4", "--seconds", 0.2, "--size", "96x64")
    assert outcome.status == 0
    assert len(clips.times(tmp_path / "d.mp4")) == 6
    assert Pillow.open(tmp_path / "d.png").size == (192, 64)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d.mp4", "d.png"]
