import ctypes
import os
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from realtime_bokeh.app import process
from tests.program import ENVIRONMENT


def _output(program: str) -> str:
    """What a Python program prints, in a process of its own, whose state it may change."""
    line = [sys.executable, "-c", program]
    done = subprocess.run(line, capture_output=True, text=True, env=ENVIRONMENT, check=True)
    return done.stdout


@pytest.mark.parametrize(
    ("cores", "allowed", "threads"),
    [(1, 1, 1), (2, 4, 2), (4, 8, 2), (16, 32, 8), (16, 3, 2), (None, 8, 4)],
)
@pytest.mark.skipif(sys.platform != "linux", reason="Linux says what is allowed")
def test_live_use_leaves_half_of_the_cores(
    cores: int | None, allowed: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda logical: cores)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(allowed)))
    assert process.threads_with_room() == threads


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such numbers")
def test_other_programs_go_first() -> None:
    program = (
        "import os, threading\n"
        "from realtime_bokeh.app.process import give_way\n"
        "before = os.nice(0)\n"
        "give_way()\n"
        "seen = []\n"
        "thread = threading.Thread(target=lambda: seen.append(os.nice(0)))\n"
        "thread.start(); thread.join()\n"
        "print(before, *seen)"
    )
    before, after = map(int, _output(program).split())
    assert after == min(before + 10, 19)


def test_on_windows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 0x4000, raising=False)
    monkeypatch.setattr(psutil, "Process", lambda: SimpleNamespace(nice=asked.append))
    process.give_way()
    assert asked == [0x4000]


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_info"),
    reason="it is glibc that has several",
)
@pytest.mark.parametrize(("kept", "expected"), [(True, 1), (False, 5)])
def test_threads_share_one_heap(kept: bool, expected: int) -> None:
    program = (
        "import ctypes, threading\n"
        "from realtime_bokeh.app.process import keep_one_heap\n"
        f"{'keep_one_heap()' if kept else ''}\n"
        "meet = threading.Barrier(5)\n"
        "def use(): held = bytearray(10_000); meet.wait(); meet.wait()\n"
        "for _ in range(4): threading.Thread(target=use).start()\n"
        "meet.wait()\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, 'stdout'))\n"
        "libc.fflush(None)\n"
        "meet.wait()"
    )
    assert _output(program).count("<heap ") == expected
