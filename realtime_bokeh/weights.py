"""Trained models: manifests, checksums, what a set of parameters is.

A model is a folder with `manifest.json`, `weights.safetensors` (fp16) and `graph.onnx`, which names
the safetensors file as its external data; shipped models also have `graph.int8.onnx`. Shipped ones
lie in the package, imported and fetched ones (`checkpoints`) in the user's data folder.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_bokeh.errors import UsageError, WeightsError
from realtime_bokeh.sizes import Size

SHIPPED = Path(__file__).parent / "models"
WEIGHTS, MANIFEST = "weights.safetensors", "manifest.json"
GRAPHS = {"f32": "graph.onnx", "int8": "graph.int8.onnx"}
PAPER_SIZE = Size(384, 640)  # the authors' checkpoints were trained at 1024x1024: not below this


@dataclass(frozen=True)
class Remote:
    """A published checkpoint: its address and its git blob id."""

    url: str
    blob: str


_AUTHORS = (
    "https://raw.githubusercontent.com/saikatdutta/Stacked_DMSHN_bokeh/"
    "f0ba9ac8ba5771bc57a4824e5fc90e203285d03c/checkpoints/"
)
REMOTE = {
    "dmshn-ebb": Remote(_AUTHORS + "DMSHN/dmshn.pth", "3617cc161690de4c80b1a628e47533a63b31580f"),
    "stacked-ebb": Remote(
        _AUTHORS + "SDMSHN/sdmshn.pth", "85a8c91673e6e28c2b1602b78a3a1f4941380939"
    ),
}


@dataclass(frozen=True)
class Model:
    """What a manifest states.

    name: by which `--model` chooses it.
    architecture: lite, dmshn or stacked.
    focus_head: whether the last convolution has a fourth output, the focus logit.
    inference_size: at which it is meant to run, for 16:9.
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
        if file_sha256(path) != self.sha256.get(name):
            raise WeightsError(
                f"Model {self.name}: {path} is damaged (wrong checksum); install the model again"
            )
        return path


def file_sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def user_folder() -> Path:
    """Where imported and fetched models lie; REALTIME_BOKEH_DATA overrides the system's place."""
    import platformdirs  # here: machines that only train need not have it

    chosen = os.environ.get("REALTIME_BOKEH_DATA")
    return Path(chosen or platformdirs.user_data_dir("realtime-bokeh", appauthor=False)) / "models"


def load_manifest(folder: Path) -> Model:
    """Read one model's manifest.

    Raises:
        WeightsError: when it cannot be read.
    """
    try:
        entry = json.loads((folder / MANIFEST).read_text())
        entry["inference_size"] = Size(*entry["inference_size"])
        return Model(**entry, folder=folder)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WeightsError(f"{folder / MANIFEST} cannot be read ({error})") from error


def save_manifest(model: Model) -> None:
    """Describe a model whose files lie in its folder already; computes their checksums."""
    entry = asdict(model)
    del entry["folder"]
    files = sorted(p for p in model.folder.iterdir() if p.name in (WEIGHTS, *GRAPHS.values()))
    entry["sha256"] = {p.name: file_sha256(p) for p in files}
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
    if isinstance(name, str) and name in at_hand:
        return at_hand[name]
    remedy = f"; get it with: realtime-bokeh weights fetch {name}" if str(name) in REMOTE else ""
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
