"""Rules of the whole package: what may import what, and what importing it loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "realtime_bokeh"
HEAVY = ("torch", "cv2", "openvino", "av", "pyvirtualcam", "numpy")

# module or folder -> what of ours it may import
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "frame": set(),
    "metrics": set(),
    "mailbox": set(),
    "geometry": set(),
    "telemetry": set(),
    "files": {"errors"},
    "card": {"frame", "geometry"},
    "stills": {"errors", "files", "frame"},
    "config": {"errors", "geometry"},
    "weights": {"errors", "geometry"},
    "checkpoints": {"errors", "weights"},
    "recompose": {"frame", "geometry"},
    "pipeline": {"frame", "mailbox", "metrics"},
    "network": {"network"},
    "export": {
        "__version__",
        "engines",
        "errors",
        "files",
        "frame",
        "geometry",
        "network",
        "recompose",
        "telemetry",
        "weights",
    },
    "recipes": {"config", "engines", "errors", "geometry", "weights"},
    "sources": {"errors", "files", "frame", "geometry"},
    "sinks": {"errors", "files", "frame", "geometry", "pipeline"},
    "engines": {
        "engines",
        "errors",
        "export",
        "files",
        "frame",
        "geometry",
        "network",
        "recompose",
        "telemetry",
        "weights",
    },
}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {n.split(".")[1] for n in names if n.startswith("realtime_bokeh.")}
    return found


@pytest.mark.parametrize("unit", ALLOWED)
def test_imports_keep_to_the_rules(unit: str) -> None:
    folder = PACKAGE / unit
    files = list(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{unit}.py"]
    assert files
    for path in files:
        own = {unit} if folder.is_dir() else set()
        assert _imports(path) <= ALLOWED[unit] | own, path


def test_an_engine_imports_no_other_engine() -> None:
    for path in (PACKAGE / "engines").glob("*.py"):
        if path.name in ("__init__.py", "base.py"):
            continue
        text = path.read_text()
        others = {"openvino", "pytorch", "tensorrt"} - {path.stem}
        assert not [o for o in others if f"realtime_bokeh.engines.{o}" in text], path


def test_network_imports_torch_only() -> None:
    for path in (PACKAGE / "network").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module is not None
                assert node.module.split(".")[0] in ("torch", "realtime_bokeh", "collections")


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
engine = realtime_bokeh.open_engine(realtime_bokeh.find_model("lite"), "openvino").engine
engine(np.zeros((64, 64, 3), np.uint8), realtime_bokeh.Controls())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_public_names_arrive() -> None:
    import realtime_bokeh

    for name in realtime_bokeh.__all__:
        assert getattr(realtime_bokeh, name) is not None
