"""Profiles: the default one, which live use reads when no other is named, and those with names."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import click
import platformdirs
from click.shell_completion import CompletionItem

from realtime_bokeh.app.options import LIVE, OPTIONS, Kind, Option, Value, default_text
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.files import reason, write_atomically
from realtime_bokeh.sources.address import without_secrets

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


def _folder() -> Path:
    return Path(platformdirs.user_config_dir("realtime-bokeh", appauthor=False))


def default_path() -> Path:
    """Where the default profile lies, if there is one."""
    return _folder() / "config.toml"


def profile_path(name: str) -> Path:
    """Where the profile of a name lies, if there is one.

    Raises:
        UsageError: when it cannot be a name.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a profile; give up to 40 letters, digits, - and _")
    return _folder() / "profiles" / f"{name}.toml"


def find_profile(name: str) -> Path:
    """The profile of a name.

    Raises:
        UsageError: when there is none.
    """
    path = profile_path(name)
    if os.path.lexists(path):
        return path
    names = profile_names()
    remedy = (
        f"choose {', '.join(names)}" if names else f"save one: realtime-bokeh profiles save {name}"
    )
    raise UsageError(f"There is no profile {name!r}; {remedy}")


def profile_names() -> list[str]:
    """The names of all profiles but the default one, sorted."""
    found = (_folder() / "profiles").glob("*.toml")
    return sorted(path.stem for path in found if _NAME.fullmatch(path.stem))


def _complete(
    context: click.Context, parameter: click.Parameter, text: str
) -> list[CompletionItem]:
    return [CompletionItem(name) for name in profile_names() if name.startswith(text)]


profile_option = click.option(
    "--profile", metavar="NAME", shell_complete=_complete,
    help="Any of these options from the profile of this name; see realtime-bokeh profiles",
)  # fmt: skip


def save_profile(name: str, values: Mapping[str, Value]) -> bool:
    """Save values, by the option's name, as a profile, in the place of one that there is.

    Returns:
        Whether there was none of the name.

    Raises:
        UsageError: when it cannot be a name.
        SinkError: when it cannot be written.
    """
    path = profile_path(name)
    new = not os.path.lexists(path)
    lines = [f"{key} = {_toml(value)}\n" for key, value in values.items()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # addresses have passwords
    except OSError as error:
        raise SinkError(f"{path.parent} cannot be created ({reason(error)})") from error
    write_atomically(path, "".join(lines).encode())
    return new


def remove_profile(name: str) -> Path:
    """Remove the profile of a name, and tell where it was.

    Raises:
        UsageError: when there is none.
        SinkError: when it cannot be removed.
    """
    path = find_profile(name)
    try:
        path.unlink()
    except OSError as error:
        raise SinkError(f"{path} cannot be removed ({reason(error)})") from error
    return path


def _toml(value: Value) -> str:
    """A value as TOML has it, which writes texts and numbers as JSON does."""
    if isinstance(value, tuple):  # a size
        value = str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def find_default() -> Path | None:
    """The default profile, or None where there is none."""
    path = default_path()
    # not Path.exists: a link to nothing is a mistake, to be told of when it is read
    return path if os.path.lexists(path) else None


def shown(settings: Settings, origins: Mapping[str, str], profile: Path | None) -> str:
    """Every option of live use, one a line: its name, its value, and where that comes from.

    Args:
        origins: as `load_with_origins` gives them.
        profile: that was read, if any.
    """
    rows = []
    for option in OPTIONS:
        if LIVE in option.commands:
            source = "model" if option.name == "stacked" else option.name
            rows.append((option.name, _text(option, settings), origins.get(source, "default")))
    names, values = (max(len(row[column]) for row in rows) for column in (0, 1))
    where = (
        f"Profile: {profile}"
        if profile
        else f"There is no profile; one would be read from {default_path()}"
    )
    lines = [f"{name:{names}}  {value:{values}}  {origin}" for name, value, origin in rows]
    return "\n".join([where, *lines])


def _text(option: Option, settings: Settings) -> str:
    """An option's value, for people."""
    if option.kind is Kind.SWITCH:
        stacked = settings.model == "stacked"
        return str(stacked if option.name == "stacked" else getattr(settings, option.name)).lower()
    # a camera's address may have a password in it
    return without_secrets(default_text(option, vars(settings))) or "not given"
