from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from realtime_bokeh import weights
from realtime_bokeh.architectures import FINER, Layout
from realtime_bokeh.errors import UsageError
from realtime_bokeh.network.dmshn import DMSHN, StackedDMSHN, build
from realtime_bokeh.sizes import Size
from training.release import between, refocused, release


def test_focus_is_surer_and_the_rendering_as_it_was() -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 3, 32, 48)
    small = Layout((8, 16, 32))
    for network in (DMSHN(small, focus_head=True), StackedDMSHN(small, focus_head=True)):
        network.eval()
        with torch.no_grad():
            before = network(x)
            network.load_state_dict(refocused(network.state_dict(), 1.5, 0.5))
            after = network(x)
        assert torch.equal(after[:, :3], before[:, :3])
        assert torch.allclose(after[:, 3], 1.5 * before[:, 3] + 0.5, atol=1e-6)


def test_weights_between_a_runs_beginning_and_its_end() -> None:
    began, ended = {"a": torch.tensor([1.0, 2.0])}, {"a": torch.tensor([3.0, 2.0])}
    assert between(began, ended, 0.25)["a"].tolist() == [1.5, 2.0]


def test_weights_that_are_not_the_models_are_refused_before_anything_is_written(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "SHIPPED", tmp_path / "models")
    source, size = tmp_path / "weights.safetensors", Size(32, 48)
    with pytest.raises(UsageError, match=r"weights.safetensors does not exist"):
        release("lite", source, photos, "", size)
    save_file(build("lite", focus_head=False).state_dict(), source)
    with pytest.raises(UsageError, match="holds lite without the focus head"):
        release("lite", source, photos, "", size)
    save_file(build("lite", focus_head=True).state_dict(), source)
    with pytest.raises(UsageError, match="holds lite; dmshn with the focus head is due"):
        release("dmshn", source, photos, "", size)
    finer = tmp_path / "finer.safetensors"
    save_file(build("lite", True, FINER).state_dict(), finer)
    with pytest.raises(UsageError, match=r"sees finer than .*weights\.safetensors, which cannot"):
        release("lite", source, photos, "", size, began=finer)
    with pytest.raises(UsageError, match="needs photographs"):
        release("lite", source, tmp_path, "", size)
    assert not (tmp_path / "models").exists()
