import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import realtime_bokeh
from realtime_bokeh.sizes import Size
from training import cli, together
from training.fit.presets import PRESETS

WEIGHTS = "weights.safetensors"
MODELS = Path(realtime_bokeh.__file__).with_name("models")
NETWORKS = ("dmshn", "stacked", "lite")


def _command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["together", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.run(together.main)
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize("name", NETWORKS)
def test_stages_are_alike(name: str) -> None:
    ours, dmshns = PRESETS[f"{name}-gpu"].stages, PRESETS["dmshn-gpu"].stages
    assert [replace(s, rate=(0, 0)) for s in ours] == [replace(s, rate=(0, 0)) for s in dmshns]


def test_all_are_trained_and_go_on(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = PRESETS["dmshn-gpu"].stages
    for stage in stages:  # a step of each
        alone = replace(stage, share=1, batch=2, shapes=(Size(16, 32),))
        for name in NETWORKS:
            preset = PRESETS[f"{name}-gpu"]
            monkeypatch.setitem(PRESETS, f"{name}-gpu", replace(preset, stages=(alone,)))
        command = ("--data", photos, "--out", tmp_path, "--init", MODELS / "dmshn" / WEIGHTS,
                   "--stacked", MODELS / "stacked" / WEIGHTS, "--lite", MODELS / "lite" / WEIGHTS,
                   "--hours", 1)  # fmt: skip
        assert _command(monkeypatch, *command, "--minutes", 1e-6) == 0
    for name in NETWORKS:
        lines = (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        reports = [json.loads(line) for line in lines]
        assert [report["step"] for report in reports] == [1, 2]
        assert ["picture" in report["parts"] for report in reports] == [False, True]
        assert ("teacher" in reports[0]["parts"]) == (name == "lite")
    begun = {name: load_file(MODELS / name / WEIGHTS) for name in NETWORKS}
    found = {name: load_file(tmp_path / name / WEIGHTS) for name in NETWORKS}
    kernel = "encoder_lv2.layer1.weight"
    assert not torch.equal(found["dmshn"][kernel], begun["dmshn"][kernel])
    assert torch.equal(found["stacked"][f"net1.{kernel}"], found["dmshn"][kernel])
    second = f"net2.{kernel}"
    assert not torch.equal(found["stacked"][second], begun["stacked"][second])
    assert torch.allclose(found["stacked"][second], begun["stacked"][second], atol=0.01)


def test_a_length_of_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ("--data", tmp_path, "--out", tmp_path, "--init", "a", "--stacked", "b",
               "--lite", "c")  # fmt: skip
    assert _command(monkeypatch, *command, "--hours", 0) == 2
    assert "--hours and --minutes must be more than nothing" in capsys.readouterr().err
