"""What the tests inside the machine share: the program, pictures read from a camera, and checks."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]  # [height, width], luma

CAMERA = "/dev/video0"  # vivid, the kernel's test camera
VIRTUAL_CAMERA = "/dev/video10"  # v4l2loopback
CARD_LABEL = "Bokeh_Camera"  # its name; see init
SECOND_CAMERA = "/dev/video11"  # another
OPEN_CAMERA = "/dev/video12"  # one without exclusive_caps
SCRATCH = Path("/dev/shm")  # the machine's one writable place

WIDTH, HEIGHT = 640, 480
# The network runs at a tiny size: emulated, it would otherwise take ten seconds for a picture.
OPTIONS = (
    f"--camera {CAMERA} --size {WIDTH}x{HEIGHT} --model lite --inference-size 64x48 --no-adapt"
).split()

PATIENCE = 240  # seconds for any one step; emulated, most take fifty times as long
PROMPTLY = 20  # seconds from Ctrl-C to the program's end
WANTED = 5  # different pictures that a test wants to see
ALIKE = 0.5  # likeness above which a picture shows the camera's scene


def say(message: str) -> None:
    print(f"[{time.monotonic():6.1f} s] {message}")  # the clock starts when the machine boots


@contextmanager
def program(camera: Picture) -> Iterator[None]:
    """Start realtime-bokeh, wait until it shows the camera's scene, then end it with Ctrl-C.

    Its exit status must be 0.
    """
    log = SCRATCH / "program.log"
    with log.open("wb") as words:
        process = subprocess.Popen([os.environ["PROGRAM"], *OPTIONS], stderr=words)
    try:
        say(f"the virtual camera streams {wait_for_stream(process)}")
        shown = any(likeness(picture, camera) > ALIKE for picture in read_pictures(VIRTUAL_CAMERA))
        assert shown, f"the virtual camera did not show the camera's scene within {PATIENCE} s"
        say("the camera's scene appeared")
        yield
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        status = process.wait(PROMPTLY)
        say(f"Ctrl-C: exit status {status} after {time.monotonic() - asked:.1f} s")
        assert status == 0, f"the program ended with status {status}"
    finally:
        process.kill()
        say("the program's own words:\n" + log.read_text()[-3000:])


def wait_for_stream(process: subprocess.Popen[bytes]) -> str:
    """The virtual camera's format, such as YU12:640x480@30, once the program sends to it."""
    format_ = Path("/sys/class/video4linux") / Path(VIRTUAL_CAMERA).name / "format"
    deadline = time.monotonic() + PATIENCE
    while not (streams := format_.read_text().strip()):
        assert process.poll() is None, f"the program ended early with status {process.returncode}"
        assert time.monotonic() < deadline, f"nothing streamed within {PATIENCE} s"
        time.sleep(0.2)
    return streams


def record_camera() -> Picture:
    """One picture from the camera as it is: coloured squares that move to the left, and a clock.

    To be called before the program starts, because a camera has one user at a time.
    """
    layout = f"--set-fmt-video=width={WIDTH},height={HEIGHT},pixelformat=YUYV"
    controls = "--set-ctrl=test_pattern=4,horizontal_movement=1,osd_text_mode=1"
    subprocess.run(["v4l2-ctl", "-d", CAMERA, layout, controls], check=True)
    picture = next(read_pictures(CAMERA))
    say(f"the camera itself: sharpness {sharpness(picture):.0f}")
    return picture


def read_pictures(device: str) -> Iterator[Picture]:
    """A device's pictures as v4l2-ctl gives them, for as long as patience lasts."""
    control = ["v4l2-ctl", "-d", device]
    told = subprocess.run([*control, "-V"], check=True, capture_output=True, text=True).stdout
    layout = re.search(
        r"Width/Height *: (\d+)/(\d+).*'(....)'.*Size Image *: (\d+)", told, re.DOTALL
    )
    assert layout, told
    width, height, size = (int(layout[group]) for group in (1, 2, 4))
    luma = {"YUYV": slice(None, None, 2), "YU12": slice(width * height)}[layout[3]]
    command = ["timeout", str(PATIENCE), *control, "--stream-mmap", "--stream-to=-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as stream:
        assert stream.stdout
        try:
            while len(data := stream.stdout.read(size)) == size:
                yield np.frombuffer(data, np.uint8)[luma].reshape(height, width)
        finally:
            stream.terminate()


def check(pictures: Iterable[Picture], camera: Picture) -> None:
    """Want several different pictures that show what the camera sees, only blurred.

    Pictures of something else, such as a card shown while there is nothing new, are passed over.
    """
    seen: list[Picture] = []
    for number, picture in enumerate(pictures, 1):
        assert picture.shape == camera.shape, f"pictures are {picture.shape}"
        match, sharp = likeness(picture, camera), sharpness(picture) / sharpness(camera)
        moved = not seen or float(np.abs(picture - seen[-1].astype(float)).mean()) > 1
        if match > ALIKE and moved:
            seen.append(picture)
            say(f"picture {number}: likeness {match:.2f}, sharpness {sharp:.3f} of the camera's")
            assert sharp < 0.5, "the picture is as sharp as the camera's: no effect"
            if len(seen) == WANTED:
                return
    raise AssertionError(f"{len(seen)} different pictures of the camera's scene, not {WANTED}")


def sharpness(picture: Picture) -> float:
    """The energy of the Laplacian."""
    p = picture.astype(float)
    edges = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:] - 4 * p[1:-1, 1:-1]
    return float((edges**2).mean())


def likeness(picture: Picture, camera: Picture) -> float:
    """The correlation of two pictures, coarsely, wherever the camera's pattern has moved to."""

    def coarse(fine: Picture) -> npt.NDArray[np.float64]:
        height, width = fine.shape
        blocks = fine.reshape(height // 10, 10, width // 10, 10).mean((1, 3))
        blocks -= blocks.mean()
        return np.asarray(blocks / (np.linalg.norm(blocks) + 1e-9))

    one, other = coarse(picture), coarse(camera)
    assert one.shape == other.shape, f"pictures are {picture.shape}, not {camera.shape}"
    return max(float((one * np.roll(other, by, 1)).sum()) for by in range(other.shape[1]))
