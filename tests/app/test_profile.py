"""The default profile: who reads it, what overrides it, and what is shown of it."""

import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime_bokeh.app import bench, commands, live
from realtime_bokeh.app.options import LIVE, OPTIONS
from realtime_bokeh.app.profile import default_path
from realtime_bokeh.app.settings import Settings
from tests.program import Command

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere no variable moves the folder of settings"
)


@pytest.fixture
def write(config_home: Path) -> Callable[[str], Path]:
    """Writes the default profile."""

    def write(text: str) -> Path:
        default_path().write_text(text)
        return default_path()

    return write


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of every live run that is started."""
    found: list[Settings] = []
    monkeypatch.setattr(live, "run_live", lambda settings, *_: found.append(settings))
    return found


def test_no_arguments_start_what_the_profile_says(
    write: Callable[[str], Path], started: list[Settings], command: Command
) -> None:
    write('camera = "demo"\noutput = "none"\npreview = true\nstacked = true\nstrength = 0.4')
    outcome = command()
    assert (outcome.status, outcome.out, outcome.lines) == (0, "", [])
    assert started == [
        Settings(camera="demo", output="none", preview=True, model="stacked", strength=0.4)
    ]


def test_flags_override_the_profile(
    write: Callable[[str], Path], started: list[Settings], command: Command
) -> None:
    write('camera = "demo"\npreview = true\nstacked = true\nstrength = 7')
    assert command("--strength", 0, "--no-preview", "--no-stacked").status == 0
    assert started == [Settings(camera="demo", strength=0)]


def test_a_file_that_is_named_replaces_the_profile(
    tmp_path: Path, write: Callable[[str], Path], started: list[Settings], command: Command
) -> None:
    write("this is not TOML")
    (tmp_path / "other.toml").write_text('camera = "3"')
    assert command("--config", tmp_path / "other.toml").status == 0
    assert started == [Settings(camera="3")]


def test_a_profile_without_a_camera_leaves_the_help_and_the_sentence(
    write: Callable[[str], Path], started: list[Settings], command: Command
) -> None:
    write("strength = 0.4")
    outcome = command()
    assert (outcome.status, outcome.lines) == (0, [])
    assert "Usage: realtime-bokeh" in outcome.out
    outcome = command("--mirror")
    assert outcome.status == 2
    assert "--camera is missing" in outcome.lines[0]
    assert command("--camera", "demo").status == 0
    assert started == [Settings(camera="demo", strength=0.4)]


@pytest.mark.parametrize("given", [[], ["--camera", "demo"], ["--show-config"]])
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("strenght = 1", "'strenght' is unknown; did you mean strength?"),
        ("smoothing = 3", "--smoothing 3 is out of range; give 0 to 1"),
        ("preview = 1", "preview = 1 is not true or false"),
        ("camera = 0", "camera = 0 is not a text in quotes"),
        ('stacked = true\nmodel = "lite"', "--stacked and --model lite exclude each other"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_file(
    write: Callable[[str], Path], started: list[Settings], command: Command,
    given: list[str], text: str, sentence: str,
) -> None:  # fmt: skip
    path = write(text)
    outcome = command(*given)
    assert (outcome.status, outcome.out, started) == (2, "", [])
    assert len(outcome.lines) == 1
    line = "" if "exclude" in sentence else ", line 1"  # which is of two keys
    assert outcome.lines[0].startswith(f"realtime-bokeh: Profile {path}{line}: {sentence}")


def test_a_link_to_nothing_is_told_of(config_home: Path, command: Command) -> None:
    default_path().symlink_to(config_home / "gone.toml")
    outcome = command()
    assert outcome.status == 2
    assert f"Profile {default_path()} cannot be read" in outcome.lines[0]


def test_files_and_measurements_do_not_depend_on_the_profile(
    tmp_path: Path, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    profile = write("mirror = true\nstrength = 0.4")
    seen: list[Settings] = []
    monkeypatch.setattr(commands, "render", lambda settings, *_: seen.append(settings))
    monkeypatch.setattr(commands, "render_demo", lambda settings, *_: seen.append(settings))
    monkeypatch.setattr(bench, "run", lambda settings, _: seen.append(settings))
    monkeypatch.setattr(bench, "print_results", lambda _: None)
    lines: list[list[object]] = [
        ["render", "a", "b"], ["demo", tmp_path / "d.mp4"], ["bench", "--model", "lite"],
    ]  # fmt: skip
    for line in lines:
        command(*line)
    assert seen == [Settings()] * 3
    command(*lines[0], "--config", profile)
    assert seen[3:] == [Settings(mirror=True, strength=0.4)]


def _table(out: str) -> dict[str, tuple[str, str]]:
    """What --show-config prints, by the option's name: its value and where that comes from."""
    lines = out.splitlines()[1:]
    second = lines[0].index("not given" if "not given" in lines[0] else "demo")
    third = min(line.rindex("  ") for line in lines) + 2
    assert {line[second - 2 : second] for line in lines} == {"  "}  # aligned
    assert {line[third - 2 : third] for line in lines} == {"  "}
    return {line[:second].strip(): (line[second:third].strip(), line[third:]) for line in lines}


