"""benchmarks/temporal.py runs anywhere, and its scores say what they are said to."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_runs_without_any_clip(tmp_path: Path) -> None:
    arguments = ["--model", "lite", "--frames", "4", "--out", tmp_path]
    command = [sys.executable, "-m", "benchmarks.temporal", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "result.json").read_text())["lite"]
    assert scores["still"]["shipped"]["flicker"] < scores["still"]["none"]["flicker"]
    assert scores["dark"]["shipped"]["flicker"] < scores["dark"]["none"]["flicker"]
    assert scores["hand"]["none"]["ghosting"] == 0
    assert scores["hand"]["shipped"]["withheld"] <= scores["hand"]["motion gate"]["withheld"]
    for event in ("cut", "exposure"):
        assert scores[event]["none"]["left over"] == 0
        assert scores[event]["shipped"]["left over"] < scores[event]["motion gate"]["left over"]
    assert scores["exposure"]["shipped"]["ghosting"] is None
    assert "input" in (tmp_path / "index.html").read_text()
