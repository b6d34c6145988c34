"""What brings this package's extras, in the line that fits how it is installed here."""

import json
import sys
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
    names the package as an index knows it. It is pip's command, or that of pipx or uv where one of
    them installed the program. What Debian's package lacks, pipx brings, beside it.

    Args:
        extra: such as "export"; by default none, for what the package itself needs.
    """
    wanted = f"[{extra}]" if extra else ""
    if _is_checkout(_ROOT):
        return f'pip install --editable "{_ROOT}{wanted}"'
    if _recorded("INSTALLER").strip() == "dpkg":
        if not extra:
            return f"sudo apt reinstall ./{_NAME}_*.deb"
        return f'pipx install "{_NAME}{wanted}"'
    return f'{_installer()} "{_requirement(wanted)}"'


def _installer() -> str:
    """The command that installs into the present environment, known by the file it leaves there."""
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").is_file():
        return "pipx install --force"
    if (prefix / "uv-receipt.toml").is_file():
        return "uv tool install"
    return "pip install"


def _requirement(wanted: str) -> str:
    """The package, with extras in brackets, from where it came from."""
    origin = _direct_url()
    url = str(origin.get("url", ""))
    if "dir_info" in origin:
        folder = Path(url2pathname(urlsplit(url).path))
        if folder.is_dir():
            return f"{folder}{wanted}"
    elif "vcs_info" in origin:
        return f"{_NAME}{wanted} @ {origin['vcs_info']['vcs']}+{url}"
    elif "archive_info" in origin:
        return f"{_NAME}{wanted} @ {url}"
    return f"{_NAME}{wanted}"


def _is_checkout(folder: Path) -> bool:
    try:
        return f'name = "{_NAME}"' in (folder / "pyproject.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _direct_url() -> dict[str, dict[str, str]]:
    """What the installation says that it came from; empty where it came from an index."""
    try:
        found: dict[str, dict[str, str]] = json.loads(_recorded("direct_url.json") or "{}")
    except ValueError:
        return {}
    return found


def _recorded(file: str) -> str:
    """A file of the installation's own records; empty where there is none."""
    try:
        return metadata.distribution(_NAME).read_text(file) or ""
    except metadata.PackageNotFoundError:
        return ""
