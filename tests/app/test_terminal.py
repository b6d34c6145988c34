"""Keys from a terminal, and what the terminal is like afterwards."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_a_program_whose_input_is_no_terminal_hears_no_keys(tmp_path: Path) -> None:
    with started(
        _LINE, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(b"q")
        process.stdin.close()
        assert process.stderr is not None
        assert b"built-in scene" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
