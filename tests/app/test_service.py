"""The service at login, with a systemctl that only notes what it is asked."""

import re
import sys
from pathlib import Path

import pytest

from realtime_bokeh.app.profile import default_path
from tests.program import Command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the service is systemd's")

# answers `show` with the file "state"; fails with what the file "no-COMMAND" says
SYSTEMCTL = """#!/bin/sh
echo "$*" >>"{folder}/calls"
if [ -e "{folder}/no-$2" ]; then cat "{folder}/no-$2" >&2; exit 1; fi
if [ "$2" = show ]; then cat "{folder}/state"; fi
"""
PACKAGED = "/usr/lib/systemd/user/realtime-bokeh.service"
RUNNING = {"ActiveState": "active", "UnitFileState": "enabled", "Result": "success",
           "FragmentPath": PACKAGED}  # fmt: skip
ABSENT = {"ActiveState": "inactive", "UnitFileState": "", "Result": "success", "FragmentPath": ""}


class Systemctl:
    """The first systemctl on PATH."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "systemctl").write_text(SYSTEMCTL.format(folder=folder))
        (folder / "systemctl").chmod(0o755)
        self.answer(RUNNING)

    def answer(self, state: dict[str, str]) -> None:
        lines = [f"{name}={value}\n" for name, value in state.items()]
        (self._folder / "state").write_text("".join(lines))

    def refuse(self, command: str, reason: str) -> None:
        (self._folder / f"no-{command}").write_text(reason + "\n")

    def calls(self) -> list[str]:
        """The commands so far, without what was only asked."""
        noted = self._folder / "calls"
        lines = noted.read_text().splitlines() if noted.exists() else []
        assert all(line.startswith("--user ") for line in lines)
        return [line.removeprefix("--user ") for line in lines if " show " not in line]


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemctl:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return Systemctl(folder)


@pytest.fixture
def unit(config_home: Path) -> Path:
    """Where the unit is installed; the default profile names a camera."""
    default_path().write_text('camera = "demo"\noutput = "none"')
    return config_home / "systemd" / "user" / "realtime-bokeh.service"


def test_install_writes_the_unit_and_starts_it(
    unit: Path, systemctl: Systemctl, command: Command
) -> None:
    outcome = command("service", "install")
    assert (outcome.status, outcome.lines) == (0, [])
    assert str(unit) in outcome.out
    started = re.search("^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    assert started is not None
    assert started[1] == (
        f'":{sys.executable}" "-m" "realtime_bokeh" "--config" "{default_path()}"'
    )
    asked = ["daemon-reload", "enable realtime-bokeh.service", "restart realtime-bokeh.service"]
    assert systemctl.calls() == asked
    assert command("service", "install").status == 0  # again, after the profile was changed
    assert systemctl.calls() == asked * 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "names no camera; write one there"),
        ("strength = 0.5", "names no camera; write one there"),
        ('camera = "0"\noutput = "-"', "has no reader at login"),
        ('camera = "0"\nstrength = 9', "--strength 9 is out of range"),
    ],
)
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_install_refuses_a_profile_that_cannot_run(
    unit: Path, systemctl: Systemctl, command: Command, monkeypatch: pytest.MonkeyPatch,
    text: str | None, sentence: str, platform: str,
) -> None:  # fmt: skip
    default_path().unlink()
    if text is not None:
        default_path().write_text(text)
    monkeypatch.setattr(sys, "platform", platform)
    outcome = command("service", "install")
    assert (outcome.status, outcome.out, len(outcome.lines)) == (2, "", 1)
    assert f"Profile {default_path()}" in outcome.lines[0]
    assert sentence in outcome.lines[0]
    assert systemctl.calls() == []
    assert not unit.exists()


@pytest.mark.parametrize("line", ["install", "uninstall", "status"])
def test_without_a_user_manager_nothing_is_changed(
    unit: Path, systemctl: Systemctl, command: Command, line: str
) -> None:
    systemctl.refuse("show", "Failed to connect to bus: No medium found")
    outcome = command("service", line)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.lines == [
        "realtime-bokeh: Your systemd cannot be reached (Failed to connect to bus: No medium "
        "found); run this in the session that you log in to, and without sudo"
    ]
    assert systemctl.calls() == []
    assert not unit.exists()


@pytest.mark.parametrize("line", ["install", "uninstall", "status"])
def test_a_missing_systemctl_is_explained(
    unit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command, line: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = command("service", line)
    assert (outcome.status, outcome.out, len(outcome.lines)) == (1, "", 1)
    assert "systemctl cannot be run (No such file or directory)" in outcome.lines[0]
    assert "have your desktop start realtime-bokeh at login instead" in outcome.lines[0]
    assert not unit.exists()


def test_what_systemctl_refuses_is_told(unit: Path, systemctl: Systemctl, command: Command) -> None:
    systemctl.refuse("enable", "Failed to enable unit: it is masked.")
    outcome = command("service", "install")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.lines == [
        "realtime-bokeh: systemctl --user enable realtime-bokeh.service failed "
        "(Failed to enable unit: it is masked.)"
    ]


def test_a_folder_that_cannot_be_made_is_told(
    unit: Path, systemctl: Systemctl, command: Command
) -> None:
    unit.parent.parent.write_text("a file where the folder should be")
    outcome = command("service", "install")
    assert (outcome.status, len(outcome.lines)) == (1, 1)
    assert f"{unit.parent} cannot be created" in outcome.lines[0]
    assert systemctl.calls() == []


def test_uninstall_stops_it_and_leaves_the_profile(
    unit: Path, systemctl: Systemctl, command: Command
) -> None:
    command("service", "install")
    before = systemctl.calls()
    outcome = command("service", "uninstall")
    assert (outcome.status, outcome.lines) == (0, [])
    assert not unit.exists()
    assert default_path().exists()
    now = systemctl.calls()[len(before) :]
    assert now == ["disable --now realtime-bokeh.service", "daemon-reload"]
    systemctl.answer(ABSENT)
    outcome = command("service", "uninstall")
    assert outcome.status == 2
    assert f"There is no service to remove ({unit} does not exist)" in outcome.lines[0]


def test_a_package_s_unit_is_disabled_and_stays(
    unit: Path, systemctl: Systemctl, command: Command
) -> None:
    outcome = command("service", "uninstall")
    assert (outcome.status, outcome.lines) == (0, [])
    assert outcome.out == f"Stopped the service; {PACKAGED} is of the package, and stays\n"
    assert systemctl.calls() == ["disable --now realtime-bokeh.service"]
    systemctl.answer(RUNNING | {"ActiveState": "inactive", "UnitFileState": "disabled"})
    assert command("service", "uninstall").status == 2
    outcome = command("service", "status")
    assert (outcome.status, outcome.lines) == (1, [])
    assert PACKAGED in outcome.out
    assert "at login: does not start" in outcome.out


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({}, 0, {"starts", "runs"}),
        ({"UnitFileState": "disabled"}, 0, {"does not start", "runs"}),
        ({"ActiveState": "inactive"}, 1, {"starts", "does not run"}),
        ({"ActiveState": "failed", "Result": "signal"}, 1, {"starts", "failed (signal)"}),
        (
            {"ActiveState": "activating", "Result": "exit-code"},
            1,
            {"starts", "failed (exit-code), and is tried again soon"},
        ),
        ({"ActiveState": "deactivating"}, 1, {"starts", "deactivating"}),
    ],
)
def test_status_says_how_it_is(
    unit: Path, systemctl: Systemctl, command: Command,
    changed: dict[str, str], status: int, said: set[str],
) -> None:  # fmt: skip
    command("service", "install")
    systemctl.answer(RUNNING | changed | {"FragmentPath": str(unit)})
    outcome = command("service", "status")
    assert (outcome.status, outcome.lines) == (status, [])
    answers = [line.split(":", 1)[1].strip() for line in outcome.out.splitlines()]
    assert answers[0] == str(unit)
    assert set(answers[1:3]) == said
    assert "journalctl" in answers[3]


def test_status_of_what_is_not_installed(
    unit: Path, systemctl: Systemctl, command: Command
) -> None:
    systemctl.answer(ABSENT)
    outcome = command("service", "status")
    assert (outcome.status, outcome.lines) == (1, [])
    assert outcome.out == "not installed; realtime-bokeh service install does it\n"


@pytest.mark.parametrize(
    ("platform", "part"),
    [("darwin", "<string>--config</string>"), ("win32", '"--config"')],
)
def test_elsewhere_it_is_said_what_to_put_where(
    unit: Path, systemctl: Systemctl, monkeypatch: pytest.MonkeyPatch, command: Command,
    platform: str, part: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(sys, "platform", platform)
    before = sorted(unit.parents[2].rglob("*"))
    outcome = command("service", "install")
    assert (outcome.status, outcome.lines) == (0, [])
    assert outcome.out.startswith("Untested")
    assert "Nothing was written." in outcome.out
    assert part in outcome.out
    assert str(default_path()) in outcome.out
    for line in ("status", "uninstall"):
        outcome = command("service", line)
        assert (outcome.status, outcome.out) == (2, "")
        assert f"service {line} is for Linux" in outcome.lines[0]
    assert sorted(unit.parents[2].rglob("*")) == before
    assert systemctl.calls() == []
