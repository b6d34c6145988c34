"""What becomes of a run whose camera, viewers or own process fail: a program that watches all the
time sees cards and rendered pictures, never the camera's own, and pictures that move come back."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable

from guest import (
    BY_PATH,
    CAMERA,
    CARD,
    OPTIONS,
    PATTERN,
    Picture,
    Program,
    Recorder,
    camera_is_open,
    control,
    kernel_camera,
    link_camera,
    record_camera,
    say,
    until,
    wait_for_stream,
)

DRIVER = "/sys/bus/platform/drivers/vivid"
SLACK = 15  # seconds on top of the one in which a card comes: the machine is slow
NO_FRAMES = "the camera gives no pictures|gives no frames"


class Run:
    """The program, and a program that watches."""

    def __init__(self, program: Program, recorder: Recorder) -> None:
        self._program, self.recorder = program, recorder

    def says(self, words: str, since: int) -> None:
        """Wait until the program says something, a pattern, after its first so many letters."""
        until(lambda: bool(re.search(words, self._program.words()[since:])), words)

    def fault(
        self, what: str, begin: Callable[[], object], end: Callable[[], object], words: str
    ) -> None:
        """Something fails, the program says so in words and on a card, and all is well again once
        it is mended."""
        said = len(self._program.words())
        begin()
        since = time.monotonic()
        self.says(words, said)
        named = time.monotonic()
        took = named - since + self.recorder.wait(CARD, named)
        say(f"{what}: a card after {took:.1f} s")
        assert took < 1 + SLACK
        mended = time.monotonic()
        end()
        self.recorder.moves()
        took = time.monotonic() - mended
        say(f"{what}: the picture moves again {took:.1f} s after it was mended")

    def blank(self) -> None:
        """Blank the picture, or show it again."""
        self._program.process.send_signal(signal.SIGUSR1)

    def blanked(self) -> None:
        """Blank the picture, and wait until the camera is released."""
        self.blank()
        until(lambda: not camera_is_open(), "the camera is released")


def change(setting: str) -> Callable[[], None]:
    return lambda: control(f"--set-ctrl={setting}", device=kernel_camera())


def nothing() -> None:
    pass


def check_driver(run: Run) -> None:
    drop = "percentage_of_dropped_buffers"
    run.fault("no frames", change(f"{drop}=100"), change(f"{drop}=0"), NO_FRAMES)
    still = change("horizontal_movement=3,osd_text_mode=2")
    moving = change("horizontal_movement=1,osd_text_mode=1")
    run.fault("one picture again and again", still, moving, "repeats one picture")
    # until the last program closes it: then it is connected again
    run.fault("disconnected", change("disconnect=1"), nothing, NO_FRAMES)


def check_another_number(run: Run) -> None:
    """The driver goes, and comes back when the camera's old number is still in use."""
    keeps = os.open(CAMERA, os.O_RDWR)

    def unbind() -> None:
        with open(f"{DRIVER}/unbind", "w") as file:
            file.write("vivid.0")
        BY_PATH.unlink()

    def bind() -> None:
        with open(f"{DRIVER}/bind", "w") as file:
            file.write("vivid.0")
        os.close(keeps)
        assert kernel_camera() != CAMERA
        control(PATTERN, device=kernel_camera())
        link_camera()

    run.fault("gone, then with another number", unbind, bind, f"There is no camera|{NO_FRAMES}")


def check_permission(run: Run) -> None:
    device = kernel_camera()

    def forbid() -> None:
        os.chmod(device, 0)
        change("disconnect=1")()

    run.fault("not allowed", forbid, lambda: os.chmod(device, 0o660), "may not be opened")


def check_taken(run: Run) -> None:
    """Another program takes the camera while the picture is blanked."""
    run.blanked()
    line = ["v4l2-ctl", "-d", kernel_camera(), "--stream-mmap", "--stream-to=/dev/null"]
    with subprocess.Popen(line, stderr=subprocess.DEVNULL) as other:
        until(camera_is_open, "another program has the camera")
        run.fault("taken by another program", run.blank, other.kill, "gives no frames")


def check_viewers(run: Run, camera: Picture) -> None:
    with Recorder(camera) as other:
        other.moves()
        run.recorder.moves()
        say("two programs watch")
    run.recorder.moves()
    say("one of them was killed; the other goes on")


camera = record_camera()
link_camera()
with Program(CAMERA, *OPTIONS) as program:
    wait_for_stream(program.process)
    with Recorder(camera) as recorder:
        recorder.moves()
        say("the picture moves")
        run = Run(program, recorder)
        check_driver(run)
        check_another_number(run)
        check_permission(run)
        check_taken(run)
        check_viewers(run, camera)
        program.process.kill()
        program.process.wait()
        with Program(str(BY_PATH), *OPTIONS) as again:
            recorder.wait(CARD, time.monotonic())  # the new one's; of the old one pictures are left
            say(f"killed and started again: the picture moves after {recorder.moves():.1f} s")
            again.end(signal.SIGTERM)
