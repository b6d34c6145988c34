import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NotRequired, TypedDict

import cv2
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from realtime_bokeh.architectures import FINER
from realtime_bokeh.errors import UsageError
from realtime_bokeh.network.dmshn import build
from tests.training.runs import EVENTS, HIT, STEPS, TINY, arguments
from training.data.batches import share_of
from training.fit.ablations import build_network
from training.fit.presets import PRESETS
from training.train import parse, train

FOCUS_LOSSES = {"inside", "focus", "detail", "coarse"}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset that takes no time."""
    monkeypatch.setitem(PRESETS, "tiny", TINY)


def _train(photos: Path, run: Path, *more: str) -> None:
    train(parse(arguments(photos, run, *more)))


class State(TypedDict):
    """What the tests look at in a checkpoint."""

    step: int
    samples: int
    network: dict[str, Tensor]


class Line(TypedDict):
    """A report; without a truth it has no PSNR."""

    stage: int
    parts: dict[str, float]
    psnr: NotRequired[float]


def _reports(run: Path) -> list[Line]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def _state(run: Path) -> State:
    state: State = torch.load(run / "checkpoint.pt", weights_only=True)
    return state


def test_a_person_is_told_what_happens(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    _train(photos, run, "--minutes", "1e-9")
    begun = capsys.readouterr().out
    for said in (
        "preset    tiny: for tests",
        "CPU with 1 threads, f32",
        "stage 1   50% of the run: 2 samples of 48x32 or 32x48, loss focus, rate 1e-03 to 5e-04",
        "length    4 steps",
        f"folder    {run}, a new run",
        f"reading {photos}",
        "6 photographs: people/ 2, people_auto/ 2, calls/ 0, backgrounds/ 2, cutouts/ 0",
        "step 1 of 4, stage 1 of 2: loss ",
        "Stopped at step 1 of 4; the same command goes on from there.",
    ):
        assert said in begun
    _train(photos, run)
    ended = capsys.readouterr().out
    for said in (
        f"folder    {run}, goes on from step 1 of 4",
        "A report comes every 100 steps.",
        "step 4 of 4, stage 2 of 2: loss ",
        "Complete at step 4 of 4.",
        f"python -m training.evaluate --model {run}/weights.safetensors",
    ):
        assert said in ended
    assert "(rendering " in ended
    _train(photos, run)
    again = capsys.readouterr().out
    assert "complete at step 4 of 4; give a greater length to go on" in again
    assert {path.name for path in run.iterdir()} == {
        "checkpoint.pt", "weights.safetensors", "samples.jpg", "metrics.jsonl",
    }  # fmt: skip
    for line in (run / "metrics.jsonl").read_text().splitlines():
        report = json.loads(line)
        assert report["loss"] == pytest.approx(sum(report["parts"].values()), abs=1e-3)


def test_same_command_resumes_where_it_was(photos: Path, tmp_path: Path) -> None:
    """A run in two parts ends with the weights of a run in one: it sees the same samples."""
    parts, single = tmp_path / "parts", tmp_path / "single"
    _train(photos, parts, "--minutes", "1e-9")
    assert _state(parts)["step"] == 1
    _train(photos, parts, "--pictures-every", "1")
    _train(photos, single)
    assert _state(parts)["step"] == _state(single)["step"] == STEPS
    one, two = (load_file(str(run / "weights.safetensors")) for run in (parts, single))
    assert all(v.dtype == torch.float16 for v in one.values())
    assert all(torch.equal(one[k], two[k]) for k in one)


def test_two_processes_together_are_one(photos: Path, tmp_path: Path) -> None:
    def smoke(run: str) -> list[str]:
        return ["--preset", "lite-smoke", "--threads", "1", "--data", str(photos), "--out",
                str(tmp_path / run), "--steps", "2"]  # fmt: skip

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port)]
    command = [sys.executable, *launcher, "-m", "training.train", *smoke("two")]
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    train(parse(smoke("one")))
    out, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert out.count("Complete at step 2 of 2.") == 1
    assert "2 processes" in out
    one, two = _state(tmp_path / "one"), _state(tmp_path / "two")
    assert one["step"] == two["step"] == 2
    assert one["samples"] == two["samples"] == 16
    begun = build_network(PRESETS["lite-smoke"]).state_dict()
    learnt, apart = (
        sum(float((a[k] - b[k]).abs().sum()) for k in begun)
        for a, b in ((one["network"], begun), (one["network"], two["network"]))
    )
    assert apart < 0.02 * learnt  # Adam's first steps enlarge what sums in another order leave


class Ended(TypedDict):
    """How the run of an event ended, its checkpoint's step, and how the same command ended then."""

    status: int
    step: int
    again: int


