"""What brings this package's extras, in the pip line that fits how it is installed here."""

import json
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

_NAME = "realtime-bokeh"
_ROOT = Path(__file__).parents[1]


def install_hint(extra: str = "") -> str:
    """The command that installs the package with an extra of it, for a sentence.

    For a checkout, whether installed as editable or only run in place, it names the checkout; for
    an installation from a folder, a file or a repository, what it came from (PEP 610); else it
    names the package as an index knows it.

    Args:
        extra: such as "export"; by default none, for what the package itself needs.
    """
    wanted = f"[{extra}]" if extra else ""
    if _is_checkout(_ROOT):
        return f'pip install --editable "{_ROOT}{wanted}"'
    origin = _direct_url()
    url = str(origin.get("url", ""))
    if "dir_info" in origin:
        folder = Path(url2pathname(urlsplit(url).path))
        if folder.is_dir():
            return f'pip install "{folder}{wanted}"'
    elif "vcs_info" in origin:
        return f'pip install "{_NAME}{wanted} @ {origin["vcs_info"]["vcs"]}+{url}"'
    elif "archive_info" in origin:
        return f'pip install "{_NAME}{wanted} @ {url}"'
    return f'pip install "{_NAME}{wanted}"'


def _is_checkout(folder: Path) -> bool:
    try:
        return f'name = "{_NAME}"' in (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _direct_url() -> dict[str, dict[str, str]]:
    """What the installation says that it came from; empty where it came from an index."""
    try:
        text = metadata.distribution(_NAME).read_text("direct_url.json")
        found: dict[str, dict[str, str]] = json.loads(text or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return {}
    return found
