import json
from pathlib import Path

import numpy as np
import pytest

from realtime_bokeh.errors import UsageError
from training.curves import draw, read_run


def _run(folder: Path, reports: int) -> Path:
    folder.mkdir()
    lines = [
        {"step": 100 * i, "hours": i / 10, "loss": 1 / i, "psnr": 20 + i, "psnr_identity": 21}
        for i in range(1, reports + 1)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_curves_follow_the_reports(tmp_path: Path) -> None:
    runs = {"one": read_run(_run(tmp_path / "1", 9)), "two": read_run(_run(tmp_path / "2", 3))}
    losses, pictures = draw(runs).axes
    assert [line.get_label() for line in losses.lines] == ["one", "two"]
    assert len(pictures.lines) == 4
    hours, values = (np.asarray(axis).tolist() for axis in pictures.lines[0].get_data())
    assert hours == pytest.approx([i / 10 for i in range(1, 10)])
    assert values == sorted(values)
    assert values[-1] == pytest.approx(27)  # of the last five reports: 25 to 29


def test_reports_of_focus_alone_have_a_loss_and_no_picture(tmp_path: Path) -> None:
    path = _run(tmp_path / "1", 4) / "metrics.jsonl"
    first, *others = path.read_text().splitlines()
    first = json.dumps({"step": 100, "hours": 0.1, "loss": 0.3})
    path.write_text("\n".join([first, *others]) + "\n")
    losses, pictures = draw({"one": read_run(path.parent)}).axes
    lines = (*losses.lines, *pictures.lines)
    assert [np.size(line.get_xdata()) for line in lines] == [4, 3, 3]


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_run(tmp_path)
    with pytest.raises(UsageError, match="has no reports yet"):
        read_run(_run(tmp_path / "new", 0))
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n')
    with pytest.raises(UsageError, match="holds no reports of a run"):
        read_run(tmp_path)
