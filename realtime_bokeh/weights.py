"""Trained models: manifests, checksums, import of the authors' checkpoints, download.

A model is a folder with `manifest.json`, `weights.safetensors` (fp16) and `graph.onnx`, which names
the safetensors file as its external data; shipped models also have `graph.int8.onnx`. Shipped ones
lie in the package, imported and fetched ones in the user's data folder. PyTorch is needed only to
read the authors' `.pth` files.
"""

import hashlib
import json
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from realtime_bokeh.errors import BokehError, UsageError, WeightsError
from realtime_bokeh.geometry import Size

SHIPPED = Path(__file__).parent / "models"
WEIGHTS, MANIFEST = "weights.safetensors", "manifest.json"
GRAPHS = {"f32": "graph.onnx", "int8": "graph.int8.onnx"}
_PAPER_SIZE = (384, 640)  # the authors' checkpoints were trained at 1024x1024: not below this


@dataclass(frozen=True)
class Model:
    """What a manifest states.

    name: by which `--model` chooses it.
    architecture: lite, dmshn or stacked.
    focus_head: whether the last convolution has a fourth output, the focus logit.
    inference_size: (height, width) at which it is meant to run, for 16:9.
    sha256: of every file of the model but the manifest, by file name.
    origin: how it was made.
    metrics: what was measured, by name.
    folder: where it lies.
    """

    name: str
    architecture: str
    focus_head: bool
    inference_size: Size
    sha256: Mapping[str, str]
    origin: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    folder: Path = Path()

    def precisions(self) -> list[str]:
        """The precisions it has a graph for."""
        return [p for p, file in GRAPHS.items() if file in self.sha256]

    def file(self, name: str) -> Path:
        """The path of one of its files, verified.

        Raises:
            WeightsError: when the file is missing or its checksum is wrong.
        """
        path = self.folder / name
        if not path.is_file():
            raise WeightsError(f"Model {self.name}: {path} is missing; install the model again")
        if _sha256(path) != self.sha256.get(name):
            raise WeightsError(
                f"Model {self.name}: {path} is damaged (wrong checksum); install the model again"
            )
        return path


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def user_folder() -> Path:
    """Where imported and fetched models lie; REALTIME_BOKEH_DATA overrides the system's place."""
    chosen = os.environ.get("REALTIME_BOKEH_DATA")
    return Path(chosen or platformdirs.user_data_dir("realtime-bokeh", appauthor=False)) / "models"


def load_manifest(folder: Path) -> Model:
    """Read one model's manifest.

    Raises:
        WeightsError: when it cannot be read.
    """
    try:
        entry = json.loads((folder / MANIFEST).read_text())
        entry["inference_size"] = tuple(entry["inference_size"])
        return Model(**entry, folder=folder)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WeightsError(f"{folder / MANIFEST} cannot be read ({error})") from error


def save_manifest(model: Model) -> None:
    """Describe a model whose files lie in its folder already; computes their checksums."""
    entry = asdict(model)
    del entry["folder"]
    files = sorted(p for p in model.folder.iterdir() if p.name in (WEIGHTS, *GRAPHS.values()))
    entry["sha256"] = {p.name: _sha256(p) for p in files}
    (model.folder / MANIFEST).write_text(json.dumps(entry, indent=2) + "\n")


def models() -> list[Model]:
    """All models at hand, the shipped ones first."""
    found = []
    for root in (SHIPPED, user_folder()):
        folders = sorted(p.parent for p in root.glob(f"*/{MANIFEST}"))
        found += [load_manifest(folder) for folder in folders]
    return [m for m in found if WEIGHTS in m.sha256]


def find(name: str) -> Model:
    """The model of this name.

    Raises:
        UsageError: when there is none.
    """
    at_hand = {m.name: m for m in models()}
    if name in at_hand:
        return at_hand[name]
    remedy = f"; get it with: realtime-bokeh weights fetch {name}" if name in REMOTE else ""
    raise UsageError(f"There is no model {name!r}; at hand: {', '.join(at_hand)}{remedy}")


