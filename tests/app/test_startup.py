"""What starts the program at login, as text."""

import os
import plistlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from realtime_bokeh.app.startup import UNIT, launchd_agent, systemd_unit, windows_entry
from realtime_bokeh.errors import UsageError

ODD = """con'fig 100%h \\x41 "q" ; ${HOME} $$ %%.toml"""


def _line(key: str, unit: str) -> str:
    found = re.search(rf"^{key}=(.*)$", unit, re.MULTILINE)
    assert found is not None
    return found[1]


def test_words_are_escaped_as_systemd_reads_them() -> None:
    unit = systemd_unit(["/my $HOME 5%/python", "-m", "x", "--config", ODD, "two\nlines"])
    assert _line("ExecStart", unit) == (
        r'":/my $HOME 5%%/python" "-m" "x" "--config" '
        r'"con' + r"'" + r'fig 100%%h \\x41 \"q\" ; ${HOME} $$ %%%%.toml" "two\nlines"'
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    program = tmp_path / "my $HOME 5% ü" / "python"
    program.parent.mkdir()
    program.touch(mode=0o755)
    (tmp_path / UNIT).write_text(systemd_unit([str(program), "-m", "x", ODD]), encoding="utf-8")

    def verify() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["systemd-analyze", "--user", "verify", str(tmp_path / UNIT)],
            env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}, capture_output=True, text=True,
        )  # fmt: skip

    done = verify()
    remarks = [line for line in done.stderr.splitlines() if UNIT in line]
    older = re.compile(r"Unknown key.*'Restart(Steps|MaxDelaySec)'")  # than systemd 254
    assert (done.returncode, [line for line in remarks if not older.search(line)]) == (0, [])
    program.unlink()
    assert verify().returncode != 0  # it was this program that was looked at


@pytest.mark.parametrize("path", ["/o'neill/python", '/a "b"/python', "/a\\b/python", "/a\nb/p"])
def test_a_program_that_systemd_does_not_run_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="systemd runs no program that has a quote or a backslash"):
        systemd_unit([path])


def test_the_agent_of_launchd_can_be_read_back(tmp_path: Path) -> None:
    command = ["/my <python> & co", "-m", "x", "--config", ODD]
    text = launchd_agent(command, tmp_path)
    assert text.startswith("Untested")
    agent = plistlib.loads(text[text.index("<?xml") : text.index("</plist>") + 8].encode())
    assert agent["ProgramArguments"] == command
    assert agent["RunAtLoad"] is True
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert Path(agent["StandardErrorPath"]).is_relative_to(tmp_path)


def test_the_entry_of_windows_quotes_its_words() -> None:
    text = windows_entry(["C:\\my & 5%\\python.exe", "-m", "x"])
    assert text.startswith("Untested")
    assert '\n@start "Realtime Bokeh" /min "C:\\my & 5%%\\python.exe" "-m" "x"\n' in text
