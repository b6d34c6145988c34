"""Keys from a terminal, and what the terminal is like afterwards."""

import os
import signal
import sys
from pathlib import Path

import pytest

from realtime_bokeh.app.terminal import keys
from tests.program import PROGRAM, started

if sys.platform == "win32":
    pytest.skip("terminals are others there", allow_module_level=True)

import termios

# a program that makes the terminal its own, as a shell in a new window does
_OWN = (
    "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
_LINE = [*PROGRAM, "--camera", "demo", "--output", "none", "--size", "64x48"]


def _read_until(master: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        seen += os.read(master, 65536)
    return seen


@pytest.mark.skipif(sys.platform != "linux", reason="terminals are taken in other ways there")
def test_keys_do_what_they_say_and_leave_the_terminal_as_it_was(tmp_path: Path) -> None:
    master, slave = os.openpty()
    before = termios.tcgetattr(slave)
    with started(
        [sys.executable, "-c", _OWN, *_LINE], cwd=tmp_path,
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    ) as process:  # fmt: skip
        _read_until(master, b"| output")  # it listens now
        for key, words in ((b"?", b"keys: +"), (b"-", b"strength 0.95"), (b"b", b"blank on")):
            os.write(master, key)
            _read_until(master, words)
        process.send_signal(signal.SIGUSR1)  # blank, too: off again
        os.write(master, b"q")
        assert process.wait() == 0
    assert termios.tcgetattr(slave) == before
    os.close(slave)
    os.close(master)


def test_an_input_that_is_no_terminal_has_no_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").write_text("q")
    with (tmp_path / "in").open() as given:
        monkeypatch.setattr(sys, "stdin", given)
        with keys() as typed:
            assert typed() == ""


def test_a_terminal_of_another_session_has_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    os.write(master, b"q")
    with os.fdopen(slave) as given:
        monkeypatch.setattr(sys, "stdin", given)
        with keys() as typed:
            assert typed() == ""
    os.close(master)
