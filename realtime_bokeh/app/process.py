"""This process among others: what it leaves them, and how it gives way."""

import ctypes
import os
import sys
from contextlib import suppress

import psutil

_NICER = 10  # of 19
_ARENA_MAX = -8  # M_ARENA_MAX in malloc.h


def threads_with_room() -> int:
    """How many threads live use takes: half of the cores, since the call's own encoder runs too,
    and two where there are two, which the larger models need to keep up."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if sys.platform == "linux":  # a container, or taskset, may allow fewer
        cores = min(cores, len(os.sched_getaffinity(0)))
    return max(min(2, cores), cores // 2)


def give_way() -> None:
    """Let other programs go first where all want the processor; before threads are started, since
    those that run keep their own priority on Linux."""
    process = psutil.Process()
    if sys.platform == "win32":
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        process.nice(min(process.nice() + _NICER, 19))


def keep_one_heap() -> None:
    """Let threads that are started from now on share one heap, where the C library is glibc.

    It gives nearly every thread one of its own, up to eight for each core. An engine that is
    closed leaves holes in those of whichever threads compiled and ran it, which the next engine's
    threads do not fill, and so memory would grow with every exchange of the model.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library, which has no such heaps
            ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
