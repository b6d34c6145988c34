import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from realtime_bokeh.errors import UsageError
from realtime_bokeh.network.dmshn import build
from training import paper
from training.data.ebb import Ebb
from training.measure.metrics import psnr


class Probe(nn.Module):
    """Returns its input, and remembers its shape."""

    def __init__(self, focus_head: bool = False) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))
        self.focus_head = focus_head
        self.shape: tuple[int, ...] = ()

    def forward(self, x: Tensor) -> Tensor:
        self.shape = tuple(x.shape)
        return torch.cat([x, x[:, :1] * 99], 1) if self.focus_head else x


@pytest.fixture
def image() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (100, 150, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 3))


@pytest.mark.parametrize("focus_head", [False, True])
def test_network_sees_1536x1024_and_the_picture_comes_back(
    image: np.ndarray, focus_head: bool
) -> None:
    network = Probe(focus_head)
    output = paper.render(network, image)
    assert network.shape == (1, 3, 1024, 1536)
    assert output.shape == image.shape
    assert output.dtype == np.uint8
    assert psnr(output, image) > 40  # the same channels in the same order


def test_levels_are_rounded_and_clamped(image: np.ndarray) -> None:
    class Constant(Probe):
        def forward(self, x: Tensor) -> Tensor:
            levels = torch.tensor([100.4, 100.6, 300.0])[None, :, None, None] / 255
            return levels.expand(1, 3, *x.shape[2:])

    assert paper.render(Constant(), image)[0, 0].tolist() == [255, 101, 100]  # BGR


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The protocol at a size that is quick."""
    monkeypatch.setattr(paper, "_WIDTH", 96)
    monkeypatch.setattr(paper, "_HEIGHT", 64)


def _ebb(folder: Path, image: np.ndarray) -> Path:
    for name in ("original", "bokeh"):
        (folder / "Training" / name).mkdir(parents=True)
        for number in (4400, 4401):
            cv2.imwrite(str(folder / "Training" / name / f"{number}.jpg"), image)
    return folder


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("command", ["quality", "table1", "ablation", "table3"])
def test_table_stands_beside_the_published_one(
    tmp_path: Path, image: np.ndarray, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    state = build("dmshn", focus_head=False).state_dict()
    torch.save({f"module.{k}": v for k, v in state.items()}, tmp_path / "theirs.pth")
    save_file(build("lite", focus_head=True).state_dict(), tmp_path / "ours.safetensors")
    files = [f"dmshn={tmp_path / 'theirs.pth'}", f"lite={tmp_path / 'ours.safetensors'}"]
    out, kept = tmp_path / "table.json", tmp_path / "kept"
    ebb = _ebb(tmp_path, image)
    arguments = ["--ebb", ebb, "--weights", *files, "--out", out, "--pictures", kept]
    paper.main([command, *map(str, arguments)])
    result = json.loads(out.read_text())
    assert result["published"]["DMSHN"] == {"psnr": 24.65, "ssim": 0.8765, "lpips": 0.2289}
    assert result["ours"].keys() == {"dmshn (here)", "lite (here)"}
    assert len(list(kept.glob("*/440[01].png"))) == 4
    shown = capsys.readouterr().out
    assert "dmshn (here)" in shown
    unknown = [v for v in result["published"].values() if v["psnr"] == "not at hand"]
    assert len(unknown) == (4 if command in ("ablation", "table3") else 0)


def test_runtime(capsys: pytest.CaptureFixture[str]) -> None:
    paper.main(["runtime", "--size", "32x16", "--frames", "1"])
    shown = capsys.readouterr().out
    assert "0.020" in shown
    assert "dmshn, 32x16" in shown


def test_size_that_the_network_cannot_take_is_said() -> None:
    with pytest.raises(UsageError, match="multiples of 16"):
        paper.main(["runtime", "--size", "1280x721"])


def test_pair_of_two_sizes_is_named(tmp_path: Path, image: np.ndarray) -> None:
    ebb = _ebb(tmp_path, image)
    cv2.imwrite(str(ebb / "Training" / "bokeh" / "4400.jpg"), image[:50])
    data = Ebb(ebb, "val")
    with pytest.raises(UsageError, match=r"4400.jpg differ in size"):
        paper.measure(Probe(), data, "probe", None)
