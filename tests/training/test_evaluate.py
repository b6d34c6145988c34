import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors.torch import save_file

from realtime_bokeh import weights
from realtime_bokeh.errors import UsageError
from realtime_bokeh.network.dmshn import build
from tests.clips import make
from training import evaluate
from training.measure.methods import find
from training.measure.protocols import Method


@pytest.fixture
def material(photos: Path, tmp_path: Path) -> Path:
    """Photos, three pairs and a clip."""
    folder = tmp_path / "material"
    shutil.copytree(photos, folder)
    shutil.copytree(photos / "people", folder / "calls")
    (folder / "pairs").mkdir()
    for number in range(3):
        noise = np.random.default_rng(number).integers(0, 256, (64, 96, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / "pairs" / f"{number}.sharp.jpg"), noise)
        blurred = cv2.GaussianBlur(noise, (0, 0), 1)
        cv2.imwrite(str(folder / "pairs" / f"{number}.bokeh.jpg"), blurred)
    (folder / "clips").mkdir()
    make(folder / "clips" / "still.mkv", times=(0, 0.1, 0.2))
    return folder


Command = Callable[..., None]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Command:
    def command(*arguments: object) -> None:
        monkeypatch.setattr("sys.argv", ["evaluate", *map(str, arguments)])
        evaluate.main()

    return command


def _arguments(folder: Path, out: Path) -> Sequence[object]:
    return "--model", "lite", "--data", folder, "--out", out, "--frames", 3, "--samples", 2


def test_one_command_measures_everything(run: Command, material: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(*_arguments(material, out))
    result = json.loads((out / "result.json").read_text())
    medians = result["people"]["medians"]
    assert medians.keys() == {"identity", "lite", "whole-image Gaussian", "true mask + Gaussian"}
    assert medians["lite"].keys() == {"in_focus_psnr", "background_energy", "focus_iou"}
    assert medians["identity"]["background_energy"] == 1
    assert medians["true mask + Gaussian"]["in_focus_psnr"] > 100
    pairs = result["pairs"]
    assert pairs["chosen_on"] == ["0", "1"]
    assert pairs["means"].keys() == {"all", "chosen half", "other half"}
    assert "sigma" in pairs["chosen"]["whole-image Gaussian"]
    gaussian, identity = (
        pairs["means"]["other half"][n] for n in ("whole-image Gaussian", "identity")
    )
    assert gaussian["psnr"] > identity["psnr"] + 3
    assert {"lite", "identity, 256x144"} < result["synthetic"]["means"].keys()
    assert result["clips"]["each"]["identity"]["still"] < 0.01
    assert result["calls"]["sources"].keys() == {"all", "photo"}
    assert "several" in result
    page = (out / "index.html").read_text()
    for text in ("calls", "people", "pairs", "synthetic", "clips", "lite, focus", "truth"):
        assert text in page


def test_what_a_folder_lacks_is_said(run: Command, material: Path, tmp_path: Path) -> None:
    for name in ("people", "people_auto", "backgrounds", "clips"):
        shutil.rmtree(material / name)
    run(*_arguments(material, tmp_path / "out"))
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert "people" not in result
    left_out = [note.split()[0] for note in result["notes"] if "is left out: /" in note]
    assert left_out == ["several", "people", "synthetic", "clips"]


def test_only_what_is_asked_for_is_measured(run: Command, material: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "groups.csv").write_text("photo_0,hat\n")
    groups = ("--groups", tmp_path / "groups.csv")
    run(*_arguments(material, out), "--only", "calls", *groups)
    result = json.loads((out / "result.json").read_text())
    assert result.keys() == {"data", "models", "calls", "notes"}
    assert result["notes"] == []  # LPIPS is missed by nobody
    assert result["calls"]["groups"].keys() == {"hat"}
    with pytest.raises(UsageError, match="--only 'call' is none of calls, several"):
        run(*_arguments(material, out), "--only", "call")
    with pytest.raises(UsageError, match="--groups needs calls"):
        run(*_arguments(material, out), "--only", "clips", *groups)


def test_mistakes_are_said_before_or_instead_of_a_result(
    run: Command, material: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=r"has none of calls/\*.jpg, backgrounds"):
        run(*_arguments(tmp_path / "nowhere", out))
    for limit in (("--inference-size", "96x64"), ("--only", "calls")):
        with pytest.raises(UsageError, match="--record needs people/"):
            run(*_arguments(material, out), "--record", *limit)
    (material / "people" / "photo_0.mask.png").unlink()
    with pytest.raises(UsageError, match=r"photo_0.mask.png is missing"):
        run(*_arguments(material, out))
    assert not (out / "result.json").exists()


def test_medians_are_recorded_in_the_manifest(run: Command, material: Path, tmp_path: Path) -> None:
    for name in ("pairs", "backgrounds", "clips"):
        shutil.rmtree(material / name)
    path = tmp_path / "run" / weights.WEIGHTS
    path.parent.mkdir()
    save_file(build("lite", focus_head=True).state_dict(), path)
    run("--model", path, "--data", material, "--out", tmp_path / "out", "--record")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    recorded = weights.load_manifest(path.parent).metrics
    assert recorded == result["people"]["medians"][str(path)]


def test_file_of_something_else_is_said(tmp_path: Path) -> None:
    path = tmp_path / weights.WEIGHTS
    path.write_text("no weights")
    with pytest.raises(UsageError, match="is not a safetensors file"):
        find(str(path))


def test_setting_that_suits_the_pairs_is_chosen() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    truth = cv2.GaussianBlur(noise, (0, 0), 2)
    method = Method(lambda image, s: cv2.GaussianBlur(image, (0, 0), s), "sigma", (0.5, 1, 2, 4))
    assert method.choose([(noise, (truth * 0.8).astype(np.uint8))]) == 2
