import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from realtime_bokeh.errors import UsageError
from training.fit.ablations import build_network
from training.fit.presets import PRESETS
from training.train import parser, train


def _arguments(photos: Path, run: Path, steps: int, *more: str) -> list[str]:
    return ["--preset", "lite-smoke", "--threads", "1", "--data", str(photos), "--out", str(run),
            "--steps", str(steps), *more]  # fmt: skip


def _start(photos: Path, run: Path, steps: int, *launcher: str) -> subprocess.Popen[str]:
    command = [sys.executable, *launcher, "-m", "training.train"]
    return subprocess.Popen([*command, *_arguments(photos, run, steps)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def _train(photos: Path, run: Path, steps: int, *more: str) -> None:
    train(parser().parse_args(_arguments(photos, run, steps, *more)))


def _state(run: Path) -> dict[str, Any]:
    return dict(torch.load(run / "checkpoint.pt", weights_only=True))


def test_same_command_resumes_where_it_was(photos: Path, tmp_path: Path) -> None:
    """A run in two parts ends with the weights of a run in one: it sees the same samples."""
    parts, whole = tmp_path / "parts", tmp_path / "whole"
    _train(photos, parts, 4, "--minutes", "0.0001")
    assert _state(parts)["step"] == 1
    _train(photos, parts, 4, "--pictures-every", "1")
    _train(photos, whole, 4)
    assert _state(parts)["step"] == _state(whole)["step"] == 4
    one, two = (load_file(str(run / "weights.safetensors")) for run in (parts, whole))
    assert all(v.dtype == torch.float16 for v in one.values())
    assert all(torch.allclose(one[k], two[k], atol=1e-4) for k in one)
    names = {path.name for path in parts.iterdir()}
    assert names == {"checkpoint.pt", "weights.safetensors", "samples.jpg"}


def test_two_processes_together_are_one(photos: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port))
    process = _start(photos, tmp_path / "two", 3, *launcher)
    _train(photos, tmp_path / "one", 3)
    assert process.wait(120) == 0, process.communicate()[1]
    one, two = _state(tmp_path / "one"), _state(tmp_path / "two")
    assert one["step"] == two["step"] == 3
    assert one["samples"] == two["samples"] == 24
    begun = build_network(PRESETS["lite-smoke"]).state_dict()
    networks = one["network"], two["network"]
    learnt, apart = (
        sum(float((a[k] - b[k]).abs().sum()) for k in begun)
        for a, b in ((networks[0], begun), networks)
    )
    assert apart < 0.02 * learnt  # Adam's first steps enlarge what sums in another order leave


def test_killed_at_any_moment_and_resumed_a_run_ends_whole(photos: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    _train(photos, run, 1)
    (run / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"ste')  # as if killed after 2
    process = _start(photos, run, 1_000)
    time.sleep(4 + 2 * random.random())
    process.kill()
    process.wait()
    reached = int(_state(run)["step"])
    _train(photos, run, reached + 2)
    assert _state(run)["step"] == reached + 2
    steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps))
    load_file(str(run / "weights.safetensors"))


def test_a_signal_ends_with_a_checkpoint(photos: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = _start(photos, run, 100_000)
    while not (run / "metrics.jsonl").exists() and process.poll() is None:
        if run.exists():
            time.sleep(3)  # it has begun; any moment is as good
            break
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert _state(run)["step"]


def test_dry_run_says_what_it_would_take_and_leaves_nothing(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _train(photos, tmp_path / "run", 700, "--dry-run")
    said = capsys.readouterr().out
    assert "parameters" in said
    assert "stage 1: l1_ssim, 8 samples of about 96x160" in said
    assert not (tmp_path / "run").exists()


def test_clips_and_a_teacher_are_learnt_from(photos: Path, tmp_path: Path) -> None:
    _train(photos, tmp_path / "teacher", 1)
    teacher = str(tmp_path / "teacher" / "weights.safetensors")
    _train(photos, tmp_path / "run", 2, "--temporal", "--teacher", teacher)
    state = _state(tmp_path / "run")
    assert state["samples"] == 16


def test_mistakes_are_sentences(photos: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(UsageError, match="needs photographs"):
        _train(tmp_path, run, 1)
    with pytest.raises(UsageError, match="steps must be more than nothing"):
        _train(photos, run, -1)
    with pytest.raises(UsageError, match="--align is for presets that train on EBB!"):
        _train(photos, run, 1, "--align")
    with pytest.raises(UsageError, match="--blades must be 0, a disc, or from 5 to 20"):
        _train(photos, run, 1, "--blades", "3")
    with pytest.raises(UsageError, match="--cats-eye must be from 0 to"):
        _train(photos, run, 1, "--cats-eye", "nan")
    options = ["--preset", "lite-tune", "--data", str(photos), "--out", str(run)]
    with pytest.raises(UsageError, match="lite-tune needs --init"):
        train(parser().parse_args(options))
    _train(photos, run, 1)
    options += ["--init", str(run / "weights.safetensors")]
    with pytest.raises(UsageError, match="holds a run of the preset lite-smoke"):
        train(parser().parse_args(options))
    (run / "checkpoint.pt").write_bytes(b"cut")
    with pytest.raises(UsageError, match="is damaged or not a checkpoint"):
        _train(photos, run, 2)
