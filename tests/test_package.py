"""Rules of the whole package: what may import what, and what importing it loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "realtime_bokeh"
HEAVY = ("torch", "cv2", "openvino", "av", "pyvirtualcam", "numpy")

# module or folder -> what of ours it may import, beside itself; only app may import everything
ALLOWED: dict[str, set[str]] = {
    "__init__": {"engines", "errors", "sizes", "weights"},  # for type checkers; see its _PLACES
    "__main__": {"app"},
    "architectures": {"errors"},
    "checkpoints": {"architectures", "errors", "extras", "files", "weights"},
    "engines": {"errors", "export", "extras", "files", "frame", "network", "recompose", "sizes",
                "telemetry", "weights"},
    "background": {"engines", "errors", "frame", "matte", "sizes", "sources", "stills"},
    "colours": {"frame", "hdr"},
    "errors": set(),
    "export": {"__init__", "architectures", "checkpoints", "errors", "files", "frame", "network",
               "recompose", "sizes", "telemetry", "weights"},
    "extras": set(),
    "files": {"errors"},
    "frame": {"sizes"},
    "hdr": {"frame"},
    "interrupts": set(),
    "live": {"engines", "errors", "frame", "look", "mailbox", "metrics", "pipeline", "sizes",
             "weights"},
    "look": set(),
    "mailbox": set(),
    "matte": {"frame", "recompose", "sizes"},
    "metadata": set(),
    "metrics": set(),
    "network": {"architectures"},
    "panel": {"__init__", "errors", "files", "frame"},
    "pipeline": {"frame", "interrupts", "mailbox", "metrics"},
    "pipes": {"errors", "frame", "interrupts"},
    "recompose": {"frame", "sizes"},
    "sinks": {"colours", "errors", "files", "frame", "hdr", "interrupts", "look", "pipes",
              "sizes", "sound", "video4linux"},
    "sizes": {"errors"},
    "sound": set(),
    "sources": {"colours", "errors", "extras", "files", "frame", "hdr", "pipes", "sizes", "sound",
                "video4linux"},
    "stills": {"errors", "files", "frame", "metadata"},
    "telemetry": set(),
    "tray": {"errors", "panel"},
    "video4linux": set(),
    "weights": {"architectures", "errors", "extras", "files", "sizes"},
}  # fmt: skip
NETWORK_MAY = {"torch", "safetensors", "math", "collections", "pathlib"}  # safetensors: `load`


def _modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py"))


def _imports(path: Path, root: Path = ROOT) -> set[str]:
    """Every dotted name that a module imports, in functions too, relative ones made absolute.

    `from a import b` gives `a.b`, be that a module or a name in one.
    """
    package = path.relative_to(root).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            near = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join([*near, *filter(None, [node.module])])
            found |= {f"{start}.{alias.name}" for alias in node.names}
    return found


def _units(names: set[str]) -> set[str]:
    """The modules and folders of the package among dotted names; its own names are __init__'s."""
    found = set()
    for name in names:
        first, *rest = name.split(".")
        if first == "realtime_bokeh":
            unit = rest[0] if rest else "__init__"
            known = (PACKAGE / unit).is_dir() or (PACKAGE / f"{unit}.py").is_file()
            found.add(unit if known else "__init__")
    return found


def _unit(path: Path) -> str:
    """The module or folder of the package that a file is, or is in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", _modules(PACKAGE), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_keep_to_the_rules(path: Path) -> None:
    unit = _unit(path)
    if unit != "app":
        assert _units(_imports(path)) <= ALLOWED[unit] | {unit}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import realtime_bokeh.app.main", {"app"}),
        ("import realtime_bokeh.weights as w", {"weights"}),
        ("import realtime_bokeh", {"__init__"}),
        ("from realtime_bokeh import weights, errors", {"weights", "errors"}),
        ("from realtime_bokeh import __version__", {"__init__"}),
        ("from realtime_bokeh.app import main", {"app"}),
        ("from ..app import main", {"app"}),
        ("from .. import weights", {"weights"}),
        ("from ..weights import find", {"weights"}),
        ("from . import cache", {"engines"}),
        ("from .cache import load", {"engines"}),
        ("def f():\n    import realtime_bokeh.app", {"app"}),
        ("import torch.realtime_bokeh\nfrom os import path", set()),
    ],
)
def test_imports_of_every_form_are_seen(tmp_path: Path, text: str, expected: set[str]) -> None:
    path = tmp_path / "realtime_bokeh" / "engines" / "new.py"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert _units(_imports(path, tmp_path)) == expected


def _within(names: set[str], package: str) -> set[str]:
    """The modules of a folder of the package among dotted names."""
    start = f"realtime_bokeh.{package}."
    return {name.removeprefix(start).split(".")[0] for name in names if name.startswith(start)}


@pytest.mark.parametrize("path", _modules(PACKAGE / "engines"), ids=lambda p: p.name)
def test_engines_are_apart_and_take_of_export_the_traced_graph_alone(path: Path) -> None:
    names = _imports(path)
    assert {n for n in names if ".export" in n} <= {"realtime_bokeh.export.onnx.frame_graph"}
    if path.stem != "__init__":  # which opens any of them, by name
        runtimes = {"openvino", "pytorch", "tensorrt"}
        assert not _within(names, "engines") & (runtimes - {path.stem})


@pytest.mark.parametrize("path", _modules(PACKAGE / "network"), ids=lambda p: p.name)
def test_network_imports_torch_only(path: Path) -> None:
    others = {name.split(".")[0] for name in _imports(path)} - {"realtime_bokeh"}
    assert others <= NETWORK_MAY


OUTSIDE = [p for f in ("training", "benchmarks", "examples", "scripts") for p in _modules(ROOT / f)]


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_is_outside_imports_no_private_name(path: Path) -> None:
    names = {name for name in _imports(path) if name.startswith("realtime_bokeh")}
    private = {n for n in names if any(part.startswith("_") for part in n.split("."))}
    assert private <= {"realtime_bokeh.__version__"}
    if path.is_relative_to(ROOT / "training"):
        assert "app" not in _units(names)


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = f"import realtime_bokeh, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_nothing_is_sent_anywhere() -> None:
    """Libraries' analytics included: not a name is looked up, not a connection made."""
    program = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "os.fork"):
        print(event, arguments, flush=True)
sys.addaudithook(watch)
import numpy as np
import realtime_bokeh
engine = realtime_bokeh.open_engine("lite", "openvino")
engine(np.zeros((64, 64, 3), np.uint8), realtime_bokeh.Controls())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_public_names_arrive() -> None:
    import realtime_bokeh

    for name in realtime_bokeh.__all__:
        assert getattr(realtime_bokeh, name) is not None
    assert dir(realtime_bokeh) == sorted([*realtime_bokeh.__all__, "__version__"])
