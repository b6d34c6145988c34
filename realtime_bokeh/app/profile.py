"""The default profile: live use reads it when --config names no other file."""

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from realtime_bokeh.app.options import LIVE, OPTIONS, Kind, Option, default_text
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.sources.address import without_secrets


def default_path() -> Path:
    """Where the default profile lies, if there is one."""
    return Path(platformdirs.user_config_dir("realtime-bokeh", appauthor=False)) / "config.toml"


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
