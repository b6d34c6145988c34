"""The camera's light: the kernel's camera is open while a program watches the virtual camera, and
not else. The camera comes late, to a program that was told to wait for it."""

import os
import subprocess
import time

from guest import (
    BY_PATH,
    CARD,
    LOAD_CAMERA,
    OPTIONS,
    PATTERN,
    VIRTUAL_CAMERA,
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

SLACK = 6  # seconds: the machine is slow
ON, OFF = 1.5, 10  # seconds until the camera is on and off
LOOKS = 6  # times that a program looks in, every 3 seconds


def stays(on: bool, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert camera_is_open() == on, f"the camera is {'off' if on else 'on'}"
        time.sleep(0.3)


camera = record_camera()
subprocess.run(["rmmod", "vivid"], check=True)
with Program(str(BY_PATH), *OPTIONS, "--wait") as program:
    say(f"without a camera, the virtual camera streams {wait_for_stream(program.process)}")
    with Recorder(camera) as watching:
        watching.wait(CARD, time.monotonic())
        until(
            lambda: "There is no camera" in program.words(), "the program says that none is there"
        )
        say("a card is shown, and the program waits")
        subprocess.run([*LOAD_CAMERA, "input_types=0"], check=True)
        control(PATTERN, device=kernel_camera())
        link_camera()
        say(f"the camera came: its scene moves after {watching.moves():.1f} s")
    for round_ in range(2):
        took = until(lambda: not camera_is_open(), "the camera is off")
        say(f"round {round_}: nobody watches, and the camera is off after {took:.1f} s")
        assert took < OFF + SLACK
        stays(False, 5)
        for _ in range(LOOKS):
            os.close(os.open(VIRTUAL_CAMERA, os.O_RDWR))
            stays(False, 3)
        say("a program that looks in every 3 s does not switch it on")
        began = time.monotonic()
        with Recorder(camera) as watching:
            took = until(camera_is_open, "the camera is on")
            say(f"somebody watches: the camera is on after {took:.1f} s")
            assert took < ON + SLACK
            say(f"the scene moves {watching.moves(began):.1f} s after that program's start")
            stays(True, 15)
    program.end()
