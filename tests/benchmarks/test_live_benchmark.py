"""benchmarks/live.py measures a live run beside other programs; that it runs is checked here."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_runs_and_prints_json() -> None:
    line = [sys.executable, "benchmarks/live.py", "--model", "lite", "--seconds", "1"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["engine"].startswith("lite")
    assert result["busy"]["with"].startswith("lite")  # there is none that is lighter
    assert result["strength"]["latest_ms"] >= result["strength"]["median_ms"]
    assert result["blank"]["percent"] < 100
