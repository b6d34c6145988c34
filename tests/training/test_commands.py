import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realtime_bokeh.errors import BokehError, SinkError, UsageError
from training.cli import named_paths, run, write_image, write_json, write_text


def _fails(error: BaseException) -> Callable[[], None]:
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (UsageError("FILE is missing;\ngive another"), 2, "FILE is missing; give another"),
        (BokehError("No network"), 1, "No network"),
        (ZeroDivisionError("oh"), 1, "internal error, see it with python -X dev: ZeroDivision"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_failures_are_one_sentence(
    error: BaseException, status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(_fails(error))
    assert caught.value.code == status
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line


def test_success_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(lambda: None)
    assert caught.value.code == 0
    assert capsys.readouterr().err == ""


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"lost": float("inf"), "kept": [1.5, (2,)]})
    found = json.loads((tmp_path / "a.json").read_text())
    assert found == {"lost": None, "kept": [1.5, [2]]}
    with pytest.raises(SinkError, match="cannot be written"):
        write_text(tmp_path / "nowhere" / "b.txt", "text")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SinkError, match="cannot be written"):
        write_image(tmp_path / "folder.png", np.zeros((2, 3), np.uint8))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "folder.png"]


def test_named_paths() -> None:
    assert named_paths("--weights", ["a=x/y", "b=z=1"]) == {"a": Path("x/y"), "b": Path("z=1")}
    with pytest.raises(UsageError, match="--weights 'a' must be written NAME=PATH"):
        named_paths("--weights", ["a"])
    with pytest.raises(UsageError, match="given twice"):
        named_paths("--weights", ["a=x", "a=y"])
