"""Every bad input: one sentence that names the thing, the right status, nothing left behind."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests import clips
from tests.program import Command

LEFT_ALONE = "old content"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good and bad files."""
    folder = tmp_path_factory.mktemp("inputs")
    noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3)).astype(np.uint8)
    clips.make(folder / "clip.mp4", image=noise, audio=["aac"])
    clips.make(folder / "opus.mkv", audio=["libopus"])
    Pillow.fromarray(noise).save(folder / "photo.jpg")
    Pillow.fromarray(noise).convert("CMYK").save(folder / "cmyk.jpg")
    for name in ("clip.mp4", "photo.jpg"):
        content = (folder / name).read_bytes()
        (folder / f"cut-{name}").write_bytes(content[: len(content) * 6 // 10])
    (folder / "empty.jpg").touch()
    (folder / "empty.mp4").touch()
    (folder / "notes.txt").write_text("hello world\n" * 50)
    (folder / "link.mp4").symlink_to("clip.mp4")
    (folder / "bad.toml").write_text("strength = ")
    (folder / "key.toml").write_text("strenght = 1")
    (folder / "type.toml").write_text('strength = "high"')
    (folder / "no-photos").mkdir()
    return folder


@pytest.mark.parametrize(
    ("line", "status", "part"),
    [
        ("--nope", 2, "--nope"),
        ("nope", 2, "nope"),
        ("--strength 0.5", 2, "--camera is missing"),
        ("--strength 0.5 render clip.mp4 out.mp4", 2, "--strength stands before render"),
        ("--camera demo --strength 2", 2, "--strength 2 is out of range"),
        ("--camera demo --strength abc", 2, "--strength"),
        ("--camera demo --smoothing -1", 2, "--smoothing"),
        ("--camera demo --fps 0", 2, "--fps"),
        ("--camera demo --background gren", 2, "--background gren is no color"),
        ("--camera demo --background photo.mp4", 2, "photo.mp4 is no color"),
        ("render clip.mp4 out.mp4 --alpha", 2, "out.mp4 cannot hold transparency; end its name in"),
        ("render clip.mp4 out.webm --alpha --codec vp9", 2, "leave out --codec"),
        ("render clip.mp4 out.mov --alpha --crf 9", 2, "--crf has no meaning for prores_ks"),
        ("render clip.mp4 out.webm --alpha --crf 90", 2, "--crf 90 is out of range for vp9"),
        ("render photo.jpg out.jpg --alpha", 2, "out.jpg cannot hold transparency; end its name"),
        ("render photo.jpg out.jpg --background clip.mp4", 2, "a clip cannot stand behind a photo"),
        ("render clip.mp4 out.mov --alpha --background red", 2, "leave one out"),
        ("--camera demo --size 12", 2, "--size '12' is not a size"),
        ("--camera demo --inference-size 7x7", 2, "--inference-size 7x7 is out of range"),
        ("--camera demo --engine foo", 2, "--engine 'foo' is unknown"),
        ("--camera demo --precision f64", 2, "--precision 'f64' is unknown"),
        ("--camera demo --model nope", 2, "There is no model 'nope'"),
        ("--camera demo --stacked --model lite", 2, "--stacked and --model lite"),
        ("--camera demo --config none.toml", 2, "none.toml cannot be read"),
        ("--camera demo --config bad.toml", 2, "bad.toml is not TOML"),
        ("--camera demo --config key.toml", 2, "did you mean strength"),
        ("--camera demo --config type.toml", 2, "strength = 'high' is not a number"),
        ("--camera 71", 2, "There is no camera 71"),
        ("--camera /dev/video71", 2, "There is no camera '/dev/video71'"),
        ("--camera clip.mp4 --fps 30", 2, "--size and --fps are for cameras"),
        ("--camera /dev/null --output none", 1, "Camera /dev/null gives no frames"),
        ("--camera demo --output out.gif", 2, "out.gif cannot hold a video"),
        ("--camera demo --output none/out.mp4", 2, "The folder none does not exist"),
        ("--camera demo --output clip.mp4/out.mp4", 2, "clip.mp4 is a file, not a folder"),
        ("--camera demo --output /proc/out.mp4", 1, "/proc/out.mp4 cannot be written"),
        ("demo none/out.mp4", 2, "The folder none does not exist"),
        ("demo out.png", 2, "out.png cannot hold a video"),
        ("demo old.mp4 --seconds 9999", 2, "--seconds 9999 is out of range"),
        ("demo old.mp4 --size 1x1", 2, "--size 1x1 is out of range"),
        ("render", 2, "IN"),
        ("render clip.mp4", 2, "Missing argument OUT"),
        ("render none.mp4 old.mp4", 2, "none.mp4 does not exist"),
        ("render clip.mp4 clip.mp4", 2, "IN and OUT are the same"),
        ("render clip.mp4 link.mp4", 2, "IN and OUT are the same"),
        ("render clip.mp4 ../inputs0/clip.mp4", 2, "IN and OUT are the same"),
        ("render clip.mp4 out.jpg", 2, "out.jpg cannot hold a video"),
        ("render notes.txt out.jpg", 2, "notes.txt is no photo that is read (.jpg,"),
        ("render no-photos out.jpg", 2, "out.jpg is a file's name, but"),
        ("render clip.mp4 photo.jpg out.mp4", 2, "out.mp4 is a file's name, but"),
        ("render clip.mp4 none.jpg out", 2, "none.jpg does not exist"),
        ("render clip.mp4 - out", 2, "take one video, not several files"),
        (
            "render photo.jpg out.jpg --start 1",
            2,
            "--start is for videos, and photo.jpg",
        ),
        ("render clip.mp4 out.mp4 --start 1:x", 2, "--start '1:x' is not a time"),
        ("render clip.mp4 out.mp4 --start 2 --end 1", 2, "--end 1 s is not behind --start 2 s"),
        ("render clip.mp4 out.mp4 --start 99", 2, "clip.mp4 ends before --start 99 s"),
        ("render clip.mp4 out.webm --codec h264", 2, "out.webm cannot hold h264; choose --codec"),
        ("render clip.mp4 out.mp4 --codec mpeg1", 2, "--codec 'mpeg1' is unknown"),
        ("render clip.mp4 out.mp4 --crf 60", 2, "--crf 60 is out of range for h264; give 1 to 51"),
        ("render clip.mp4 out.mp4 --crf 1.5", 2, "--crf '1.5' is not a whole number"),
        ("render photo.jpg out.mp4", 2, "out.mp4 cannot hold a photo"),
        ("render photo.jpg /proc/out.jpg", 1, "/proc/out.jpg cannot be written"),
        ("render no-photos out", 2, "There are no photos"),
        ("render clip.mp4 none/out.mp4", 2, "The folder none does not exist"),
        ("render clip.mp4 /proc/out.mp4", 1, "/proc/out.mp4 cannot be written"),
        ("render notes.txt old.mp4", 2, "notes.txt is a text"),
        ("render empty.mp4 old.mp4", 2, "empty.mp4 is empty"),
        ("render cut-clip.mp4 old.mp4", 2, "cut-clip.mp4 is cut off"),
        ("render empty.jpg old.jpg", 2, "empty.jpg is empty"),
        ("render cut-photo.jpg old.jpg", 2, "cut-photo.jpg is damaged or cut off"),
        ("render cmyk.jpg old.jpg", 2, "cmyk.jpg is in CMYK"),
        ("render clip.mp4 old.mp4 --strength 7", 2, "--strength 7"),
        ("render clip.mp4 old.mp4 --mirror=maybe", 2, "--mirror"),
        ("weights fetch nope", 2, "'nope' cannot be fetched"),
        ("weights import none.pth", 2, "none.pth does not exist"),
        ("bench --frames 3", 2, "--frames"),
    ],
)
def test_one_sentence_and_nothing_left(
    inputs: Path, monkeypatch: pytest.MonkeyPatch, command: Command,
    line: str, status: int, part: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(inputs)
    monkeypatch.delenv("DISPLAY", raising=False)
    for name in ("old.mp4", "old.jpg"):
        (inputs / name).write_text(LEFT_ALONE)
    before = sorted(inputs.iterdir())
    outcome = command(*line.replace("inputs0", inputs.name).split())
    assert outcome.status == status
    explained = [text for text in outcome.lines if text.startswith("realtime-bokeh: ")]
    assert len(explained) == 1
    assert part in explained[0]
    assert outcome.lines[-1] == explained[0]
    assert not any("Traceback" in text for text in outcome.lines)
    assert outcome.out == ""
    assert sorted(inputs.iterdir()) == before
    assert {(inputs / name).read_text() for name in ("old.mp4", "old.jpg")} == {LEFT_ALONE}


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/video is Linux's")
def test_a_missing_virtual_camera_comes_with_its_installation(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    if Path("/sys/class/video4linux").exists():
        pytest.skip("this machine may have a virtual camera")
    outcome = command("--camera", "demo")
    assert outcome.status == 1
    assert len(outcome.lines) == 1
    assert "the kernel module v4l2loopback is not " in outcome.lines[0]
    assert "sudo modprobe v4l2loopback" in outcome.lines[0]


_FULL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv.pop(1))
from realtime_bokeh.app.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
main()
"""


@pytest.mark.parametrize(
    ("source", "target", "limit"),
    [("clip.mp4", "old.mp4", 0), ("clip.mp4", "old.mp4", 20_000), ("photo.jpg", "old.jpg", 5_000)],
)
def test_a_full_disk(inputs: Path, source: str, target: str, limit: int) -> None:
    (inputs / target).write_text(LEFT_ALONE)
    before = sorted(inputs.iterdir())
    ended = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(limit), "render", source, target, "--strength", "0"],
        cwd=inputs, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    sentence = ended.stderr.splitlines()[-1]
    assert sentence.startswith(f"realtime-bokeh: {target} cannot be written (File too large)")
    assert "Traceback" not in ended.stderr
    assert sorted(inputs.iterdir()) == before
    assert (inputs / target).read_text() == LEFT_ALONE
