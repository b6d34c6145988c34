"""What the Debian package says of the program; tests/vm installs the package itself."""

from pathlib import Path

import click
import pytest

from realtime_bokeh.app.main import main_command
from scripts.debian.texts import licenses, manual, unit


def _commands(command: click.Command) -> list[click.Command]:
    inner = command.commands.values() if isinstance(command, click.Group) else []
    return [command, *(deeper for one in inner for deeper in _commands(one))]


@pytest.mark.parametrize("command", _commands(main_command), ids=lambda c: c.name)
def test_the_manual_has_every_command_and_its_options(command: click.Command) -> None:
    text = manual().replace(r"\-", "-").splitlines()
    if command is not main_command:
        assert any(line.startswith(".SS") and f" {command.name} " in line for line in text)
    for option in (o for o in command.params if isinstance(o, click.Option) and not o.hidden):
        assert any(line.startswith(".B") and option.opts[0] in line for line in text)


def test_the_manual_takes_no_text_for_an_order() -> None:
    orders = {line.split()[0] for line in manual().splitlines() if line.startswith((".", "'"))}
    assert orders == {".TH", ".SH", ".SS", ".B", ".TP", ".PP", ".nf", ".fi"}


def test_the_unit_starts_the_package_s_command() -> None:
    lines = unit().splitlines()
    assert lines[0] == "[Unit]"
    assert 'ExecStart=":/usr/bin/realtime-bokeh"' in lines


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ("License-Expression: MIT\nLicense: other", "MIT"),
        ("Classifier: License :: OSI Approved :: BSD License", "BSD License"),
        ("License: zlib\n        and more", "zlib"),
        ("Summary: free", "not named in its metadata"),
    ],
)
def test_the_license_of_every_library_is_named(tmp_path: Path, metadata: str, said: str) -> None:
    for name, text in {"lens": metadata, "realtime-bokeh": "License: ours"}.items():
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: 1\n{text}\n")
    text = licenses(tmp_path, "THE LICENSE\n")
    assert f"\nlens 1: {said}\n\nRealtime Bokeh itself:\n\nTHE LICENSE\n" in text
