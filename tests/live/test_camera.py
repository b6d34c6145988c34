"""Cameras that are lost, blocked, stuck or changed, with a clock that the tests move."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.frame import Frame, Image, Source
from realtime_bokeh.live import camera
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.sizes import Size


class Device:
    """A camera and its driver.

    present: whether it can be opened. broken: reading fails. flows: cleared, reading hangs for
    those who have opened it since it was set here. noisy: it has a sensor. stuck: it repeats one
    picture. held: by how many it is open.
    """

    def __init__(self, size: Size = Size(4, 6)) -> None:
        self.size = size
        self.present, self.broken, self.noisy, self.stuck = True, False, False, False
        self.flows = threading.Event()
        self.flows.set()
        self.opened = 0
        self.held = 0
        self.number = 0

    def open(self) -> Source:
        if not self.present:
            raise UsageError("There is no camera 7")
        self.opened += 1
        self.held += 1
        return _Opened(self)


class _Opened(Source):
    live = True
    fps = 25.0

    def __init__(self, device: Device) -> None:
        self.size, self.noisy = device.size, device.noisy
        self._device, self._flows = device, device.flows

    def describe(self) -> str:
        return "camera 7"

    def read(self) -> Frame | None:
        device = self._device
        assert self._flows.wait(60)
        time.sleep(0.001)
        if device.broken or not device.present:
            raise SourceError("Camera 7 gives no frames")
        if not device.stuck:
            device.number += 1
        return Frame(np.full((*device.size, 3), device.number % 256, np.uint8), 0, 0.0)

    def close(self) -> None:
        self._device.held -= 1


class Clock:
    """Seconds that pass when a test says so, or a little at every look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self.step = 100.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(camera, "_PAUSES", (0.001,))
    monkeypatch.setattr(camera, "_LOOK", 0.001)
    monkeypatch.setattr(camera, "_CLOSING", 60)
    yield
    for thread in threading.enumerate():
        if thread.name == camera.READER:
            thread.join(60)
            assert not thread.is_alive()


def _image(watched: WatchedCamera) -> Image:
    frame = watched.read()
    assert frame is not None
    return frame.image


def _until(watched: WatchedCamera, found: Callable[[], bool]) -> None:
    while not found():
        _image(watched)


def test_frames_are_numbered_through_and_the_camera_is_closed_at_the_end() -> None:
    device = Device()
    watched = WatchedCamera(device.open)
    frames = [watched.read() for _ in range(5)]
    watched.close()
    assert [frame.index for frame in frames if frame] == [0, 1, 2, 3, 4]
    assert watched.read() is None
    assert (watched.size, watched.fps, watched.describe()) == (Size(4, 6), 25, "camera 7")
    assert (device.opened, device.held) == (1, 0)


@pytest.mark.parametrize("fault", ["broken", "unplugged"])
def test_a_camera_that_fails_is_opened_again(fault: str) -> None:
    device = Device()
    watched = WatchedCamera(device.open)
    _image(watched)
    seen: list[str] = []

    def mend() -> None:
        while not watched.trouble:
            time.sleep(0.001)
        seen.append(watched.trouble)
        device.broken, device.present = False, True

    mender = threading.Thread(target=mend)
    mender.start()
    if fault == "broken":
        device.broken = True
    else:
        device.present = False
    _until(watched, lambda: device.opened == 2)
    mender.join()
    assert seen[0] in ("Camera 7 gives no frames", "There is no camera 7")
    assert watched.trouble == ""
    watched.close()
    assert device.held == 0


def test_a_driver_that_blocks_is_left_alone_and_the_camera_opened_again() -> None:
    device, clock = Device(), Clock()
    watched = WatchedCamera(device.open, clock=clock)
    _image(watched)
    first, device.flows = device.flows, threading.Event()
    first.clear()
    troubles: list[str] = []

    def pass_time() -> None:
        while device.opened < 2:
            clock.now += 0.2
            time.sleep(0.001)
            troubles.append(watched.trouble)
        device.flows.set()

    timer = threading.Thread(target=pass_time)
    timer.start()
    _until(watched, lambda: device.opened == 2)
    timer.join()
    assert "the camera gives no pictures" in troubles
    assert watched.trouble == ""
    assert device.held >= 1  # the driver still has the first
    first.set()
    watched.close()


