import io
import os
import stat
import sys
from pathlib import Path

import click
import pytest

from realtime_bokeh.app import driver
from realtime_bokeh.errors import SinkError
from realtime_bokeh.sinks import kernel_module

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it has no sudo")

LOAD = "modprobe v4l2loopback exclusive_caps=1 'card_label=Realtime Bokeh'"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Computer:
    """One whose module is installed and not loaded, and whose sudo notes what it is asked to do.

    etc: its folder of configuration. answers: what its user types.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch
        self.etc = folder / "etc"
        for name in ("modules-load.d", "modprobe.d"):
            (self.etc / name).mkdir(parents=True)
        self.sudo('echo "$@" >> "$(dirname "$0")/../asked"')
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(driver, "_ETC", self.etc)
        monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
        self.module(loaded=False, installed=True)
        self.answer("")

    def sudo(self, script: str) -> None:
        file = self._folder / "bin" / "sudo"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def module(
        self, loaded: bool, installed: bool, exclusive: bool = True, devices: bool = True
    ) -> None:
        listed = {"/dev/video9": "Camera"} if devices else {}
        self._monkeypatch.setattr(kernel_module, "is_loaded", lambda: loaded)
        self._monkeypatch.setattr(kernel_module, "is_installed", lambda: installed)
        self._monkeypatch.setattr(driver, "linux_loopbacks", lambda: listed)
        self._monkeypatch.setattr(driver, "_exclusive", lambda: exclusive)

    def answer(self, lines: str) -> None:
        self._monkeypatch.setattr(sys, "stdin", Terminal(lines))

    @property
    def asked(self) -> list[str]:
        """What sudo was given."""
        file = self._folder / "asked"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    return Computer(tmp_path, monkeypatch)


def test_every_step_is_asked_for_and_shown(
    computer: Computer, capsys: pytest.CaptureFixture[str]
) -> None:
    computer.answer("y\ny\ny\n")
    assert driver.fix()
    load, at_boot, options = computer.asked
    assert load == LOAD.replace("'", "")
    assert at_boot.endswith("modules-load.d/realtime-bokeh.conf")
    assert options.endswith("modprobe.d/realtime-bokeh.conf")
    told = capsys.readouterr().out
    assert f"sudo {LOAD}" in told
    assert told.count("Run it? [y/N]") == 3


def test_what_is_written_for_the_boot(computer: Computer) -> None:
    computer.sudo('[ "$1" = sh ] && exec "$@"; true')
    computer.answer("y\ny\ny\n")
    driver.fix()
    written = {path.parent.name: path.read_text() for path in computer.etc.glob("*/*.conf")}
    assert written == {
        "modules-load.d": "v4l2loopback\n",
        "modprobe.d": 'options v4l2loopback exclusive_caps=1 card_label="Realtime Bokeh"\n',
    }
    assert [step.command[:2] for step in driver.steps()] == [["sudo", "modprobe"]]


def test_only_what_is_allowed_is_done(computer: Computer) -> None:
    computer.answer("n\ny\nn\n")
    assert driver.fix()
    assert len(computer.asked) == 1
    assert "modules-load.d" in computer.asked[0]


def test_the_default_is_to_do_nothing(computer: Computer) -> None:
    computer.answer("\n\n\n")
    assert not driver.fix()
    assert computer.asked == []


def test_an_end_of_the_answers_does_nothing(computer: Computer) -> None:
    with pytest.raises(click.Abort):
        driver.fix()
    assert computer.asked == []


@pytest.mark.parametrize("stdin", [None, io.StringIO("y\ny\ny\n")])
def test_without_a_terminal_nothing_is_done(
    computer: Computer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    stdin: io.StringIO | None,
) -> None:  # fmt: skip
    monkeypatch.setattr(sys, "stdin", stdin)
    assert not driver.fix()
    assert computer.asked == []
    assert "needs a terminal; nothing was changed" in capsys.readouterr().out


@pytest.mark.parametrize("broken", [{"exclusive": False}, {"devices": False}])
def test_a_module_that_is_loaded_wrongly_is_loaded_anew(
    computer: Computer, broken: dict[str, bool]
) -> None:
    computer.module(loaded=True, installed=True, **broken)
    computer.answer("y\nn\nn\n")
    assert driver.fix()
    assert computer.asked == [f"sh -c modprobe -r v4l2loopback && {LOAD}"]


def test_what_is_set_up_already_is_left_alone(
    computer: Computer, capsys: pytest.CaptureFixture[str]
) -> None:
    computer.module(loaded=True, installed=True)
    (computer.etc / "modules-load.d" / "mine.conf").write_text("# mine\nv4l2loopback\n")
    (computer.etc / "modprobe.d" / "mine.conf").write_text("options  v4l2loopback devices=2\n")
    assert driver.steps() == []
    assert not driver.fix()
    assert "There is nothing to fix" in capsys.readouterr().out


def test_a_module_that_is_not_installed_comes_first(computer: Computer) -> None:
    computer.module(loaded=False, installed=False)
    computer.answer("y\ny\ny\n")
    with pytest.raises(SinkError, match=r"not installed\); install it: sudo apt install|not built"):
        driver.fix()
    assert computer.asked == []


@pytest.mark.parametrize(
    ("complaint", "sentence"),
    [
        ("modprobe: ERROR: could not insert 'v4l2loopback': Key was rejected by service",
         "Secure Boot refuses the module v4l2loopback; enrol its key: sudo mokutil --import"),
        ("modprobe: FATAL: Module v4l2loopback is in use.", "is in use; close every program"),
        ("me is not in the sudoers file.", r"failed \(me is not in the sudoers file.\); try it in"),
    ],
)  # fmt: skip
def test_a_step_that_fails_ends_it(computer: Computer, complaint: str, sentence: str) -> None:
    computer.sudo(f'echo "{complaint}" >&2; exit 1')
    computer.answer("y\ny\ny\n")
    with pytest.raises(SinkError, match=sentence):
        driver.fix()


def test_a_computer_without_sudo(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(computer.etc))
    computer.answer("y\n")
    with pytest.raises(SinkError, match=r"sudo cannot be run .*; do it as root: sudo modprobe"):
        driver.fix()


def test_on_other_systems_there_is_nothing_to_load(
    computer: Computer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not driver.fix()
    assert (
        "There is nothing to fix for the virtual camera here; to install" in capsys.readouterr().out
    )
