"""This process among others: what it leaves them, and how it gives way."""

import os
import sys

import psutil

_NICER = 10  # of 19


def threads_with_room() -> int:
    """How many threads live use takes: half of the cores, since the call's own encoder runs too."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if sys.platform == "linux":  # a container, or taskset, may allow fewer
        cores = min(cores, len(os.sched_getaffinity(0)))
    return max(1, cores // 2)


def give_way() -> None:
    """Let other programs go first where all want the processor; before threads are started, since
    those that run keep their own priority on Linux."""
    process = psutil.Process()
    if sys.platform == "win32":
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        process.nice(min(process.nice() + _NICER, 19))
