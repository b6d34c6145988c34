"""What starts the program at login: a systemd unit, a launchd agent, a Windows start-up entry."""

import plistlib
from collections.abc import Sequence
from pathlib import Path

from realtime_bokeh.errors import UsageError

UNIT = "realtime-bokeh.service"

# ":" before the program keeps "$" in paths as it is. Older than 254, systemd passes over the two
# lines about steps, with a word in its log, and waits RestartSec each time.
_UNIT = """\
# Written by: realtime-bokeh service install
[Unit]
Description=Realtime Bokeh, a webcam with a blurred background
# a camera may be plugged in at any time: it is tried again for ever
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={command}
# no folder of the same name in the home folder takes the program's place
Environment=PYTHONSAFEPATH=1
SyslogIdentifier=realtime-bokeh
Restart=on-failure
RestartSec=5
RestartSteps=5
RestartMaxDelaySec=60
# systemd ends it by SIGTERM; this is its status when that comes before the first frame
SuccessExitStatus=130

[Install]
WantedBy=default.target
"""


def systemd_unit(command: Sequence[str]) -> str:
    """A user unit that runs a command at login, and again after a failure.

    Raises:
        UsageError: when the program's path has a character that systemd allows in arguments alone.
    """
    program, *arguments = command
    if not program.isprintable() or set(program) & set("\\\"'"):
        raise UsageError(
            f"systemd runs no program that has a quote or a backslash in its path ({program}); "
            "install realtime-bokeh in another folder"
        )
    words = [_systemd_word(f":{program}"), *map(_systemd_word, arguments)]
    return _UNIT.format(command=" ".join(words))


def _systemd_word(text: str) -> str:
    """A word of ExecStart in quotes: escaped as in C, and with %% for %, which means specifiers."""
    for character, escaped in (("\\", r"\\"), ('"', r"\""), ("\n", r"\n"), ("%", "%%")):
        text = text.replace(character, escaped)
    return f'"{text}"'


def launchd_agent(command: Sequence[str], home: Path) -> str:
    """What to do on macOS, with the agent's text.

    Args:
        home: the user's folder.
    """
    agent = {
        "Label": "realtime-bokeh",
        "ProgramArguments": list(command),
        "EnvironmentVariables": {"PYTHONSAFEPATH": "1"},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 30,  # seconds from one start to the next
        "StandardErrorPath": str(home / "Library" / "Logs" / "realtime-bokeh.log"),
    }
    path = "~/Library/LaunchAgents/realtime-bokeh.plist"
    return (
        f"Untested: nobody has tried this on macOS yet. Nothing was written.\n"
        f"Put this into {path}:\n\n"
        f"{plistlib.dumps(agent, sort_keys=False).decode()}\n"
        f"Start it:  launchctl bootstrap gui/$(id -u) {path}\n"
        f"Remove it: launchctl bootout gui/$(id -u)/realtime-bokeh, then delete the file\n"
    )


def windows_entry(command: Sequence[str]) -> str:
    """What to do on Windows, with the start-up entry's text."""
    # quotes keep & and ^ in paths as they are, not %; no path there has a quote
    words = " ".join(f'"{word}"'.replace("%", "%%") for word in command)
    return (
        "Untested: nobody has tried this on Windows yet. Nothing was written.\n"
        "Press Win+R, enter shell:startup, and put this into a file realtime-bokeh.cmd there:\n\n"
        f'@start "Realtime Bokeh" /min {words}\n\n'
        "It starts at the next login, in a minimized window. To remove it, delete the file.\n"
    )
