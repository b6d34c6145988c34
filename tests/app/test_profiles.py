"""Profiles that have names: saved, used, and refused in a sentence."""

import sys
from pathlib import Path

import pytest

from realtime_bokeh.app import live
from realtime_bokeh.app.profile import save_profile
from realtime_bokeh.app.settings import Settings, read_profile
from realtime_bokeh.sizes import Size
from tests.program import Command

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere no variable moves the folder of settings"
)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of every live run that is started."""
    found: list[Settings] = []
    monkeypatch.setattr(live, "run_live", lambda settings, *_: found.append(settings))
    return found


def test_a_profile_is_saved_used_and_removed(
    config_home: Path, started: list[Settings], command: Command
) -> None:
    said = command("profiles", "save", "work", "--camera", "demo", "--strength", 0.6,
                   "--inference-size", "160x90", "--no-adapt", "--stacked")  # fmt: skip
    path = config_home / "realtime-bokeh" / "profiles" / "work.toml"
    assert (said.status, said.out) == (0, f"Saved {path}; use it with --profile work\n")
    assert command("profiles").out == "work\n"
    assert command("profiles", "show", "work").out == (
        f'# {path}\ncamera = "demo"\nmodel = "stacked"\nstrength = 0.6\n'
        'inference_size = "160x90"\nadapt = false\n'
    )
    assert command("--profile", "work", "--strength", 0.7).status == 0
    assert started == [
        Settings(camera="demo", strength=0.7, inference_size=Size(90, 160), adapt=False,
                 model="stacked")
    ]  # fmt: skip
    assert "--profile" not in command("render", "--help").out
    assert command("profiles", "remove", "work").out == f"Removed {path}\n"
    assert command("profiles", "list").out == ""


def test_the_default_profile_does_not_count_beside_one_with_a_name(
    config_home: Path, started: list[Settings], command: Command
) -> None:
    (config_home / "realtime-bokeh" / "config.toml").write_text("this is not TOML")
    command("profiles", "save", "a", "--camera", "3")
    assert command("--profile", "a").status == 0
    assert started == [Settings(camera="3")]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["--profile", "none"], "There is no profile 'none'; choose work"),
        (["--profile", "a/b"], "'a/b' cannot name a profile; give up to 40 letters, digits"),
        (["--profile", "work", "--config", "x"], "--config and --profile work exclude each other"),
        (["profiles", "show", "none"], "There is no profile 'none'"),
        (["profiles", "remove", "../work"], "'../work' cannot name a profile"),
        (["profiles", "save", "new"], "There is nothing to save; give options, such as"),
        (["profiles", "save", "new", "--strength", "2"], "--strength 2 is out of range"),
    ],
)
def test_what_cannot_be_is_refused(
    config_home: Path, command: Command, line: list[str], sentence: str
) -> None:
    command("profiles", "save", "work", "--camera", "demo")
    outcome = command(*line)
    assert outcome.status == 2
    assert outcome.lines[0].startswith(f"realtime-bokeh: {sentence}")
    assert command("profiles").out == "work\n"


def test_every_text_is_kept(config_home: Path) -> None:
    text = 'a "b" \\ \x7f \t ü 🎥 # [x]'
    assert save_profile("x", {"camera": text, "mirror": True, "fps": 30.0, "size": Size(48, 64)})
    path = config_home / "realtime-bokeh" / "profiles" / "x.toml"
    assert read_profile(path) == {"camera": text, "mirror": True, "fps": 30.0, "size": Size(48, 64)}
    assert not save_profile("x", {})
