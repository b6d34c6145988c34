"""Commands for profiles that have names."""

from pathlib import Path

import click

from realtime_bokeh.app.options import LIVE, options_of
from realtime_bokeh.app.profile import find_profile, profile_names, remove_profile, save_profile
from realtime_bokeh.app.settings import defaults, load_with_origins, read_profile
from realtime_bokeh.errors import UsageError


@click.group(invoke_without_command=True)
@click.pass_context
def profiles(context: click.Context) -> None:
    """List, show, save and remove profiles, for --profile NAME."""
    if context.invoked_subcommand is None:
        context.invoke(profiles_list)


@profiles.command("list")
def profiles_list() -> None:
    """List the profiles' names."""
    for name in profile_names():
        click.echo(name)


@profiles.command("show")
@click.argument("name", metavar="NAME")
def profiles_show(name: str) -> None:
    """Print a profile and where it lies, if it is right."""
    path = find_profile(name)
    read_profile(path)
    click.echo(f"# {path}")
    click.echo(path.read_text(encoding="utf-8"), nl=False)


@profiles.command("save")
@click.argument("name", metavar="NAME")
@options_of(LIVE, defaults())
def profiles_save(name: str, config: Path | None, **flags: object) -> None:
    """Save the options given as a profile, in the place of one of that name."""
    settings, origins = load_with_origins(config, flags)
    if not origins:
        raise UsageError("There is nothing to save; give options, such as --strength 0.6")
    save_profile(name, {key: value for key, value in vars(settings).items() if key in origins})
    click.echo(f"Saved {find_profile(name)}; use it with --profile {name}")


@profiles.command("remove")
@click.argument("name", metavar="NAME")
def profiles_remove(name: str) -> None:
    """Remove a profile."""
    click.echo(f"Removed {remove_profile(name)}")