def test_half_a_second_without_a_frame_is_no_loss() -> None:
    device, clock = Device(), Clock()
    watched = WatchedCamera(device.open, clock=clock)
    _image(watched)
    clock.now += 0.5
    _image(watched)
    watched.close()
    assert device.opened == 1


@pytest.mark.parametrize("noisy", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_a_picture_that_stays_is_a_fault_of_a_sensor_once(noisy: bool, late: bool) -> None:
    device, clock = Device(), Clock(step=0.05)
    device.noisy, device.present = noisy, not late
    watched = WatchedCamera(device.open, wait=True, clock=clock)
    device.present = True
    _image(watched)
    device.stuck = True
    for _ in range(200):
        _image(watched)
    assert device.opened == (2 if noisy else 1)  # after that it is a cover before the lens
    device.stuck = False
    for _ in range(3):
        _image(watched)
    device.stuck = True
    for _ in range(200):
        _image(watched)
    assert device.opened == (3 if noisy else 1)
    watched.close()


def test_a_clock_that_jumps_does_no_harm() -> None:
    device, clock = Device(), Clock()
    device.noisy = True
    watched = WatchedCamera(device.open, clock=clock)
    for jump in (3600.0, -7200.0, 1e6):
        _image(watched)
        clock.now += jump
        _image(watched)
        assert watched.trouble == ""
    watched.close()


def test_a_camera_that_blocks_after_the_computer_slept_is_missed() -> None:
    device, clock = Device(), Clock()
    watched = WatchedCamera(device.open, clock=clock)
    _image(watched)
    clock.now += 3600.0
    _image(watched)
    asleep, device.flows = device.flows, threading.Event()
    asleep.clear()
    device.flows.set()
    woken, clock.step = clock.now, 0.5
    _until(watched, lambda: device.opened == 2)
    assert clock.now - woken < 60
    asleep.set()
    watched.close()


def test_a_run_begins_without_its_camera_only_if_it_shall_wait() -> None:
    device = Device()
    device.present = False
    with pytest.raises(UsageError, match="no camera 7"):
        WatchedCamera(device.open)
    watched = WatchedCamera(device.open, wait=True, size=Size(9, 16), fps=24)
    assert (watched.size, watched.fps) == (Size(9, 16), 24)
    assert watched.trouble == "There is no camera 7"
    device.present = True
    assert _image(watched).shape == (4, 6, 3)
    assert watched.given == Size(4, 6)
    assert watched.size == Size(9, 16)  # the outputs have it already
    watched.close()


def test_the_camera_is_closed_while_nobody_wants_it_but_not_at_once() -> None:
    device, clock = Device(), Clock()
    watched = WatchedCamera(device.open, clock=clock)
    _image(watched)
    watched.want(False)
    clock.now += 1
    _image(watched)
    assert watched.open
    clock.now += 1.5
    reader = threading.Thread(target=watched.read)
    reader.start()
    while watched.open or device.held:
        time.sleep(0.001)
    watched.want(True)
    reader.join(60)
    assert watched.open
    assert device.opened == 2
    assert watched.trouble == ""
    watched.close()


def test_another_camera_takes_over() -> None:
    device, other = Device(), Device(Size(8, 8))
    watched = WatchedCamera(device.open)
    _image(watched)
    watched.use(other.open)
    assert _image(watched).shape == (8, 8, 3)
    watched.close()
    assert other.held == 0


def test_the_end_comes_while_it_waits() -> None:
    device = Device()
    device.present = False
    watched = WatchedCamera(device.open, wait=True)
    reader = threading.Thread(target=watched.read)
    reader.start()
    watched.cancel()
    reader.join(60)
    assert not reader.is_alive()
