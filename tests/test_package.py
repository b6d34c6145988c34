"""Rules of the whole package: what may import what, and what importing it loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "realtime_bokeh"
HEAVY = ("torch", "cv2", "openvino", "av", "pyvirtualcam", "numpy")

# safetensors: only `load` reads a file
NETWORK_MAY = ("torch", "safetensors", "realtime_bokeh", "collections", "pathlib")

# module or folder -> what of ours it may import; only app may import everything
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "sizes": {"errors"},
    "frame": {"sizes"},
    "metrics": set(),
    "mailbox": set(),
    "interrupts": set(),
    "telemetry": set(),
    "files": {"errors"},
    "stills": {"errors", "files", "frame"},
    "weights": {"errors", "sizes"},
    "checkpoints": {"errors", "weights"},
    "recompose": {"frame", "sizes"},
    "pipeline": {"frame", "interrupts", "mailbox", "metrics"},
    "sources": {"errors", "files", "frame", "sizes"},
    "sinks": {"errors", "files", "frame", "interrupts", "sizes"},
    "network": set(),
    "export": {"__version__", "errors", "files", "frame", "network", "recompose", "sizes",
               "telemetry", "weights"},
    "engines": {"errors", "export", "files", "frame", "network", "recompose", "sizes",
                "telemetry", "weights"},
}  # fmt: skip


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
                assert node.module.split(".")[0] in NETWORK_MAY, path


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
