"""The source distribution: what the documents in it link or name is in it too."""

import re
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath
from posixpath import normpath

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Contents of the source distribution's files, by path."""
    pytest.importorskip("hatchling", reason="needs hatchling (in the extra dev)")
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "build", "--sdist", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    contents = {}
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member)
            if file is not None:
                contents[member.name.partition("/")[2]] = file.read()
    return contents


def _paths(files: dict[str, bytes]) -> set[str]:
    """All files and the folders that hold them."""
    folders = {str(parent) for file in files for parent in PurePosixPath(file).parents}
    return set(files) | folders


def test_links_lead_to_files(sdist: dict[str, bytes]) -> None:
    documents = [path for path in sdist if path.endswith(".md")]
    assert {"README.md", "docs/model-card.md", "docs/benchmarks.md"} <= set(documents)
    present = _paths(sdist)
    for document in documents:
        links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", sdist[document].decode())
        for link in links:
            if "://" not in link:
                target = normpath(PurePosixPath(document).parent / link)
                assert target in present, f"{document} links {link}"


def test_files_that_readme_names_are_there(sdist: dict[str, bytes]) -> None:
    named = re.findall(r"(?<![\w./-])\w[\w.-]*(?:/[\w.-]*\w)+", sdist["README.md"].decode())
    here = {path for path in named if (ROOT / path).exists() and not path.startswith("out/")}
    assert {"docs/moving.webp", "scripts/gpu/bench.sh"} <= here
    assert here <= _paths(sdist)
