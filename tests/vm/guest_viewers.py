"""Who watches the virtual camera, told by the kernel and by /proc: a program that stays, one that
looks in every 3 seconds, and none."""

import subprocess
import time
from collections.abc import Callable

import numpy as np
from guest import VIRTUAL_CAMERA, say

from realtime_bokeh.frame import Frame
from realtime_bokeh.sinks.viewers import Demand, Viewers
from realtime_bokeh.sinks.virtual_camera import VirtualCamera
from realtime_bokeh.sizes import Size

SIZE = Size(480, 640)
SLACK = 3  # seconds: the machine is slow
LOOKS_IN = ["v4l2-ctl", "-d", VIRTUAL_CAMERA, "--all"]
STAYS = ["v4l2-ctl", "-d", VIRTUAL_CAMERA, "--stream-mmap", "--stream-to=/dev/null"]


def run(line: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Watch:
    """Sends pictures and asks ten times a second whether they are wanted."""

    def __init__(self) -> None:
        self._camera = VirtualCamera(SIZE, 30)
        self._frame = Frame(np.zeros((*SIZE, 3), np.uint8), 0, 0.0)
        self.viewers = Viewers(self._camera.name)
        self._demand = Demand(self.viewers.watched)
        self.slowest = 0.0  # answer, in seconds

    def follow(self, seconds: float, until: Callable[[bool], bool] = lambda wanted: False) -> float:
        """Ask for some time, or until an answer.

        Returns:
            The seconds that passed.
        """
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            self._camera.write(self._frame)
            asked = time.monotonic()
            wanted = self._demand.wanted()
            self.slowest = max(self.slowest, time.monotonic() - asked)
            if until(wanted):
                break
            time.sleep(0.1)
        return time.monotonic() - begin

    def end(self) -> None:
        self.viewers.close()
        self._camera.close(complete=True)


def never(wanted: bool) -> bool:
    assert not wanted, "frames are wanted, and nobody stays to watch"
    return False


watch = Watch()
say(f"who watches is told by {type(watch.viewers._news).__name__}")
watch.follow(5, never)
say("none: no frames are wanted")

for _ in range(3):
    looking = run(LOOKS_IN)
    watch.follow(3, never)
    assert looking.wait(60) == 0
say("a program that looks in every 3 s: no frames are wanted")

for round_ in range(2):
    staying = run(STAYS)
    took = watch.follow(60, lambda wanted: wanted)
    say(f"a program that stays: frames are wanted after {took:.1f} s")
    assert took < 1.5 + SLACK

    def stays(wanted: bool) -> bool:
        assert wanted, "frames are not wanted, though somebody watches"
        return False

    watch.follow(10, stays)
    (staying.kill if round_ else staying.terminate)()
    staying.wait()
    took = watch.follow(60, lambda wanted: not wanted)
    say(f"it went: frames are not wanted after {took:.1f} s")
    assert 6.5 < took < 9 + SLACK
say(f"the slowest answer took {1000 * watch.slowest:.1f} ms")
watch.end()
