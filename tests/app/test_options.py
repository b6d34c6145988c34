"""One table of options: the command line, profiles and help follow it."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from realtime_bokeh.app import commands, live
from realtime_bokeh.app.options import LIVE, OPTIONS, Kind, Option, markdown_table
from realtime_bokeh.app.settings import Settings, defaults, load_settings
from realtime_bokeh.errors import UsageError
from tests.program import Command


def test_settings_have_a_field_for_every_option() -> None:
    names = {option.name for option in OPTIONS}
    assert names == {field.name for field in fields(Settings)} | {"stacked"}
    assert defaults()["model"] == "lite"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_in_the_help_of_its_commands_alone(
    option: Option, command: Command
) -> None:
    for name in ("live", "render", "demo", "bench"):
        told = command(*([] if name == "live" else [name]), "--help").out
        assert (re.search(rf"{option.flag}\b", told) is not None) == (name in option.commands)


@pytest.mark.parametrize(
    ("words", "audio"),
    [(["--audio"], "default"), (["--audio", "usb"], "usb"), (["--audio", "--verbose"], "default")],
)
def test_a_flag_that_may_stand_without_a_value(
    words: list[str], audio: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: list[Settings] = []
    monkeypatch.setattr(live, "run_live", lambda given, *_: settings.append(given))
    assert command("--camera", "demo", "--output", "x.mp4", *words).status == 0
    assert settings[0].audio == audio
    assert command("--camera", "demo", "--output").status == 2


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_switch_can_be_taken_back(option: Option, command: Command) -> None:
    commands = () if LIVE in option.commands else option.commands[:1]
    told = command(*commands, "--help").out
    assert (f"--no-{option.flag[2:]}" in told) == (option.kind is Kind.SWITCH)


def _profile(folder: Path, text: str) -> Path:
    path = folder / "p.toml"
    path.write_text(text)
    return path


def test_flags_take_back_what_a_profile_switches_on(tmp_path: Path) -> None:
    profile = _profile(tmp_path, "mirror = true\npreview = true\nstacked = true")
    assert load_settings(profile, {}).model == "stacked"
    found = load_settings(profile, {"mirror": False, "preview": False, "stacked": False})
    assert found == Settings()


def test_a_model_and_stacked_override_each_other_in_order(tmp_path: Path) -> None:
    profile = _profile(tmp_path, "stacked = true")
    assert load_settings(profile, {"model": "dmshn"}).model == "dmshn"
    profile = _profile(tmp_path, 'model = "dmshn"')
    assert load_settings(profile, {"stacked": True}).model == "stacked"
    assert load_settings(profile, {"stacked": False}).model == "dmshn"
    both = _profile(tmp_path, 'stacked = true\nmodel = "lite"')
    with pytest.raises(UsageError, match=r"p\.toml.*--stacked and --model lite exclude each other"):
        load_settings(both, {})


def test_a_profile_says_everything_that_a_live_run_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    seen: list[Settings] = []
    monkeypatch.setattr(live, "run_live", seen.append)
    profile = _profile(tmp_path, 'camera = "demo"\noutput = "none"\npreview = true\nfps = 20')
    assert command("--config", profile).status == 0
    assert command("--config", profile, "--output", "x.mp4", "--no-preview").status == 0
    assert [(each.camera, each.output, each.preview) for each in seen] == [
        ("demo", "none", True), ("demo", "x.mp4", False),
    ]  # fmt: skip


def test_a_mistake_in_a_profile_names_the_file_unless_a_flag_overrides_it(tmp_path: Path) -> None:
    profile = _profile(tmp_path, 'strength = 7\nsize = "big"')
    with pytest.raises(
        UsageError, match=r"Profile .*p\.toml, line 1: --strength 7 is out of range"
    ):
        load_settings(profile, {})
    profile = _profile(tmp_path, "strength = 7")
    assert load_settings(profile, {"strength": "0"}).strength == 0


@pytest.mark.parametrize("option", ["--strength", "--smoothing"])
def test_nought_is_a_value(option: str, command: Command) -> None:
    outcome = command(option, 0, "render", "a.jpg", "b.jpg")
    assert outcome.status == 2
    assert f"{option} stands before render" in outcome.lines[0]
    outcome = command(option, 0)
    assert outcome.status == 2
    assert "--camera is missing" in outcome.lines[0]


@pytest.mark.parametrize(
    ("group", "part"), [("export", "tflite"), ("weights", "lite"), ("service", "status")]
)
def test_a_group_alone_is_no_mistake(group: str, part: str, command: Command) -> None:
    outcome = command(group)
    assert (outcome.status, outcome.lines) == (0, [])
    assert part in outcome.out


def _run(*arguments: str, **environment: str) -> str:
    program = [sys.executable, "-m", "realtime_bokeh", *arguments]
    surroundings = {**os.environ, **environment}
    return subprocess.run(program, env=surroundings, capture_output=True, text=True).stdout


def test_help_is_as_wide_as_the_terminal_and_cuts_nothing() -> None:
    wide, narrow = (_run("--help", COLUMNS=columns) for columns in ("118", "60"))
    assert 80 < max(map(len, wide.splitlines())) <= 118
    assert max(map(len, narrow.splitlines())) <= 60
    assert "..." not in wide.split("Commands:")[1]
    assert "(default: lite)" in wide


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, command: Command) -> None:
    outcome = command("completion", shell)
    assert outcome.status == 0
    assert "_REALTIME_BOKEH_COMPLETE" in outcome.out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("realtime-bokeh ren", "render"),
        ("realtime-bokeh --engine openv", "openvino"),
        ("realtime-bokeh render --model sta", "stacked"),
        ("realtime-bokeh control set inference-", "inference_size"),
    ],
)
def test_a_shell_is_offered_commands_and_values(words: str, offered: str) -> None:
    count = str(len(words.split()) - 1)
    found = _run(_REALTIME_BOKEH_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=count)
    assert found.splitlines() == [f"plain,{offered}"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("export tflite a.tflite --size big", "--size 'big' is not a size; write it like 256x144"),
        ("export onnx a.onnx --frame --size 0x0", "--size 0x0 is out of range"),
        ("engines build --size 3x3", "--size 3x3 is out of range"),
    ],
)
def test_a_bad_size_blames_the_option_that_has_it(
    line: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = command(*line.split())
    assert outcome.status == 2
    assert sentence in outcome.lines[0]


def test_the_readme_shows_the_table() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = re.search(r"(?<=<!-- options:begin -->\n).*(?=<!-- options:end -->)", readme, re.DOTALL)
    assert table is not None
    assert table[0] == markdown_table(defaults()), "run: python scripts/options_table.py"


def test_verbose_counts_before_and_behind_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(commands, "render", lambda settings, *_: seen.append(settings.verbose))
    profile = _profile(tmp_path, "verbose = true")
    command("--verbose", "render", "a", "b")
    command("render", "a", "b", "--verbose")
    command("render", "a", "b", "--config", profile)
    command("render", "a", "b")
    assert seen == [True, True, True, False]


def test_verbose_shows_the_traceback_and_keeps_the_status(command: Command) -> None:
    outcome = command("render", "none.jpg", "b.jpg", "--verbose")
    assert outcome.status == 2
    assert outcome.lines[0].startswith("Traceback")
    assert outcome.lines[-1] == "realtime-bokeh: none.jpg does not exist"