def parameter_shapes(architecture: str, focus_head: bool) -> dict[str, tuple[int, ...]]:
    """Every parameter's name and shape, as `network.dmshn` has them, without PyTorch.

    Raises:
        KeyError: for an unknown architecture.
    """
    if architecture == "stacked":
        halves = {"net1.": parameter_shapes("dmshn", False)}
        halves["net2."] = parameter_shapes("dmshn", focus_head)
        return {half + name: s for half, shapes in halves.items() for name, s in shapes.items()}
    a = {"lite": 16, "dmshn": 32}[architecture]
    b, c = 2 * a, 4 * a
    # layer: (inputs, outputs, kernel, residual); a transposed convolution has kernel 4
    encoder = {1: (3, a, 3, 0), 2: (a, a, 3, 1), 3: (a, a, 3, 1), 5: (a, b, 3, 0), 6: (b, b, 3, 1),
               7: (b, b, 3, 1), 9: (b, c, 3, 0), 10: (c, c, 3, 1), 11: (c, c, 3, 1)}  # fmt: skip
    decoder = {13: (c, c, 3, 1), 14: (c, c, 3, 1), 16: (c, b, 4, 0), 17: (b, b, 3, 1),
               18: (b, b, 3, 1), 20: (b, a, 4, 0), 21: (a, a, 3, 1), 22: (a, a, 3, 1)}  # fmt: skip
    shapes: dict[str, tuple[int, ...]] = {}
    for level in (1, 2, 3):
        last = {24: (a, 4 if focus_head and level == 1 else 3, 3, 0)}
        for part, layers in (("encoder", encoder), ("decoder", decoder | last)):
            for number, (inputs, outputs, kernel, residual) in layers.items():
                order = (inputs, outputs) if kernel == 4 else (outputs, inputs)
                for suffix in (".0", ".2") if residual else ("",):
                    name = f"{part}_lv{level}.layer{number}{suffix}"
                    shapes[name + ".weight"] = (*order, kernel, kernel)
                    shapes[name + ".bias"] = (outputs,)
    return shapes


Arrays = dict[str, NDArray[Any]]


def recognise(arrays: Mapping[str, NDArray[Any]]) -> tuple[str, bool]:
    """The architecture and focus head of a set of parameters.

    Raises:
        UsageError: naming the first tensor that does not fit, and why.
    """
    stacked = any(name.startswith("net1.") for name in arrays)
    prefix = "net2." if stacked else ""
    first = arrays.get(f"{prefix}encoder_lv1.layer1.weight")
    last = arrays.get(f"{prefix}decoder_lv1.layer24.weight")
    if first is None or last is None or first.ndim != 4 or last.ndim != 4:
        missing = f"{prefix}{'encoder_lv1.layer1' if first is None else 'decoder_lv1.layer24'}"
        raise UsageError(f"these are not DMSHN weights: there is no tensor {missing}.weight")
    lite = first.shape[0] == 16 and not stacked
    architecture = "stacked" if stacked else "lite" if lite else "dmshn"
    focus_head = last.shape[0] == 4
    expected = parameter_shapes(architecture, focus_head)
    for name, shape in expected.items():
        if name not in arrays:
            raise UsageError(f"tensor {name} of {architecture} is missing")
        if arrays[name].shape != shape:
            raise UsageError(f"tensor {name} is {arrays[name].shape}, {architecture} has {shape}")
    for name, value in arrays.items():
        if name not in expected:
            raise UsageError(f"tensor {name} does not belong to {architecture}")
        with np.errstate(over="ignore"):
            if not np.isfinite(value.astype(np.float16)).all():
                raise UsageError(f"tensor {name} has values that are not finite in half precision")
    return architecture, focus_head


