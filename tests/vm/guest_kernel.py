"""The virtual camera without the network: rate, colours, choice, and programs that watch."""

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import pyvirtualcam
from guest import CARD_LABEL, OPEN_CAMERA, SECOND_CAMERA, VIRTUAL_CAMERA, say

from realtime_bokeh.errors import BokehError
from realtime_bokeh.frame import Frame, Image
from realtime_bokeh.sinks.loopback import check
from realtime_bokeh.sinks.virtual_camera import VirtualCamera
from realtime_bokeh.sizes import Size

SIZE = Size(480, 640)
EXACT = 3  # of 255: what a colour may change on its way
# blue, green, red; the full range, and what only one of BT.601 and BT.709 shows right
COLOURS = [
    (255, 255, 255), (0, 255, 255), (255, 255, 0), (0, 255, 0), (255, 0, 255), (0, 0, 255),
    (255, 0, 0), (0, 0, 0), (128, 128, 128), (60, 90, 200),
]  # fmt: skip


def bars() -> Image:
    """Upright bars, each 64 pixels wide."""
    row = np.repeat(np.array(COLOURS, np.uint8), SIZE.width // len(COLOURS), axis=0)
    return np.ascontiguousarray(np.broadcast_to(row, (*SIZE, 3)))


class Sender:
    """Sends one image again and again, and notes how long a write took at most.

    slowest: in seconds, since it was last set to 0.
    """

    def __init__(self, camera: VirtualCamera, image: Image) -> None:
        self._camera, self._frame = camera, Frame(image, 0, 0.0)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.slowest, self.sent = 0.0, 0
        self._thread.start()

    def _run(self) -> None:
        while not self._ends.wait(0.04):
            begin = time.monotonic()
            self._camera.write(self._frame)
            self.slowest = max(self.slowest, time.monotonic() - begin)
            self.sent += 1

    def end(self) -> None:
        self._ends.set()
        self._thread.join()
        self._camera.close(complete=True)


@contextmanager
def sending(fps: float = 30, device: str | None = None) -> Iterator[Sender]:
    sender = Sender(VirtualCamera(SIZE, fps, device), bars())
    try:
        while not sender.sent:
            time.sleep(0.05)
        yield sender
    finally:
        sender.end()


def control(*arguments: str, device: str = VIRTUAL_CAMERA) -> str:
    line = ["v4l2-ctl", "-d", device, *arguments]
    return subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout


def viewer(device: str = VIRTUAL_CAMERA) -> "subprocess.Popen[bytes] | None":
    """A program that has got a picture and watches until it is killed; None if it is turned away.

    0.12 may turn away one that begins while another does, which may begin again.
    """
    line = ["v4l2-ctl", "-d", device, "--stream-mmap", "--stream-to=/dev/null"]
    said = b""
    for _ in range(3):
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert process.stderr
        said = process.stderr.read(1)
        if said == b"<":  # its sign for a picture
            return process
        said += process.stderr.read()
        process.wait()
    say(f"nobody can watch {device}: {said.decode().strip()}")
    return None


def two_viewers() -> "list[subprocess.Popen[bytes]]":
    """Those of two programs that are let in, when they have watched for two seconds.

    0.12 may turn one away after its first pictures too; then both begin again.
    """
    watching: list[subprocess.Popen[bytes]] = []
    for _ in range(3):
        watching = [one for one in (viewer(), viewer()) if one]
        time.sleep(2)
        if all(one.poll() is None for one in watching):
            break
        for one in watching:
            end(one)
    return watching


def check_rates() -> None:
    for fps in (25, 50, 60, 29.97):
        with sending(fps):
            told = control("--get-parm")
        rate = re.search(r"Frames per second: ([\d.]+)", told)
        assert rate, told
        say(f"sent with {fps} fps: programs are told {rate[1]}")
        assert abs(float(rate[1]) - fps) < 0.01


def compare(who: str, image: Image) -> None:
    """Compare the middles of the bars."""
    width = SIZE.width // len(COLOURS)
    seen = [
        image[SIZE.height // 2, width * n + width // 2].astype(int) for n in range(len(COLOURS))
    ]
    off = int(np.abs(np.array(seen) - COLOURS).max())
    say(f"{who}: colours are off by {off} of 255 at most")
    assert off <= EXACT, [list(map(int, colour)) for colour in seen]


def exact_bgr(planes: Image) -> Image:
    """What I420 in BT.601 and limited range shows, by the standard's formula."""
    height, width = SIZE
    chroma = planes[height:].reshape(2, height // 2, width // 2).repeat(2, 1).repeat(2, 2) - 128.0
    y = (planes[:height] - 16.0) * 255 / 219
    u, v = chroma * 255 / 224
    image = [y + 1.772 * u, y - 0.344136 * u - 0.714136 * v, y + 1.402 * v]
    return np.asarray(np.clip(np.stack(image, -1), 0, 255).round())


def check_colours() -> None:
    height, width = SIZE
    with sending():
        told = control("-V")
        say("the format: " + re.sub(r"\s+", " ", told))
        assert "Limited" in told, told
        assert "601" in told, told
        line = ["v4l2-ctl", "-d", VIRTUAL_CAMERA, "--stream-mmap", "--stream-count=1"]
        raw = subprocess.run([*line, "--stream-to=-"], check=True, capture_output=True, timeout=60)
        planes = np.frombuffer(raw.stdout, np.uint8)[: height * width * 3 // 2]
        compare("v4l2 and the formula", exact_bgr(planes.reshape(-1, width)))
        capture = cv2.VideoCapture(VIRTUAL_CAMERA, cv2.CAP_V4L2)
        ok, image = capture.read()
        capture.release()
        assert ok
        compare("OpenCV", image)
        if shutil.which("ffmpeg"):
            line = ["ffmpeg", "-v", "error", "-f", "v4l2", "-i", VIRTUAL_CAMERA, "-frames:v", "1"]
            done = subprocess.run(
                [*line, "-f", "rawvideo", "-pix_fmt", "bgr24", "-"],
                check=True, capture_output=True, timeout=200, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            compare("ffmpeg", np.frombuffer(done.stdout, np.uint8).reshape(*SIZE, 3))


def check_choice() -> None:
    for name, path in (
        (None, VIRTUAL_CAMERA), (CARD_LABEL, VIRTUAL_CAMERA), ("Second_Camera", SECOND_CAMERA),
        (SECOND_CAMERA, SECOND_CAMERA),
    ):  # fmt: skip
        with sending(device=name):
            state = control("--get-fmt-video", device=path)
            assert "YU12" in state, state
    with sending():  # the first is taken: the next one that is free
        assert check(None) == (SECOND_CAMERA, True)
        refused("another program sends pictures to " + VIRTUAL_CAMERA, VIRTUAL_CAMERA)
    refused("There is no virtual camera 'Third'; at hand: /dev/video10 (Bokeh_Camera)", "Third")
    assert check(OPEN_CAMERA) == (OPEN_CAMERA, False), "exclusive_caps was not found missing"
    say("cameras are chosen by path and label")


def refused(words: str, device: str, size: Size = SIZE) -> None:
    said = ""
    try:
        VirtualCamera(size, 30, device).close(complete=True)
    except BokehError as error:
        said = str(error)
    say(said)
    assert words in said, f"not refused in these words: {words}"


def check_other_writers() -> None:
    """Programs that end without a word to the driver, after which 0.12 takes no pictures."""
    for round_ in range(2):
        other = pyvirtualcam.Camera(SIZE.width, SIZE.height, 30, device=SECOND_CAMERA)
        other.send(bars())
        other.close()
        with sending(device=SECOND_CAMERA):
            pass
        say(f"round {round_}: pictures can be sent after another program did")


def check_viewers_that_go() -> None:
    with sending() as sender:
        for round_ in range(3):
            watching = two_viewers()
            say(f"{len(watching)} of two programs watch at once")  # 0.14 and later let in one
            assert watching
            assert all(one.poll() is None for one in watching), "one that watched was turned away"
            sender.slowest = 0
            before = sender.sent
            for one in watching:
                end(one)
            time.sleep(2)
            say(f"round {round_}: {sender.sent - before} pictures, slowest {sender.slowest:.3f} s")
            assert sender.sent > before + 5, "writing stopped with those who watched"
        last = viewer()
        assert last, "nobody can watch any more"
    # it goes on waiting for pictures; the next run takes the camera over from there
    with sending():
        refused("another program sends", VIRTUAL_CAMERA)
        time.sleep(1)
    end(last)
    with sending():
        last = viewer()
        assert last
    refused("is held at 640x480 by a program that watches it", VIRTUAL_CAMERA, Size(360, 480))
    end(last)
    VirtualCamera(Size(360, 480), 30, VIRTUAL_CAMERA).close(complete=True)
    say("another size can be sent when nobody watches")


def end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


check_rates()
check_colours()
check_choice()
check_other_writers()
check_viewers_that_go()
