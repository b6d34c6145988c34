"""The wheel, installed in an environment of its own and run far from the repository."""

import email
import json
import os
import socket
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import pytest

import realtime_bokeh.panel
from realtime_bokeh import __version__
from realtime_bokeh.frame import Image
from realtime_bokeh.panel import place
from tests import clips

ROOT = Path(__file__).parent.parent

Program: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="needs hatchling (in the extra dev)")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the program is run."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def scripts(wheel: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the installed program lies. Its libraries are those of the tests, which takes no
    minutes."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home)
    scripts = home / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", str(wheel)], check=True)
    at = {"base": str(home), "platbase": str(home)}
    # a .pth file adds a folder, but not what .pth files there add, such as an editable installation
    borrowed = Path(sysconfig.get_path("purelib", vars=at)) / "borrowed.pth"
    borrowed.write_text(sysconfig.get_path("purelib") + "\n")
    where = "import realtime_bokeh; print(realtime_bokeh.__file__)"
    line = [str(scripts / "python"), "-c", where]
    told = subprocess.run(line, cwd=folder, env=_environment(), capture_output=True, text=True)
    assert Path(told.stdout).is_relative_to(home), told.stderr or told.stdout
    return scripts


@pytest.fixture(scope="module")
def program(scripts: Path, folder: Path) -> Program:
    """Runs the installed program."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [str(scripts / "realtime-bokeh"), *arguments]
        return subprocess.run(line, cwd=folder, env=_environment(), capture_output=True, text=True)

    return run


def _environment() -> dict[str, str]:
    """That of a user, who does not point at the repository."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture
def panel(scripts: Path, folder: Path) -> Iterator[str]:
    """The root of an installed panel's addresses, while it runs."""
    pytest.importorskip("fastapi", reason="needs the panel (in the extra panel)")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    line = [str(scripts / "realtime-bokeh"), "panel", "--port", str(port)]
    with subprocess.Popen(
        line, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline().decode()  # as soon as it is served
            assert said.startswith("panel:"), said
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


def test_it_holds_the_program_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {
        "realtime_bokeh", f"realtime_bokeh-{__version__}.dist-info"
    }  # fmt: skip
    assert "realtime_bokeh/py.typed" in names
    assert not any("__pycache__" in name for name in names)


def test_its_extra_panel_is_what_serves_the_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        described = archive.read(f"realtime_bokeh-{__version__}.dist-info/METADATA").decode()
    needs = email.message_from_string(described).get_all("Requires-Dist") or []
    panel = {need.split(">")[0] for need in needs if need.endswith("extra == 'panel'")}
    assert panel == {"fastapi", "uvicorn"}


def test_it_says_its_version(program: Program) -> None:
    assert program("--version").stdout == f"realtime-bokeh {__version__}\n"


def test_demo(program: Program, folder: Path) -> None:
    done = program("demo", "--seconds", "0.2")
    assert done.returncode == 0, done.stderr
    assert len(clips.levels(folder / "out" / "demo.mp4")) == 6
    assert (folder / "out" / "demo.png").exists()


def test_render(program: Program, folder: Path, portrait: Image) -> None:
    cv2.imwrite(str(folder / "photo.png"), portrait)
    done = program("render", "--model", "stacked", "photo.png", "blurred.png")
    assert done.returncode == 0, done.stderr
    blurred = cv2.imread(str(folder / "blurred.png"))
    assert blurred is not None
    assert blurred.shape == portrait.shape
    assert np.abs(blurred.astype(float) - portrait).mean() > 1


def test_doctor(program: Program) -> None:
    done = program("doctor")
    said = " ".join(done.stdout.split())
    assert "The models dmshn, lite, stacked are complete and undamaged." in said
    assert "openvino is used." in done.stdout
    assert (done.returncode, done.stderr) in {(0, ""), (1, "")}  # cameras: as the machine has them


def test_panel(panel: str) -> None:
    token = place.token()
    with urllib.request.urlopen(f"{panel}?token={token}") as page:
        assert b"<title>Realtime Bokeh</title>" in page.read()
    static = Path(realtime_bokeh.panel.__file__).with_name("static")
    for path in static.iterdir():
        with urllib.request.urlopen(f"{panel}{path.name}") as file:
            assert file.read() == path.read_bytes()
    with urllib.request.urlopen(f"{panel}api/v1/state?token={token}") as answer:
        state = json.load(answer)
    assert (state["phase"], state["version"]) == ("stopped", __version__)