def test_every_live_option_is_shown_with_where_it_comes_from(
    write: Callable[[str], Path], started: list[Settings], command: Command
) -> None:
    path = write('camera = "demo"\nsize = "640x360"\nmirror = true\nstrength = 0.4\nstacked = true')
    outcome = command("--show-config", "--strength", "0.25", "--no-mirror")
    assert (outcome.status, outcome.lines, started) == (0, [], [])
    assert outcome.out.splitlines()[0] == f"Profile: {path}"
    shown = _table(outcome.out)
    assert list(shown) == [option.name for option in OPTIONS if LIVE in option.commands]
    expected = {
        "camera": ("demo", f"{path}"),
        "size": ("640x360", f"{path}"),
        "strength": ("0.25", "--strength"),
        "mirror": ("false", "--no-mirror"),
        "model": ("stacked", f"{path}"),
        "stacked": ("true", f"{path}"),
        "preview": ("false", "default"),
        "smoothing": ("0.5", "default"),
        "output": ("the virtual webcam", "default"),
    }
    assert {name: shown[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("flags", "model"),
    [
        (["--no-stacked"], ("lite", "--no-stacked")),
        (["--model", "dmshn"], ("dmshn", "--model")),
        (["--model", "dmshn", "--no-stacked"], ("dmshn", "--model")),
        (["--stacked"], ("stacked", "--stacked")),
    ],
)
def test_the_model_comes_from_the_flag_that_counts(
    write: Callable[[str], Path], command: Command, flags: list[str], model: tuple[str, str]
) -> None:
    write('camera = "demo"\nstacked = true')
    shown = _table(command("--show-config", *flags).out)
    assert shown["model"] == model
    assert shown["stacked"] == (str(model[0] == "stacked").lower(), model[1])


def test_without_a_profile_it_is_said_where_one_would_be_read(
    config_home: Path, command: Command
) -> None:
    outcome = command("--show-config")
    path = config_home / "realtime-bokeh" / "config.toml"
    assert outcome.status == 0
    assert outcome.out.splitlines()[0] == (f"There is no profile; one would be read from {path}")
    assert _table(outcome.out)["camera"] == ("not given", "default")


def test_the_password_in_a_cameras_address_is_not_shown(
    write: Callable[[str], Path], command: Command
) -> None:
    write('camera = "rtsp://me:s3cret@host/live"')
    outcome = command("--show-config")
    assert "rtsp://me:***@host/live" in outcome.out
    assert "s3cret" not in outcome.out


def test_the_profiles_in_the_documents_are_valid(
    write: Callable[[str], Path], started: list[Settings], command: Command
) -> None:
    for document in ("README.md", "docs/settings.md"):
        text = (Path(__file__).parents[2] / document).read_text(encoding="utf-8")
        example = re.search(r"(?<=\n\n)    camera = .*?\n(?=\n)", text, re.DOTALL)
        assert example is not None
        write(textwrap.dedent(example[0]))
        assert command().status == 0
    assert [(s.camera, s.strength, s.mirror) for s in started] == [("0", 0.8, True)] * 2
