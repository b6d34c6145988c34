"""Checkpoints brought into the user's data folder: imported from a file or downloaded.

PyTorch is needed only to read the authors' `.pth` files.
"""

import contextlib
import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from realtime_bokeh.architectures import Form, recognize
from realtime_bokeh.errors import BokehError, UsageError, WeightsError
from realtime_bokeh.extras import install_hint
from realtime_bokeh.files import reason
from realtime_bokeh.weights import (
    GRAPHS,
    PAPER_SIZE,
    REMOTE,
    SHIPPED,
    WEIGHTS,
    Model,
    Remote,
    damaged_models,
    find,
    load_manifest,
    models,
    save_manifest,
    shipped_size,
    user_folder,
)

Arrays = dict[str, NDArray[Any]]


def read_checkpoint(path: Path) -> Arrays:
    """The tensors of a safetensors file or of a PyTorch checkpoint, as float32 arrays."""
    if not path.is_file():
        raise UsageError(f"{path} does not exist; give a .pth or .safetensors file")
    if path.suffix == ".safetensors":
        try:
            return dict(load_file(path))
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise UsageError(f"{path} is not a safetensors file ({error})") from error
    try:
        import torch
    except ImportError as error:
        raise BokehError(
            f"{path} is a PyTorch checkpoint and needs PyTorch to be read: {install_hint('torch')}"
        ) from error
    try:
        # weights_only: a pickle that would run code is refused
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen kinds for a broken or hostile file
        raise UsageError(
            f"{path} is not a PyTorch file of plain tensors (damaged, or a pickle with code in it)"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise UsageError(f"{path} holds something else than a dictionary of tensors")
    return {str(k).removeprefix("module."): v.float().numpy() for k, v in state.items()}


@contextmanager
def model_folder(name: str) -> Iterator[Path]:
    """A new folder beside the user's models that becomes the model's if all goes well.

    What the model was before stays until then, and if anything fails.

    Raises:
        WeightsError: when the user's folder cannot be written to.
    """
    root = user_folder()
    temporary = root
    try:
        root.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        yield temporary
        _put(temporary, root / name)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{root} cannot be written to ({error}); nothing was kept") from error
    finally:
        if temporary != root:
            shutil.rmtree(temporary, ignore_errors=True)


def _put(new: Path, target: Path) -> None:
    """Rename a folder; what had that name before stays if that fails or is interrupted."""
    before = new.with_name(f"{new.name}-before")
    try:
        with contextlib.suppress(FileNotFoundError):
            os.replace(target, before)
        os.replace(new, target)
    except BaseException:
        if os.path.lexists(before) and not os.path.lexists(target):
            os.replace(before, target)
        raise
    with contextlib.suppress(OSError):
        _delete(before)


def _delete(place: Path) -> None:
    """A folder with all in it, a file or a link; or nothing, if nothing is there."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _template(form: Form) -> Path:
    """The shipped graph of a network; it fits every weights file of it, since all are laid out
    alike.

    Raises:
        UsageError: when there is none.
    """
    name = form.architecture if form.focus_head else f"paper-{form.architecture}"
    graph = SHIPPED / name / GRAPHS["f32"]
    if not graph.is_file():
        raise UsageError(f"{form.architecture} without the focus head is not supported")
    if form.focus_head and load_manifest(graph.parent).form != form:
        raise UsageError(
            f"the shipped {name} sees pictures differently, and its graph does not fit; "
            "python -m training.release makes one"
        )
    return graph


def import_weights(
    path: Path, name: str | None = None, origin: str | None = None, replace: bool = False
) -> Model:
    """Bring a checkpoint into the user's folder.

    Args:
        path: the authors' `.pth` (a `module.` prefix is dropped) or our `.safetensors`.
        name: of the new model; the file's name if not given.
        origin: how it was made, for the manifest.
        replace: an imported model of this name, if there is one.

    Raises:
        UsageError: when the file is not what it should be, saying which tensor and why, or when
            the name belongs to a shipped model, or to another and `replace` does not say so.
        WeightsError: when it cannot be written; what was there before stays.
        BokehError: when PyTorch is needed and missing.
    """
    name = name or path.stem
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"{name!r} cannot be a model's name; use letters, digits, - and _")
    if (SHIPPED / name).exists():
        raise UsageError(f"{name!r} is a shipped model; choose another name with --name")
    if not replace:
        _refuse_existing(name)
    arrays = read_checkpoint(path)
    try:
        form = recognize(arrays)
        template = _template(form)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    with model_folder(name) as folder:
        half = {k: np.ascontiguousarray(v.astype(np.float16)) for k, v in arrays.items()}
        save_file(half, folder / WEIGHTS)
        shutil.copyfile(template, folder / GRAPHS["f32"])
        size = shipped_size(form.architecture) if form.focus_head else PAPER_SIZE
        save_manifest(Model(name, form.architecture, form.focus_head, size, {},
                            origin or f"imported from {path.name}", folder=folder,
                            finer=form.finer))  # fmt: skip
    return find(name)


def _refuse_existing(name: str) -> None:
    if os.path.lexists(user_folder() / name):
        raise UsageError(f"There is a model {name!r} already; add --force to replace it")


def remove(name: str) -> Path:
    """Remove an imported or fetched model, a damaged one too; gives where it was.

    Raises:
        UsageError: when there is none of this name, or it is a shipped one.
        WeightsError: when it cannot be removed, or the models' folder cannot be read.
    """
    damaged = damaged_models()
    places = {model.name: model.folder for model in models()}
    places |= {model.name: model.place for model in damaged}
    here = {name: place for name, place in places.items() if place.parent == user_folder()}
    if name not in here:
        if name in places and places[name].parent == SHIPPED:
            raise UsageError(f"{name!r} is a shipped model; only imported ones can be removed")
        for broken in damaged:
            if broken.place == user_folder():
                raise WeightsError(f"{broken.problem}; {broken.remedy}")
        known = f"there are {', '.join(here)}" if here else "nothing was imported yet"
        raise UsageError(f"There is no imported model {name!r}; {known}")
    place = here[name]
    try:
        hidden = place.with_name(f".removed-{place.name}-{os.getpid()}")
        os.replace(place, hidden)  # so that half of it is never taken for a model
        _delete(hidden)
    except OSError as error:
        raise WeightsError(f"{place} cannot be removed ({reason(error)})") from error
    return place


def blob_id(content: bytes) -> str:
    """Git's id of a file's content."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def fetch(
    name: str,
    progress: Callable[[int, int | None], None],
    remote: Remote | None = None,
    replace: bool = False,
) -> Model:
    """Download the authors' checkpoint, verify it and import it.

    Args:
        name: dmshn-ebb or stacked-ebb.
        progress: called with the bytes so far and in all (None when the server does not say).
        remote: another address, for tests.
        replace: what was fetched under this name before.

    Raises:
        UsageError: for another name, or when it is there already and `replace` does not say so.
        WeightsError: when it cannot be downloaded or its checksum is wrong; nothing is left behind.
    """
    remote = remote or REMOTE.get(name)
    if remote is None:
        raise UsageError(f"{name!r} cannot be fetched; there are {', '.join(REMOTE)}")
    if not replace:
        _refuse_existing(name)
    parts: list[bytes] = []
    try:
        with urllib.request.urlopen(remote.url, timeout=30) as reply:
            total = int(reply.headers["Content-Length"] or 0) or None
            while part := reply.read(1 << 18):
                parts.append(part)
                progress(sum(map(len, parts)), total)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        raise WeightsError(f"{remote.url} could not be downloaded ({why}); try again") from error
    content = b"".join(parts)
    if blob_id(content) != remote.blob:
        raise WeightsError(f"{remote.url} came with a wrong checksum; nothing was kept, try again")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.pth"
        path.write_bytes(content)
        origin = f"the authors' checkpoint trained on EBB!, {remote.url}"
        return import_weights(path, name, origin, replace)
