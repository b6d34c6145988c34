import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from training.train import PRESETS, learning_rate


def _train(photos: Path, run: Path, steps: int) -> None:
    command = [sys.executable, "-m", "training.train", "--preset", "lite", "--threads", "1"]
    command += ["--data", str(photos), "--run", str(run), "--steps", str(steps)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_same_command_resumes(photos: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    _train(photos, run, 2)
    first = torch.load(run / "checkpoint.pt", weights_only=True)
    _train(photos, run, 3)
    second = torch.load(run / "checkpoint.pt", weights_only=True)
    assert (first["step"], second["step"]) == (2, 3)
    assert second["seconds"] > first["seconds"]
    weights = load_file(str(run / "weights.safetensors"))
    assert all(v.dtype == torch.float16 for v in weights.values())
    assert any(not torch.equal(first["network"][k], second["network"][k]) for k in weights)
    assert not list(run.glob("*.part"))


def test_rate_warms_up_stays_and_falls() -> None:
    preset = PRESETS["lite"]
    rates = [learning_rate(preset, step, 10_000) for step in (0, 300, 6_900, 8_500, 10_000)]
    assert rates[0] < 0.01 * preset.learning_rate
    assert rates[1] == rates[2] == preset.learning_rate
    assert 0.4 < rates[3] / preset.learning_rate < 0.6
    assert rates[4] == 0
