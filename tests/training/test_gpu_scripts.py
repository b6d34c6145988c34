import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import training
from training.data.pool import Pool

SCRIPTS = Path(training.__file__).parents[1] / "scripts" / "gpu"


@pytest.mark.parametrize("name", ["train.sh", "bench.sh"])
def test_scripts_are_bash(name: str) -> None:
    subprocess.run(["bash", "-n", SCRIPTS / name], check=True)


def test_photographs_are_packed_unpacked_and_trained_on(photos: Path, tmp_path: Path) -> None:
    found, packed, state, out = (tmp_path / n for n in ("found", "packed", "state", "out"))
    for folder in ("people", "backgrounds"):
        shutil.copytree(photos / folder, found / folder)
    # by every name that is read
    people = [name for name, count in Pool(found).counts.items() if not count and name != "cutouts"]
    for name in people:
        shutil.copytree(photos / "people", found / name)
    names = {str(path.relative_to(found)) for path in found.rglob("*.*")}
    assert {f"{name}/photo_0.mask.png" for name in (*people, "people", "calls")} <= names
    pack: list[str | Path] = [
        sys.executable, SCRIPTS / "pack.py", found, packed, "--mebibytes", "1",
    ]  # fmt: skip
    assert f"{len(names)} files in 1 archives" in subprocess.check_output(pack, text=True)
    with tarfile.open(packed / "photos-00.tar") as archive:
        assert set(archive.getnames()) == names
    environment = os.environ | {
        "STATE": str(state), "OUT": str(out),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip

    def call(*arguments: object) -> str:
        command: list[str | Path] = ["bash", str(SCRIPTS / "train.sh"), *map(str, arguments)]
        said: str = subprocess.check_output(command, text=True, env=environment)
        return said

    assert call("unpack", packed / "photos-00.tar").strip() == str(len(names))
    said = call(9, "lite-smoke", "--dry-run", "--precision", "f32", "--threads", 1)
    assert "nothing was kept of this dry run" in said
    assert (out / "log").read_text().endswith(said.splitlines()[-1] + "\n")
