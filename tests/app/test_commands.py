"""Renderings of files: how they start, how they end, what they leave."""

import signal
import subprocess
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from realtime_bokeh import weights
from realtime_bokeh.app import commands, parts
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.interrupts import held
from realtime_bokeh.sinks.video import VideoWriter
from tests import clips
from tests.fakes import HalfEngine, UnchangedEngine
from tests.program import PROGRAM, started, wait_for


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> UnchangedEngine:
    """The one that a rendering opens."""
    opened = UnchangedEngine()
    monkeypatch.setattr(parts, "open_engine", lambda *_: opened)
    return opened


@pytest.mark.parametrize("moment", ["open_effect", "Pipeline", "count_progress"])
def test_an_interrupted_start_of_a_rendering_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: UnchangedEngine, moment: str
) -> None:
    before = clips.make(tmp_path / "in.mp4")
    monkeypatch.setattr(commands, moment, _interrupt)
    with pytest.raises(KeyboardInterrupt):
        commands.render(Settings(), [before], tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == [before]
    assert engine.closed == (moment != "open_effect")


def test_a_second_interruption_does_not_break_off_the_end_of_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: UnchangedEngine
) -> None:
    before = clips.make(tmp_path / "in.mp4")
    monkeypatch.setattr(held, "_latest", -60.0)

    discard = VideoWriter._discard

    def interrupted(writer: VideoWriter) -> None:
        held.strike(2, None)
        discard(writer)

    monkeypatch.setattr(commands, "Pipeline", _interrupt)
    monkeypatch.setattr(VideoWriter, "_discard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        commands.render(Settings(), [before], tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == [before]


def test_a_rendered_video_closes_its_engine(tmp_path: Path, engine: UnchangedEngine) -> None:
    before = clips.make(tmp_path / "in.mp4")
    commands.render(Settings(), [before], tmp_path / "out.mp4")
    assert clips.times(tmp_path / "out.mp4") == clips.times(before)
    assert engine.closed


@pytest.mark.parametrize("size", [None, 10])
def test_a_rendered_photo_closes_its_engine(
    tmp_path: Path, portrait: Image, engine: UnchangedEngine, size: int | None
) -> None:
    photo = tmp_path / "in.png"
    cv2.imwrite(str(photo), portrait)
    photo.write_bytes(photo.read_bytes()[:size])
    with pytest.raises(UsageError) if size else nullcontext():  # it is damaged
        commands.render(Settings(), [photo], tmp_path / "out.png")
    assert engine.closed


@pytest.fixture
def half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "open_engine", lambda *_: HalfEngine())


@pytest.mark.parametrize("name", ["out.png", "out.webp"])
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.usefixtures("half")
def test_a_photo_is_cut_out_with_its_own_transparency(
    tmp_path: Path, name: str, mirror: bool
) -> None:
    pixels = np.full((48, 64, 4), (180, 120, 60, 255), np.uint8)
    pixels[:16, :, 3] = 100
    pixels[:, 48:] = (10, 20, 30, 0)
    Pillow.fromarray(pixels).save(tmp_path / "in.png")
    settings = Settings(alpha=True, mirror=mirror)
    commands.render(settings, [tmp_path / "in.png"], tmp_path / name)
    with Pillow.open(tmp_path / name) as picture:
        cut = np.asarray(picture.convert("RGBA")).astype(int)
    opacity = cut[..., 3]
    assert (opacity[:16, 16:28] == 100).all()
    assert (opacity[16:, 16:28] == 255).all()
    assert (opacity[16:, :16] == (0 if mirror else 255)).all()
    assert not opacity[:, 36:].any()
    assert np.abs(cut[16:, 18:24, :3] - (180, 120, 60)).max() <= 3


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.usefixtures("half")
def test_a_mirrored_person_stands_before_a_background_that_is_not(
    tmp_path: Path, mirror: bool
) -> None:
    background = np.zeros((48, 64, 3), np.uint8)
    background[:, 50:, 1] = 250
    cv2.imwrite(str(tmp_path / "behind.png"), background)
    settings = Settings(background=str(tmp_path / "behind.png"), mirror=mirror, crf=4)
    before = clips.make(tmp_path / "in.mp4", image=clips.RED_LEFT_BLUE_RIGHT)
    commands.render(settings, [before], tmp_path / "out.mp4")
    shown = clips.picture(tmp_path / "out.mp4")[24, [20, 40, 60]].astype(int)
    person = (200, 0, 0) if mirror else (0, 0, 200)
    assert np.abs(shown - [person, (0, 0, 0), (0, 250, 0)]).max() < 12
    assert clips.times(tmp_path / "out.mp4") == clips.times(before)


