"""Trained models: where they lie, their manifests and checksums.

A model is a folder with `manifest.json`, `weights.safetensors` (fp16) and `graph.onnx`, which names
the safetensors file as its external data; shipped and quantized models also have `graph.int8.onnx`.
Shipped ones lie in the package, imported and fetched ones (`checkpoints`) in the user's data
folder. A damaged one stops no other.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from realtime_bokeh.architectures import ARCHITECTURES, FINER, Form
from realtime_bokeh.errors import UsageError, WeightsError
from realtime_bokeh.extras import install_hint
from realtime_bokeh.files import reason
from realtime_bokeh.sizes import Size, check_size

SHIPPED = Path(__file__).parent / "models"
WEIGHTS, MANIFEST = "weights.safetensors", "manifest.json"
GRAPHS = {"f32": "graph.onnx", "int8": "graph.int8.onnx"}
PAPER_SIZE = Size(384, 640)  # the authors' checkpoints were trained at 1024x1024: not below this


USUAL_SIZE = Size(144, 256)  # of inference for 16:9; networks' milliseconds are those at it
_REST_MS = 2.9  # of shrinking and recomposing a frame of 1280x720


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
    architecture, focus_head, finer: of its form.
    inference_size: at which it is meant to render, for 16:9.
    sha256: of every file of the model but the manifest, by file name.
    origin: how it was made.
    metrics: what was measured on photos that it was not trained on, by name: `in_focus_psnr` in dB,
        `background_energy`, the share of the background's detail that is left, and `focus_iou`, how
        far its focus map and people's true outlines agree, in [0, 1]; empty if nothing was.
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
    finer: int = 1

    def precisions(self) -> list[str]:
        """The precisions it has a graph for."""
        return [p for p, file in GRAPHS.items() if file in self.sha256]

    @property
    def shipped(self) -> bool:
        """Whether it came with the package."""
        return self.folder.parent == SHIPPED

    @property
    def form(self) -> Form:
        """Which network it is."""
        return Form(self.architecture, self.focus_head, self.finer)

    @property
    def seen_size(self) -> Size:
        """Of the picture that it sees when it renders at its inference size."""
        return self.inference_size.times(self.finer)

    @property
    def purpose(self) -> str:
        """What it is for, in a few words."""
        return ARCHITECTURES[self.architecture].purpose

    @property
    def frame_ms(self) -> float:
        """About how many milliseconds a frame of 1280x720 takes on two cores of a CPU, in the
        fastest precision that it has: to compare models, not to predict a computer."""
        network_ms = ARCHITECTURES[self.architecture].network_ms
        fastest = min(network_ms[precision] for precision in self.precisions())
        return fastest * self.inference_size.area / USUAL_SIZE.area + _REST_MS

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
    """The SHA-256 checksum of a file's content, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def user_folder() -> Path:
    """Where imported and fetched models lie; REALTIME_BOKEH_DATA overrides the system's place."""
    import platformdirs  # here: machines that only train need not have it

    chosen = os.environ.get("REALTIME_BOKEH_DATA")
    return Path(chosen or platformdirs.user_data_dir("realtime-bokeh", appauthor=False)) / "models"


@dataclass(frozen=True)
class DamagedModel:
    """What lies among the models and cannot be used, or the user's folder of models itself.

    name: of the folder or file. place: where it lies. problem: a sentence that says what is wrong.
    """

    name: str
    place: Path
    problem: str

    @property
    def remedy(self) -> str:
        """What the user can do about it, to follow the problem after a semicolon."""
        if self.place.parent == SHIPPED:
            return f"install realtime-bokeh again: {install_hint()}"
        if self.place == user_folder():
            return "make it a folder that you may read, or choose another by REALTIME_BOKEH_DATA"
        return f"remove it with: realtime-bokeh weights remove {self.name}, and import it again"


