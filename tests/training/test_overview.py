import subprocess
import sys
from pathlib import Path

import pytest

import training
from realtime_bokeh.errors import UsageError
from training.__main__ import COMMANDS, main, overview


def test_every_command_has_a_line_and_an_example() -> None:
    folder = Path(training.__file__).parent
    commands = {p.stem for p in folder.glob("*.py") if "cli.run(main)" in p.read_text()}
    assert commands == {*COMMANDS, "__main__"}
    lines = [line.strip() for line in overview().splitlines()]
    for name in COMMANDS:
        (summary,) = [n for n, line in enumerate(lines) if line.startswith(f"{name} ")]
        assert lines[summary + 1].startswith(f"python -m training.{name} ")


def test_overview_is_what_the_folder_prints() -> None:
    done = subprocess.run([sys.executable, "-m", "training"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, overview() + "\n", "")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("train", "try python -m training.train --help"), ("fly", "there is no command fly")],
)
def test_a_command_behind_it_is_shown_its_place(
    name: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["training", name])
    with pytest.raises(UsageError, match=sentence):
        main()
