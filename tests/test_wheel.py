"""The wheel, installed in an environment of its own and run far from the repository."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import pytest

from realtime_bokeh import __version__
from realtime_bokeh.frame import Image
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
def program(wheel: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Runs the installed program. Its libraries are those of the tests, which takes no minutes."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home)
    scripts = home / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", str(wheel)], check=True)
    at = {"base": str(home), "platbase": str(home)}
    # a .pth file adds a folder, but not what .pth files there add, such as an editable installation
    borrowed = Path(sysconfig.get_path("purelib", vars=at)) / "borrowed.pth"
    borrowed.write_text(sysconfig.get_path("purelib") + "\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [str(scripts / "realtime-bokeh"), *arguments]
        return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)

    where = "import realtime_bokeh; print(realtime_bokeh.__file__)"
    line = [str(scripts / "python"), "-c", where]
    told = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)
    assert Path(told.stdout).is_relative_to(home), told.stderr or told.stdout
    return run


def test_it_holds_the_program_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {
        "realtime_bokeh", f"realtime_bokeh-{__version__}.dist-info"
    }  # fmt: skip
    assert "realtime_bokeh/py.typed" in names
    assert not any("__pycache__" in name for name in names)


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