def load_manifest(folder: Path) -> Model:
    """Read one model's manifest; keys that are unknown are left out.

    Raises:
        WeightsError: when it is missing or damaged.
    """
    path = folder / MANIFEST
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        model = Model(
            name=_typed(str, entry["name"]),
            architecture=_typed(str, entry["architecture"]),
            focus_head=_typed(bool, entry["focus_head"]),
            inference_size=check_size("inference_size", tuple(entry["inference_size"])),
            sha256={name: _typed(str, digest) for name, digest in entry["sha256"].items()},
            origin=_typed(str, entry["origin"]),
            metrics={name: float(value) for name, value in entry.get("metrics", {}).items()},
            folder=folder,
            finer=_typed(int, entry.get("finer", 1)),
        )
    except KeyError as error:
        raise WeightsError(f"{path} is damaged ({error} is missing)") from error
    except (OSError, ValueError, TypeError, AttributeError, RecursionError, UsageError) as error:
        raise WeightsError(f"{path} is damaged ({reason(error)})") from error
    if model.architecture not in ARCHITECTURES:
        raise WeightsError(f"{path} is damaged (there is no network {model.architecture!r})")
    if model.finer not in (1, FINER):
        raise WeightsError(f"{path} is damaged (finer is {model.finer}, not 1 or {FINER})")
    return model


def shipped_size(architecture: str) -> Size:
    """At which the shipped model of an architecture is meant to run; of a new one, the usual.

    Raises:
        WeightsError: when that model's manifest is damaged.
    """
    shipped = SHIPPED / architecture
    return load_manifest(shipped).inference_size if shipped.exists() else USUAL_SIZE


_T = TypeVar("_T")


def _typed(kind: type[_T], value: object) -> _T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not {'a text' if kind is str else 'true or false'}")
    return value


def save_manifest(model: Model, folder: Path | None = None) -> None:
    """Describe a model whose files lie in its folder (or another) already, with their checksums."""
    folder = folder or model.folder
    entry = asdict(model)
    del entry["folder"]
    files = sorted(p for p in folder.iterdir() if p.name in (WEIGHTS, *GRAPHS.values()))
    entry["sha256"] = {p.name: file_sha256(p) for p in files}
    (folder / MANIFEST).write_text(json.dumps(entry, indent=2) + "\n")


def models() -> list[Model]:
    """All models that can be used, the shipped ones first; damaged ones are left out."""
    return _scan()[0]


def damaged_models() -> list[DamagedModel]:
    """What lies among the models and cannot be used; also the user's folder, if unreadable."""
    return _scan()[1]


def _scan() -> tuple[list[Model], list[DamagedModel]]:
    found: list[Model] = []
    damaged: list[DamagedModel] = []
    root = user_folder()
    places = sorted(path.parent for path in SHIPPED.glob(f"*/{MANIFEST}"))
    try:
        # hidden ones are under way; see `checkpoints`
        places += sorted(path for path in root.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        pass  # nothing was imported yet
    except OSError as error:
        damaged.append(DamagedModel(root.name, root, f"{root} cannot be read ({reason(error)})"))
    for place in places:
        try:
            found.append(_installed(place))
        except WeightsError as error:
            damaged.append(DamagedModel(place.name, place, str(error)))
    return found, damaged


def _installed(folder: Path) -> Model:
    """The model of a folder, if `--model` may choose it; a run of training has no graph yet."""
    model = load_manifest(folder)
    problem = None
    if not {WEIGHTS, GRAPHS["f32"]} <= model.sha256.keys():
        problem = f"it has no checksums of {WEIGHTS} and {GRAPHS['f32']}"
    elif model.name != folder.name:
        problem = f"it is of {model.name!r}, not of its folder"
    elif not model.shipped and (SHIPPED / model.name).exists():
        raise WeightsError(f"{folder} has a shipped model's name")
    if problem:
        raise WeightsError(f"{folder / MANIFEST} is damaged ({problem})")
    return model


def find(name: str) -> Model:
    """The model of this name.

    Raises:
        UsageError: when there is none.
        WeightsError: when it is damaged.
    """
    found, damaged = _scan()
    for model in found:
        if model.name == name:
            return model
    for broken in damaged:
        if broken.name == name:
            raise WeightsError(f"{broken.problem}; {broken.remedy}")
    remedy = f"; get it with: realtime-bokeh weights fetch {name}" if str(name) in REMOTE else ""
    remedy += "".join(
        f"; {each.problem}; {each.remedy}" for each in damaged if each.place == user_folder()
    )
    at_hand = ", ".join(model.name for model in found)
    raise UsageError(f"There is no model {name!r}; at hand: {at_hand}{remedy}")
