import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realtime_bokeh import weights
from realtime_bokeh.architectures import ARCHITECTURES, FINER, Form, parameter_shapes, recognize
from realtime_bokeh.errors import BokehError, UsageError, WeightsError
from realtime_bokeh.network.dmshn import build

FORMS = [Form(name, *rest) for name in ARCHITECTURES for rest in ((False,), (True,), (True, FINER))]


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REALTIME_BOKEH_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "models"


def test_shapes_without_torch_are_the_networks() -> None:
    for form in FORMS:
        expected = {k: tuple(v.shape) for k, v in build(*form).state_dict().items()}
        assert parameter_shapes(*form) == expected


@pytest.mark.parametrize("form", FORMS)
def test_parameters_are_recognized(form: Form) -> None:
    shapes = parameter_shapes(*form)
    arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    assert recognize(arrays) == form
    del arrays[max(arrays)]  # and what comes nearest is named
    with pytest.raises(UsageError, match=f"tensor .* of {form.architecture} is missing"):
        recognize(arrays)


def test_shipped_models_are_whole() -> None:
    names = {m.name for m in weights.models()}
    assert {"lite", "dmshn", "stacked"} <= names
    assert weights.damaged_models() == []
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


@pytest.fixture
def mine(data_folder: Path) -> Path:
    """A user's model that is whole."""
    folder = data_folder / "mine"
    shutil.copytree(weights.SHIPPED / "lite", folder)
    manifest = json.loads((folder / weights.MANIFEST).read_text())
    (folder / weights.MANIFEST).write_text(json.dumps(manifest | {"name": "mine"}))
    return folder


def _change(**entries: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / weights.MANIFEST
        path.write_text(json.dumps(json.loads(path.read_text()) | entries))

    return change


def _leave_out(key: str) -> Callable[[Path], None]:
    def leave_out(folder: Path) -> None:
        path = folder / weights.MANIFEST
        entry = json.loads(path.read_text())
        del entry[key]
        path.write_text(json.dumps(entry))

    return leave_out


def _write(content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / weights.MANIFEST).write_bytes(content)

    return write


def _file_instead(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("a note")


def _folder_instead(folder: Path) -> None:
    (folder / weights.MANIFEST).unlink()
    (folder / weights.MANIFEST).mkdir()


def _dead_link(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to("nowhere")


DAMAGE = {
    "no manifest": lambda folder: (folder / weights.MANIFEST).unlink(),
    "not JSON": _write(b"{"),
    "empty": _write(b""),
    "not text": _write(b"\xff\xfe\x00"),
    "a list": _write(b"[]"),
    "null": _write(b"null"),
    "very deep": _write(b"[" * 100_000),
    "no name": _leave_out("name"),
    "no sha256": _leave_out("sha256"),
    "no inference_size": _leave_out("inference_size"),
    "three numbers": _change(inference_size=[144, 256, 3]),
    "nought": _change(inference_size=[0, 0]),
    "a text for a size": _change(inference_size="256x144"),
    "a number for a size": _change(inference_size=7),
    "a number for a name": _change(name=7),
    "another name": _change(name="other"),
    "a shipped name": _change(name="lite"),
    "unknown network": _change(architecture="large"),
    "a text for a switch": _change(focus_head="yes"),
    "a number that is none of those": _change(finer=3),
    "a list of checksums": _change(sha256=[]),
    "a number for a checksum": _change(sha256={weights.WEIGHTS: 7}),
    "no checksum of the weights": _change(sha256={}),
    "a text for a measure": _change(metrics={"psnr": "good"}),
    "a file instead": _file_instead,
    "a folder instead": _folder_instead,
    "a dead link": _dead_link,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_model_stops_no_other(mine: Path, damage: str) -> None:
    whole = {model.name for model in weights.models()}
    assert "mine" in whole
    DAMAGE[damage](mine)
    assert {model.name for model in weights.models()} == whole - {"mine"}
    assert weights.find("lite").shipped
    (broken,) = weights.damaged_models()
    assert (broken.name, broken.place) == ("mine", mine)
    with pytest.raises(WeightsError, match="weights remove mine, and import it again") as caught:
        weights.find("mine")
    assert str(caught.value) == f"{broken.problem}; {broken.remedy}"
    assert "\n" not in str(caught.value)


def test_what_a_later_version_adds_is_no_damage(mine: Path) -> None:
    _change(licence="MIT")(mine)
    assert weights.find("mine").name == "mine"


def test_a_model_does_not_take_a_shipped_ones_place(mine: Path) -> None:
    shutil.copytree(weights.SHIPPED / "lite", mine.with_name("lite"))
    assert weights.find("lite").shipped
    assert [broken.name for broken in weights.damaged_models()] == ["lite"]


def test_a_folder_that_cannot_be_read_stops_no_shipped_model(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = Path.iterdir

    def refuse(path: Path) -> object:
        if path == data_folder:
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert weights.find("lite").shipped
    (broken,) = weights.damaged_models()
    assert broken.place == data_folder
    assert broken.remedy.startswith("make it a folder that you may read")  # not: remove it
    with pytest.raises(UsageError, match=r"no model 'mine'; .* \(Permission denied\); make it a"):
        weights.find("mine")


def test_a_damaged_shipped_model_is_installed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "models"
    (shipped / "lite").mkdir(parents=True)
    (shipped / "lite" / weights.MANIFEST).write_text("{")
    monkeypatch.setattr(weights, "SHIPPED", shipped)
    (broken,) = weights.damaged_models()
    assert broken.remedy.startswith("install realtime-bokeh again: pip install")


def test_what_is_under_way_is_no_model(mine: Path) -> None:
    mine.with_name(".new-abc").mkdir()
    assert weights.damaged_models() == []


def test_a_table_can_say_speed_quality_and_purpose(mine: Path) -> None:
    lite, dmshn, stacked = (weights.find(name) for name in ("lite", "dmshn", "stacked"))
    assert 5 < lite.frame_ms < dmshn.frame_ms < stacked.frame_ms
    for model in (lite, dmshn, stacked):
        assert model.purpose
        assert 0.5 < model.metrics["focus_iou"] < 1
    manifest = json.loads((mine / weights.MANIFEST).read_text())
    del manifest["sha256"][weights.GRAPHS["int8"]]
    _change(sha256=manifest["sha256"])(mine)
    assert weights.find("mine").frame_ms > 1.5 * lite.frame_ms


@pytest.mark.parametrize("name", [None, 5, ["lite"], b"lite"])
def test_a_name_that_is_none(name: object) -> None:
    with pytest.raises(BokehError, match="There is no model"):
        weights.find(name)  # type: ignore[arg-type]
