"""The Debian package's texts that follow from the program: manual page, systemd unit, licenses.

python scripts/debian/texts.py man | unit | copyright SITE-PACKAGES LICENSE
"""

import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from inspect import cleandoc
from pathlib import Path

import click

from realtime_bokeh import __version__
from realtime_bokeh.app.main import main_command
from realtime_bokeh.app.startup import systemd_unit

_NAME = "realtime-bokeh"
_BUNDLE = """\
This package holds Realtime Bokeh and, in /usr/lib/realtime-bokeh, libraries
from PyPI as their makers ship them. PyAV's contain x264 and x265 (GPL-2 or
later) beside OpenVINO (Apache-2.0), so the package as a whole may be passed on
under the GNU General Public License, version 3, which is in
/usr/share/common-licenses/GPL-3. The libraries' own licenses, as their metadata
name them, are these; the texts are in the folders *.dist-info there.

{libraries}

Realtime Bokeh itself:

"""


def manual() -> str:
    """The manual page (section 1, in man's own macros) with all that --help says."""
    lines = [f'.TH REALTIME\\-BOKEH 1 "" "Realtime Bokeh {__version__}" "User Commands"']
    lines += [".SH NAME", rf"realtime\-bokeh \- {_escaped(_first_line(main_command))}"]
    lines += [".SH SYNOPSIS", r".B realtime\-bokeh", "[OPTIONS] [COMMAND [ARGS]...]"]
    context = click.Context(main_command, info_name=_NAME)
    lines += [".SH DESCRIPTION", *_paragraphs(main_command.help or "")]
    lines += [".SH OPTIONS", *_options(context), ".SH COMMANDS", *_commands(context)]
    lines += [".SH FILES", ".TP", r"~/.config/realtime\-bokeh/config.toml", "The default profile."]
    lines += [".SH EXIT STATUS", "0 for success, 2 for wrong input, 1 for a failure, 130 for an"]
    lines += ["interruption."]
    return "\n".join(lines) + "\n"


def _commands(context: click.Context) -> Iterator[str]:
    """The commands of a group, and theirs."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.commands[name]
        inner = click.Context(command, info_name=name, parent=context)
        usage = " ".join([inner.command_path, *command.collect_usage_pieces(inner)])
        yield f".SS {_escaped(usage)}"
        yield from _paragraphs(command.help or "")
        yield from _options(inner)
        if isinstance(command, click.Group):
            yield from _commands(inner)


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            yield from (".TP", f".B {_escaped(record[0])}", _escaped(record[1]))


def _paragraphs(text: str) -> Iterator[str]:
    """Click's help text, where a line of "\\b" begins lines that stay as they are."""
    for paragraph in cleandoc(text).split("\n\n"):
        kept = paragraph.startswith("\b")
        yield ".PP"
        yield from [".nf"] if kept else []
        yield from (_escaped(line) for line in paragraph.removeprefix("\b\n").splitlines())
        yield from [".fi"] if kept else []


def _first_line(command: click.Command) -> str:
    return (command.help or "").splitlines()[0].rstrip(".")


def _escaped(text: str) -> str:
    """Text that troff takes for text."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text


def unit() -> str:
    """The systemd user unit that reads the default profile; `service install` has its own."""
    _, _, text = systemd_unit([f"/usr/bin/{_NAME}"]).partition("\n")  # without who wrote it
    return text


def licenses(site: Path, ours: str) -> str:
    """What may be done with the package: the program's license and those of the libraries.

    Args:
        site: the folder that the libraries are in.
        ours: the program's license.
    """
    parts = (part for part in distributions(path=[str(site)]) if part.name != _NAME)
    found = sorted(parts, key=lambda part: part.name.lower())
    libraries = [f"{part.name} {part.version}: {_license(part)}" for part in found]
    return _BUNDLE.format(libraries="\n".join(libraries)) + ours


def _license(part: Distribution) -> str:
    """In a word, from the field that a distribution uses for it."""
    classifiers = part.metadata.get_all("Classifier", [])
    named = [line.split(" :: ")[-1] for line in classifiers if line.startswith("License")]
    texts: Iterable[str | None] = (
        part.metadata["License-Expression"], ", ".join(named), part.metadata["License"]
    )  # fmt: skip
    return next((text.splitlines()[0] for text in texts if text), "not named in its metadata")


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "copyright":
        sys.stdout.write(licenses(Path(rest[0]), Path(rest[1]).read_text(encoding="utf-8")))
    else:
        sys.stdout.write({"man": manual, "unit": unit}[what]())