@pytest.mark.usefixtures("half")
def test_a_clip_in_the_background_plays_at_its_own_pace(tmp_path: Path) -> None:
    levels = clips.steps(6)
    behind = clips.make(
        tmp_path / "behind.mp4", [i / 12 for i in range(6)], levels, hold=1 / 12, rate=12
    )
    before = clips.make(tmp_path / "in.mp4", image=clips.solid((0, 0, 0)))  # at 24 frames a second
    commands.render(Settings(background=str(behind), crf=4), [before], tmp_path / "out.mp4")
    right = [float(image[:, 40:].mean()) for image in _images(tmp_path / "out.mp4")]
    assert right == pytest.approx([level for level in clips.levels(behind) for _ in "12"], abs=25)
    assert np.diff(right)[::2] == pytest.approx(0, abs=4)
    assert (np.diff(right)[1::2] > 15).all()


def _images(path: Path) -> list[Image]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


@pytest.mark.usefixtures("half")
def test_photos_and_videos_of_a_folder_are_cut_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    clips.make(tmp_path / "in" / "a.mp4", audio=["aac"])
    cv2.imwrite(str(tmp_path / "in" / "b.jpg"), clips.solid((60, 120, 180)))
    commands.render(Settings(alpha=True), [tmp_path / "in"], tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mov", "b.png"]
    with av.open(str(tmp_path / "out" / "a.mov")) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="bgra")
    assert (frame[:, :28, 3] == 255).all()
    assert not frame[:, 36:, 3].any()


@pytest.mark.parametrize("settings", [Settings(alpha=True), Settings(background="lime")])
def test_a_model_that_does_not_tell_what_is_in_focus_is_refused(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    blind = replace(weights.find("lite"), name="mine", focus_head=False)
    monkeypatch.setattr(weights, "find", lambda name: blind)
    with pytest.raises(UsageError, match="needs a model that tells what is in focus, which mine"):
        parts.engine_opener(settings)


@pytest.mark.parametrize("absolute", [("in",), ("out",), (), ("in", "out")])
def test_a_folder_that_takes_its_own_renderings_is_not_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    portrait: Image, engine: UnchangedEngine, absolute: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    cv2.imwrite("photos/a.png", portrait)
    Path("photos/notes.txt").touch()
    source, target = Path("photos"), Path("photos/out/small")
    target.mkdir(parents=True)  # by a rendering before
    commands.render(
        Settings(),
        [source.absolute() if "in" in absolute else source],
        target.absolute() if "out" in absolute else target,
    )
    skipped = [line for line in capfd.readouterr().err.splitlines() if "skipped" in line]
    assert skipped == ["skipped: notes.txt (no photo or video that is read)"]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_rendering_leaves_nothing(tmp_path: Path, end: signal.Signals) -> None:
    clips.make(tmp_path / "in.mkv", [i / 24 for i in range(2000)])
    line = [*PROGRAM, "render", "in.mkv", "out.mkv"]
    with started(line, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        wait_for(lambda: len(list(tmp_path.iterdir())) > 1, process)
        process.send_signal(end)
        _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == b"realtime-bokeh: interrupted; no unfinished file was kept"
    assert [p.name for p in tmp_path.iterdir()] == ["in.mkv"]


def test_a_rendering_stands_between_two_programs(tmp_path: Path) -> None:
    before = clips.make(tmp_path / "in.mkv", audio=["aac"])
    line = [*PROGRAM, "render", "-", "-", "--strength", "0"]
    with (
        before.open("rb") as stream,
        started(
            line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
    ):
        out, errors = process.communicate(stream.read())
    assert process.returncode == 0, errors
    (tmp_path / "out.mkv").write_bytes(out)
    assert clips.times(tmp_path / "out.mkv") == pytest.approx(clips.times(before), abs=0.0015)
    assert clips.sounds(tmp_path / "out.mkv") == clips.sounds(before)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Standard input is not a video that can be read"),
        (b"no video\n" * 99, "Standard input "),
    ],
)
def test_what_is_no_video_is_refused_from_a_pipe_too(content: bytes, sentence: str) -> None:
    line = [*PROGRAM, "render", "-", "-", "--strength", "0"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(line, **pipes) as process:
        out, errors = process.communicate(content)
    assert process.returncode == 2
    assert out == b""
    assert errors.decode().splitlines()[-1].startswith(f"realtime-bokeh: {sentence}")


def test_a_reader_that_goes_away_ends_a_rendering(tmp_path: Path) -> None:
    before = clips.make(tmp_path / "in.mkv", [i / 24 for i in range(2000)])
    line = [*PROGRAM, "render", str(before), "-", "--strength", "0"]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait() == 1
    assert errors.splitlines()[-1].endswith("The program that reads standard output has closed it")
