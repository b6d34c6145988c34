"""The documentation as a site: every page is reached, every link leads somewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from realtime_bokeh.app import doctor

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))


def build(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What the site is built from."""
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "realtime_bokeh").symlink_to(ROOT / "realtime_bokeh")
    return tmp_path


def test_the_site_is_built_without_a_warning(project: Path) -> None:
    built = build(project)
    assert built.returncode == 0, built.stdout + built.stderr
    reference = (project / "out/site/reference/index.html").read_text(encoding="utf-8")
    assert "in_flight" in reference  # from a docstring


def test_a_dead_link_is_a_warning(project: Path) -> None:
    (project / "docs/index.md").write_text("[nowhere](nowhere.md)", encoding="utf-8")
    assert build(project).returncode != 0


def test_every_page_is_in_the_navigation() -> None:
    named = re.findall(r'"([\w-]+\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8"))
    assert sorted(named) == [page.name for page in PAGES]


def test_troubleshooting_has_what_doctor_looks_at() -> None:
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
    subjects = {finding.subject for finding in doctor.examine()} | {"virtual camera in browsers"}
    # each engine and each damaged model has a line of its own
    sections = {re.sub(r"^engine .*", "engine", subject) for subject in subjects}
    assert {re.sub(r"^model .*", "weights", section) for section in sections} <= set(headings)
