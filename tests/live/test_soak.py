"""A live run of the whole program holds: memory, threads, files and latency stay as they are.

LONG=1 makes it half an hour instead of two minutes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.demo import images
from tests import clips
from tests.live.soak import ROUNDS, Round
from tests.program import started

SECONDS = 1800 if os.environ.get("LONG") else 120


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Round]:
    """What the rounds ended with, but for the first: it warms up."""
    clip = tmp_path_factory.mktemp("soak") / "in.mp4"
    clips.make(clip, [index / 24 for index in range(96)], images(Size(480, 640), 96))
    line = [sys.executable, "-m", "tests.live.soak", str(clip), str(SECONDS)]
    root = Path(__file__).parents[2]
    with started(line, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, errors = process.communicate()
    assert process.returncode == 0, errors
    found = [Round(**json.loads(line)) for line in out.splitlines()]
    for each in found:
        print(each)
    assert len(found) >= ROUNDS
    return found[1:]


def _ends(rounds: Sequence[Round], value: Callable[[Round], float]) -> tuple[float, float]:
    """The medians of the first third and of the last."""
    third = len(rounds) // 3
    first, last = (median(map(value, part)) for part in (rounds[:third], rounds[-third:]))
    return first, last


def test_pictures_come_to_the_end(rounds: Sequence[Round]) -> None:
    frames = [each.frames for each in rounds]
    assert all(after > before for before, after in pairwise(frames))


def test_memory_stays(rounds: Sequence[Round]) -> None:
    first, last = _ends(rounds, lambda each: each.allocated)
    assert last <= 1.02 * first
    glibc = first > 0  # which alone tells, keeps one heap, and gives back what is freed when asked
    first, last = _ends(rounds, lambda each: each.resident)
    assert last <= (1.02 if glibc else 1.25) * first


def test_no_thread_and_no_file_is_left(rounds: Sequence[Round]) -> None:
    assert rounds[-1].threads == rounds[0].threads
    first, last = _ends(rounds, lambda each: each.native)
    assert last <= first + 2  # libraries start and end some
    first, last = _ends(rounds, lambda each: each.files)
    assert last <= first


def test_pictures_do_not_get_older(rounds: Sequence[Round]) -> None:
    """Latency follows the effect's time, however busy the computer is, and does not add up."""
    before, after = _ends(rounds, lambda each: each.effect)
    first, last = _ends(rounds, lambda each: each.latency)
    assert last <= 2 * max(1.0, after / before) * first + 0.1
    # the latest pictures are those of an exchange of models, as late as other programs let them be
    before, after = _ends(rounds, lambda each: each.effect_p99)
    first, last = _ends(rounds, lambda each: each.p99)
    assert last <= 2 * max(1.0, after / before) * first + 0.1
