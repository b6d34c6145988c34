import json
from importlib import metadata
from pathlib import Path

import pytest

from realtime_bokeh import extras
from realtime_bokeh.extras import install_hint


class _Distribution:
    """An installation that came from somewhere."""

    def __init__(self, origin: str | None, installer: str = "pip") -> None:
        self._records = {"direct_url.json": origin, "INSTALLER": f"{installer}\n"}

    def read_text(self, name: str) -> str | None:
        return self._records[name]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation outside any checkout, from a folder that exists."""
    monkeypatch.setattr(extras, "_ROOT", tmp_path / "site-packages")
    folder = tmp_path / "my bokeh"
    folder.mkdir()
    return folder


def test_a_checkout_names_itself() -> None:
    root = Path(__file__).parents[1]
    assert install_hint("export") == f'pip install --editable "{root}[export]"'
    assert install_hint() == f'pip install --editable "{root}"'


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, 'pip install "realtime-bokeh[rtx]"'),
        ("not JSON", 'pip install "realtime-bokeh[rtx]"'),
        (
            {"url": "https://example.org/b", "vcs_info": {"vcs": "git", "commit_id": "0"}},
            'pip install "realtime-bokeh[rtx] @ git+https://example.org/b"',
        ),
        (
            {"url": "file:///tmp/b.whl", "archive_info": {}},
            'pip install "realtime-bokeh[rtx] @ file:///tmp/b.whl"',
        ),
        ({"url": "file:///not/there", "dir_info": {}}, 'pip install "realtime-bokeh[rtx]"'),
    ],
)
def test_other_installations_name_what_they_came_from(
    installed: Path, monkeypatch: pytest.MonkeyPatch, origin: object, expected: str
) -> None:
    text = origin if isinstance(origin, str) or origin is None else json.dumps(origin)
    monkeypatch.setattr(metadata, "distribution", lambda name: _Distribution(text))
    assert install_hint("rtx") == expected


def test_a_folder_that_is_there_is_named(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = json.dumps({"url": installed.as_uri(), "dir_info": {}})
    monkeypatch.setattr(metadata, "distribution", lambda name: _Distribution(origin))
    assert install_hint("rtx") == f'pip install "{installed}[rtx]"'


def test_what_is_not_installed_at_all_is_named_as_in_an_index(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert install_hint("rtx") == 'pip install "realtime-bokeh[rtx]"'


@pytest.mark.parametrize(
    ("left", "command"),
    [("pipx_metadata.json", "pipx install --force"), ("uv-receipt.toml", "uv tool install")],
)
def test_an_installer_of_programs_is_named(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str, command: str
) -> None:
    (tmp_path / left).touch()
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    origin = json.dumps({"url": installed.as_uri(), "dir_info": {}})
    monkeypatch.setattr(metadata, "distribution", lambda name: _Distribution(origin))
    assert install_hint("rtx") == f'{command} "{installed}[rtx]"'


def test_debian_s_package_is_installed_again_and_has_no_extras(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda name: _Distribution(None, "dpkg"))
    assert install_hint() == "sudo apt reinstall ./realtime-bokeh_*.deb"
    assert install_hint("rtx") == 'pipx install "realtime-bokeh[rtx]"'
