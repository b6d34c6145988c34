"""Damaged files; five minutes of them with LONG=1, else one second, to see that the test works."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests import fuzz
from tests.program import ENVIRONMENT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")


def test_damaged_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    minutes, seed = ("5", random.randrange(1 << 30)) if os.environ.get("LONG") else ("0.1", 0)
    line = [sys.executable, "-m", "tests.fuzz", "--minutes", minutes, "--seed", f"{seed}"]
    # a process of its own, since it forks
    run = subprocess.run(line, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith("0 faults\n")


def test_faults_are_seen(tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    sentence = "realtime-bokeh: in.mp4 is empty"
    assert fuzz.Ending(2, sentence, 1, 100).fault(target) == ""
    assert "by -11" in fuzz.Ending(-11, "", 1, 100).fault(target)
    assert "took 61 s" in fuzz.Ending(2, sentence, 61, 100).fault(target)
    assert "took 3000 MB" in fuzz.Ending(2, sentence, 1, 3000).fault(target)
    assert "not explained" in fuzz.Ending(1, "Traceback", 1, 100).fault(target)
    assert "one sentence" in fuzz.Ending(1, "", 1, 100).fault(target)
    assert "left nothing" in fuzz.Ending(0, "", 1, 100).fault(target)
    target.write_text("no video")
    assert "left a file" in fuzz.Ending(2, sentence, 1, 100).fault(target)
    assert "cannot be played" in fuzz.Ending(0, "", 1, 100).fault(target)