@pytest.fixture(scope="module")
def ended(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Ended]]:
    """The folder of the runs of all events, and how they ended."""
    folder = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-m", "tests.training.runs", str(photos), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return folder, json.loads((folder / "found.json").read_text())


@pytest.mark.parametrize("event", [event for event in EVENTS if event != "none"])
def test_a_run_that_is_ended_in_the_middle_and_resumed_is_as_one_that_was_not(
    ended: tuple[Path, dict[str, Ended]], event: str
) -> None:
    folder, found = ended
    run, single = folder / event, folder / "none"
    killed = event.startswith("killed")
    assert found[event]["status"] == (-signal.SIGKILL if killed else os.EX_OK)
    saved = not killed or event == "killed between checkpoint and weights"
    assert found[event]["step"] == (HIT if saved else HIT - 1)
    assert found[event]["again"] == found["none"]["status"] == os.EX_OK
    one, two = _state(run), _state(single)
    assert one["step"] == two["step"] == STEPS
    assert all(torch.equal(one["network"][k], two["network"][k]) for k in two["network"])
    weights = [(path / "weights.safetensors").read_bytes() for path in (run, single)]
    assert weights[0] == weights[1]
    steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert steps == list(range(1, STEPS + 1))


def test_dry_run_says_what_it_would_take_and_leaves_nothing(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _train(photos, tmp_path / "run", "--dry-run")
    said = capsys.readouterr().out
    assert "network   lite, 1,360,874 parameters" in said
    assert "stage 2   2 samples of 64x32, loss l1_ssim, rate 5e-04 to 1e-04, 2 steps of" in said
    assert "nothing was kept of this dry run" in said
    assert not (tmp_path / "run").exists()


def test_clips_and_a_teacher_are_learnt_from(photos: Path, tmp_path: Path) -> None:
    _train(photos, tmp_path / "teacher", "--minutes", "1e-9")
    teacher = str(tmp_path / "teacher" / "weights.safetensors")
    _train(photos, tmp_path / "run", "--temporal", "--teacher", teacher)
    assert _state(tmp_path / "run")["samples"] == 2 * STEPS
    alone, last = _reports(tmp_path / "run")
    assert alone["parts"].keys() == {*FOCUS_LOSSES, "teacher", "motion"}
    assert last["parts"].keys() == {"rendering", "picture", *FOCUS_LOSSES, "teacher", "motion"}


def test_on_focus_alone_the_rendering_is_held_to_what_the_run_began_with(
    photos: Path, tmp_path: Path
) -> None:
    """In a run that is ended in the middle of that stage too."""
    _train(photos, tmp_path / "before", "--minutes", "1e-9")
    initial = ["--init", str(tmp_path / "before" / "weights.safetensors")]
    _train(photos, tmp_path / "parts", *initial, "--minutes", "1e-9")
    (tmp_path / "parts" / "samples.jpg").rename(tmp_path / "parts" / "first.jpg")
    for run in ("parts", "single"):
        _train(photos, tmp_path / run, *initial)
    alone, last = _reports(tmp_path / "single")
    assert alone["parts"].keys() == {"rendering", *FOCUS_LOSSES}
    assert "psnr" not in alone
    assert (alone["stage"], last["stage"]) == (1, 2)
    sheet = cv2.imread(str(tmp_path / "parts" / "first.jpg"))
    assert sheet is not None
    assert sheet.shape[0] - 20 == 3 * share_of(TINY, 0, 0).size.height  # input, output, focus
    assert last["psnr"] > 0
    assert _reports(tmp_path / "parts")[0]["parts"]["rendering"] == 0  # of its first step alone
    assert alone["parts"]["rendering"] > 0
    parts, single = (_state(tmp_path / run)["network"] for run in ("parts", "single"))
    assert all(torch.equal(parts[k], single[k]) for k in single)


@pytest.mark.parametrize("preset", ["stacked-calls", "stacked-int8"])
def test_of_a_stack_the_second_network_learns_after_the_weights_of_one(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str
) -> None:
    like = PRESETS[preset]
    stack = replace(TINY, network=like.network, frozen=like.frozen)
    monkeypatch.setitem(PRESETS, "tiny", stack)
    single = build("dmshn", True, FINER).state_dict()
    path = tmp_path / "dmshn.safetensors"
    save_file(single, path)
    _train(photos, tmp_path / "run", "--init", str(path))
    network = _state(tmp_path / "run")["network"]
    first, second = (f"net{half}.encoder_lv1.layer1.weight" for half in (1, 2))
    assert torch.equal(network[first], single["encoder_lv1.layer1.weight"])
    assert not torch.equal(network[second], single["encoder_lv1.layer1.weight"])
    assert _reports(tmp_path / "run")[0]["parts"]["rendering"] > 0  # held to that of one


def test_every_preset_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    lines = capsys.readouterr().out.splitlines()
    for name, preset in PRESETS.items():
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert line.endswith(preset.description)
        assert preset.description


@pytest.mark.parametrize(
    ("given", "used"), [({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")]
)
def test_idle_threads_leave_their_core_to_others(given: dict[str, str], used: str) -> None:
    """Unless the user says otherwise; read before PyTorch is, since it asks once."""
    code = "import sys, os, training; print('torch' in sys.modules, os.environ['OMP_WAIT_POLICY'])"
    clean = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    said = subprocess.check_output([sys.executable, "-c", code], text=True, env=clean | given)
    assert said.split() == ["False", used]


def test_mistakes_are_sentences(photos: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(UsageError, match="needs photographs"):
        _train(tmp_path, run)
    with pytest.raises(UsageError, match="steps must be more than nothing"):
        _train(photos, run, "--steps", "-1")
    with pytest.raises(UsageError, match="rate must be more than nothing"):
        _train(photos, run, "--rate", "0")
    with pytest.raises(UsageError, match="--align is for presets that train on EBB!"):
        _train(photos, run, "--align")
    with pytest.raises(UsageError, match="--blades must be 0, a disc, or from 5 to 20"):
        _train(photos, run, "--blades", "3")
    with pytest.raises(UsageError, match="--cats-eye must be from 0 to"):
        _train(photos, run, "--cats-eye", "nan")
    options = ["--preset", "lite-calls", "--data", str(photos), "--out", str(run)]
    with pytest.raises(UsageError, match="argument --steps: invalid int value: 'many'; see --help"):
        _train(photos, run, "--steps", "many")
    with pytest.raises(UsageError, match="lite-calls needs --init"):
        train(parse(options))
    _train(photos, run, "--minutes", "1e-9")
    options += ["--init", str(run / "weights.safetensors")]
    with pytest.raises(UsageError, match="holds a run of the preset tiny"):
        train(parse(options))
    (run / "checkpoint.pt").write_bytes(b"cut")
    with pytest.raises(UsageError, match="is damaged or not a checkpoint"):
        _train(photos, run)