def _read_checkpoint(path: Path) -> Arrays:
    """The tensors of a safetensors file or of a PyTorch checkpoint, as float32 arrays."""
    if not path.is_file():
        raise UsageError(f"{path} does not exist; give a .pth or .safetensors file")
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return dict(load_file(path))
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise UsageError(f"{path} is not a safetensors file ({error})") from error
    try:
        import torch
    except ImportError as error:
        raise BokehError(
            f"{path} is a PyTorch checkpoint, which needs PyTorch to be read: pip install torch"
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
def _new_folder(name: str) -> Iterator[Path]:
    """A temporary folder beside the models that becomes the model's folder if all goes well."""
    root = user_folder()
    root.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
    try:
        yield temporary
        target = root / name
        if target.exists():
            shutil.rmtree(target)
        os.replace(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _template(architecture: str, focus_head: bool) -> Path:
    """The shipped graph of an architecture; it fits every weights file of it, since all are laid
    out alike."""
    return SHIPPED / (architecture if focus_head else f"paper-{architecture}") / GRAPHS["f32"]


def import_weights(path: Path, name: str | None = None, origin: str | None = None) -> Model:
    """Bring a checkpoint into the user's folder.

    Args:
        path: the authors' `.pth` (a `module.` prefix is dropped) or our `.safetensors`.
        name: of the new model; the file's name if not given.
        origin: how it was made, for the manifest.

    Raises:
        UsageError: when the file is not what it should be, saying which tensor and why, or when
            the name belongs to a shipped model.
        BokehError: when PyTorch is needed and missing.
    """
    from safetensors.numpy import save_file

    name = name or path.stem
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"{name!r} cannot be a model's name; use letters, digits, - and _")
    if (SHIPPED / name).exists():
        raise UsageError(f"{name!r} is a shipped model; choose another name with --name")
    arrays = _read_checkpoint(path)
    try:
        architecture, focus_head = recognise(arrays)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    template = _template(architecture, focus_head)
    if not template.is_file():
        raise UsageError(f"{path}: {architecture} without the focus head is not supported")
    with _new_folder(name) as folder:
        half = {k: np.ascontiguousarray(v.astype(np.float16)) for k, v in arrays.items()}
        save_file(half, folder / WEIGHTS)
        shutil.copyfile(template, folder / GRAPHS["f32"])
        size = load_manifest(SHIPPED / architecture).inference_size if focus_head else _PAPER_SIZE
        save_manifest(Model(name, architecture, focus_head, size, {},
                            origin or f"imported from {path.name}", folder=folder))  # fmt: skip
    return find(name)


@dataclass(frozen=True)
class Remote:
    """A published checkpoint: its address and its git blob id."""

    url: str
    blob: str


_AUTHORS = "https://raw.githubusercontent.com/saikatdutta/Stacked_DMSHN_bokeh/f0ba9ac/checkpoints/"
REMOTE = {
    "dmshn-ebb": Remote(_AUTHORS + "DMSHN/dmshn.pth", "3617cc161690de4c80b1a628e47533a63b31580f"),
    "stacked-ebb": Remote(
        _AUTHORS + "SDMSHN/sdmshn.pth", "85a8c91673e6e28c2b1602b78a3a1f4941380939"
    ),
}


def blob_id(content: bytes) -> str:
    """Git's id of a file's content."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def fetch(
    name: str, progress: Callable[[int, int | None], None], remote: Remote | None = None
) -> Model:
    """Download the authors' checkpoint, verify it and import it.

    Args:
        name: dmshn-ebb or stacked-ebb.
        progress: called with the bytes so far and in all (None when the server does not say).
        remote: another address, for tests.

    Raises:
        UsageError: for another name.
        WeightsError: when it cannot be downloaded or its checksum is wrong; nothing is left behind.
    """
    remote = remote or REMOTE.get(name)
    if remote is None:
        raise UsageError(f"{name!r} cannot be fetched; there are {', '.join(REMOTE)}")
    parts: list[bytes] = []
    try:
        with urllib.request.urlopen(remote.url, timeout=30) as reply:
            total = int(reply.headers["Content-Length"] or 0) or None
            while part := reply.read(1 << 18):
                parts.append(part)
                progress(sum(map(len, parts)), total)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise WeightsError(f"{remote.url} could not be downloaded ({reason}); try again") from error
    content = b"".join(parts)
    if blob_id(content) != remote.blob:
        raise WeightsError(f"{remote.url} came with a wrong checksum; nothing was kept, try again")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.pth"
        path.write_bytes(content)
        return import_weights(path, name, f"the authors' checkpoint trained on EBB!, {remote.url}")
