import shutil
from pathlib import Path

import pytest

from realtime_bokeh import weights
from realtime_bokeh.errors import WeightsError
from realtime_bokeh.network.dmshn import build


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REALTIME_BOKEH_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "models"


def test_shapes_without_torch_are_the_networks() -> None:
    for architecture in ("lite", "dmshn", "stacked"):
        for head in (False, True):
            state = build(architecture, head).state_dict()
            expected = {k: tuple(v.shape) for k, v in state.items()}
            assert weights.parameter_shapes(architecture, head) == expected


def test_shipped_models_are_whole() -> None:
    names = {m.name for m in weights.models()}
    assert {"lite", "dmshn", "stacked"} <= names
    for model in weights.models():
        assert model.precisions() == ["f32", "int8"]
        for file in model.sha256:
            assert model.file(file).is_file()


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    shutil.copytree(weights.SHIPPED / "lite", tmp_path / "lite")
    path = tmp_path / "lite" / weights.WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="checksum"):
        weights.load_manifest(tmp_path / "lite").file(weights.WEIGHTS)
