"""Keys from the terminal that the program was started in."""

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

if sys.platform == "win32":
    import msvcrt
else:
    import termios
    import tty


@contextmanager
def keys() -> Iterator[Callable[[], str]]:
    """What is typed, key by key and unseen; gives the function to call for what came since.

    Nothing ever comes where standard input is no terminal, or belongs to another program that runs
    in the foreground.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        yield lambda: ""
    elif sys.platform == "win32":
        yield _windows_keys
    else:
        terminal = sys.stdin.fileno()
        if not _in_foreground(terminal):
            yield lambda: ""
            return
        before = termios.tcgetattr(terminal)
        tty.setcbreak(terminal, termios.TCSANOW)  # Ctrl-C stays what it is
        try:
            yield lambda: _typed(terminal)
        finally:
            with suppress(termios.error):  # its window was closed
                termios.tcsetattr(terminal, termios.TCSANOW, before)


def _in_foreground(terminal: int) -> bool:
    """Whether what is typed is for this program: to read would stop one that was started with &."""
    try:
        return os.getpgrp() == os.tcgetpgrp(terminal)
    except OSError:  # a terminal, but not that of this session
        return False


def _typed(terminal: int) -> str:
    try:
        if not select.select([terminal], [], [], 0)[0]:
            return ""
        return os.read(terminal, 64).decode("ascii", "ignore")
    except OSError:  # the terminal's window was closed: the run goes on or ends by its signal
        return ""


def _windows_keys() -> str:
    typed = ""
    if sys.platform == "win32":
        while msvcrt.kbhit():
            typed += msvcrt.getwch()
    return typed
