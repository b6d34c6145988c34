import http.server
import json
import os
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from realtime_bokeh import checkpoints, weights
from realtime_bokeh.engines import Controls, open_engine
from realtime_bokeh.errors import UsageError, WeightsError
from realtime_bokeh.frame import Image
from realtime_bokeh.network.dmshn import build
from realtime_bokeh.sizes import Size


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REALTIME_BOKEH_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "models"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A file as the authors publish theirs."""
    torch.manual_seed(0)
    path = tmp_path / "dmshn.pth"
    torch.save(build("dmshn", focus_head=False).state_dict(), path)
    return path


def _nothing_left(folder: Path) -> bool:
    return not folder.exists() or not list(folder.iterdir())


def test_authors_checkpoint_runs_the_same_in_every_engine(
    checkpoint: Path, portrait: Image
) -> None:
    model = checkpoints.import_weights(checkpoint, "dmshn-mine")
    assert (model.architecture, model.focus_head) == ("dmshn", False)
    assert weights.find("dmshn-mine").precisions() == ["f32"]
    image = portrait[:96, :96].copy()
    ours, reference = (
        open_engine(model, engine, Size(64, 64))(image, Controls())
        for engine in ("openvino", "pytorch")
    )
    assert np.abs(ours.astype(int) - reference).max() <= 2


def test_stacked_checkpoint_with_module_prefix(tmp_path: Path) -> None:
    state = build("stacked", focus_head=False).state_dict()
    path = tmp_path / "sdmshn.pth"
    torch.save({f"module.{k}": v for k, v in state.items()}, path)
    assert checkpoints.import_weights(path).architecture == "stacked"
    assert weights.find("sdmshn").name == "sdmshn"


def test_our_safetensors_comes_back_the_same(data_folder: Path) -> None:
    shipped = weights.SHIPPED / "lite" / weights.WEIGHTS
    model = checkpoints.import_weights(shipped, "again")
    assert model.focus_head
    ours, theirs = load_file(model.file(weights.WEIGHTS)), load_file(shipped)
    assert all(np.array_equal(ours[k], theirs[k]) for k in theirs)


def test_wrong_tensor_is_named(tmp_path: Path, data_folder: Path) -> None:
    arrays = load_file(weights.SHIPPED / "lite" / weights.WEIGHTS)
    name = "encoder_lv2.layer6.0.weight"
    cases = {
        "missing": {k: v for k, v in arrays.items() if k != name},
        r"\(3, 3\)": arrays | {name: np.zeros((3, 3), np.float32)},
        "does not belong": arrays | {"extra.weight": np.zeros(1, np.float32)},
        "not finite": arrays | {name: np.full_like(arrays[name], np.inf)},
    }
    for says, changed in cases.items():
        path = tmp_path / "changed.safetensors"
        save_file(changed, path)
        with pytest.raises(UsageError, match=says):
            checkpoints.import_weights(path)
    assert _nothing_left(data_folder)


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("exploded"),))  # type: ignore[return-value]


def test_files_that_are_no_weights(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = tmp_path / "code.pth"
    torch.save({"encoder_lv1.layer1.weight": _Bomb()}, code)
    bare = tmp_path / "bare.pth"
    bare.write_bytes(pickle.dumps(_Bomb()))
    text = tmp_path / "text.safetensors"
    text.write_text("no weights")
    number = tmp_path / "number.pth"
    torch.save({"epoch": 3}, number)
    for path in (code, bare, text, number, tmp_path / "absent.pth"):
        with pytest.raises(UsageError, match=path.name):
            checkpoints.import_weights(path)
    assert not (tmp_path / "exploded").exists()
    assert _nothing_left(data_folder)


def test_names_that_cannot_be(checkpoint: Path) -> None:
    for name in ("lite", "../up", "a b", ""):
        with pytest.raises(UsageError):
            checkpoints.import_weights(checkpoint, name or "/")
    with pytest.raises(UsageError, match="weights fetch dmshn-ebb"):
        weights.find("dmshn-ebb")


LITE = weights.SHIPPED / "lite" / weights.WEIGHTS
DMSHN = weights.SHIPPED / "dmshn" / weights.WEIGHTS


def test_an_import_over_a_model_must_be_meant(data_folder: Path) -> None:
    checkpoints.import_weights(LITE, "mine")
    with pytest.raises(UsageError, match="There is a model 'mine' already; add --force"):
        checkpoints.import_weights(DMSHN, "mine")
    assert weights.find("mine").architecture == "lite"
    checkpoints.import_weights(DMSHN, "mine", replace=True)
    assert weights.find("mine").architecture == "dmshn"
    assert [path.name for path in data_folder.iterdir()] == ["mine"]


def test_a_damaged_model_can_be_replaced(data_folder: Path) -> None:
    data_folder.mkdir(parents=True)
    (data_folder / "mine").write_text("a note")
    with pytest.raises(UsageError, match="already; add --force"):
        checkpoints.import_weights(LITE, "mine")
    checkpoints.import_weights(LITE, "mine", replace=True)
    assert weights.find("mine").architecture == "lite"


def test_a_replacement_that_fails_leaves_what_was_there(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.import_weights(LITE, "mine")
    rename = os.replace

    def fail(source: Path, target: Path) -> None:
        if target.name == "mine" and not source.name.endswith("-before"):
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(WeightsError, match="nothing was kept"):
        checkpoints.import_weights(DMSHN, "mine", replace=True)
    assert weights.find("mine").architecture == "lite"
    assert [path.name for path in data_folder.iterdir()] == ["mine"]


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("renaming", [1, 2])
def test_an_interruption_loses_no_model(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch, renaming: int, done: bool
) -> None:
    """At each of the two renamings, before and after it."""
    checkpoints.import_weights(LITE, "mine")
    rename = os.replace
    count = 0

    def interrupt(source: Path, target: Path) -> None:
        nonlocal count
        count += 1
        if count != renaming or done:
            rename(source, target)
        if count == renaming:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.import_weights(DMSHN, "mine", replace=True)
    finished = renaming == 2 and done
    assert weights.find("mine").architecture == ("dmshn" if finished else "lite")
    assert [model.name for model in weights.damaged_models()] == []


def test_what_was_imported_can_be_removed(data_folder: Path) -> None:
    checkpoints.import_weights(LITE, "mine")
    assert checkpoints.remove("mine") == data_folder / "mine"
    assert _nothing_left(data_folder)
    with pytest.raises(UsageError, match="no imported model 'mine'; nothing was imported yet"):
        checkpoints.remove("mine")


def test_what_is_damaged_can_be_removed(data_folder: Path) -> None:
    checkpoints.import_weights(LITE, "other")
    (data_folder / "note").write_text("not a model")
    (data_folder / "link").symlink_to(data_folder / "other")
    for name in ("note", "link"):
        checkpoints.remove(name)
    assert [path.name for path in data_folder.iterdir()] == ["other"]
    assert weights.find("other").file(weights.WEIGHTS)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("lite", "'lite' is a shipped model; only imported ones can be removed"),
        ("../models/mine", "no imported model '../models/mine'; there are mine"),
        ("", "no imported model ''"),
        (".", "no imported model"),
    ],
)
def test_nothing_else_is_removed(data_folder: Path, name: str, says: str) -> None:
    checkpoints.import_weights(LITE, "mine")
    with pytest.raises(UsageError, match=says):
        checkpoints.remove(name)
    assert weights.find("mine")


def test_a_models_folder_that_is_a_file_is_said(data_folder: Path) -> None:
    data_folder.parent.mkdir()
    data_folder.touch()
    for name in ("models", "mine"):
        with pytest.raises(WeightsError, match=r"models cannot be read \(.*; make it a folder"):
            checkpoints.remove(name)
    assert data_folder.is_file()
    with pytest.raises(UsageError, match="'lite' is a shipped model"):
        checkpoints.remove("lite")


def test_unwritable_data_folder_is_said(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("REALTIME_BOKEH_DATA", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match="cannot be written to"):
        checkpoints.import_weights(checkpoint, "mine")


def test_blob_id_is_gits() -> None:
    # git hash-object of a file that holds "hello\n"
    assert checkpoints.blob_id(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_fetch_verifies_and_imports(checkpoint: Path, server: str) -> None:
    blob = checkpoints.blob_id(checkpoint.read_bytes())
    seen: list[tuple[int, int | None]] = []
    model = checkpoints.fetch(
        "dmshn-ebb",
        lambda done, total: seen.append((done, total)),
        weights.Remote(f"{server}/dmshn.pth", blob),
    )
    assert seen[-1] == (checkpoint.stat().st_size, checkpoint.stat().st_size)
    assert "EBB!" in json.loads((model.folder / weights.MANIFEST).read_text())["origin"]
    assert weights.find("dmshn-ebb") == model
    with pytest.raises(UsageError, match="There is a model 'dmshn-ebb' already"):
        checkpoints.fetch("dmshn-ebb", lambda done, total: None)


def test_failed_fetch_leaves_nothing(checkpoint: Path, server: str, data_folder: Path) -> None:
    wrong = weights.Remote(f"{server}/dmshn.pth", "0" * 40)
    absent = weights.Remote(f"{server}/absent.pth", "0" * 40)
    unreachable = weights.Remote("http://127.0.0.1:1/dmshn.pth", "0" * 40)
    for remote, says in ((wrong, "checksum"), (absent, "not found"), (unreachable, "refused")):
        with pytest.raises(WeightsError, match=says):
            checkpoints.fetch("dmshn-ebb", lambda done, total: None, remote)
    with pytest.raises(UsageError, match="stacked-ebb"):
        checkpoints.fetch("other", lambda done, total: None)
    assert _nothing_left(data_folder)
