"""What the tests inside the machine share: the program, pictures read from a camera, and checks."""

import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]  # [height, width], luma

CAMERA = "/dev/video0"  # vivid, the kernel's test camera
VIRTUAL_CAMERA = "/dev/video10"  # v4l2loopback
CARD_LABEL = "Bokeh_Camera"  # its name; see init
SECOND_CAMERA = "/dev/video11"  # another
OPEN_CAMERA = "/dev/video12"  # one without exclusive_caps
SCRATCH = Path("/dev/shm")  # the machine's one writable place

WIDTH, HEIGHT, FPS = 320, 180, 5  # the kernel's camera draws its pictures on emulated processors
# The network runs at a tiny size: emulated, it would otherwise take ten seconds for a picture.
EFFECT = ["--model", "lite", "--inference-size", "64x48", "--no-adapt"]
OPTIONS = [*f"--size {WIDTH}x{HEIGHT} --fps {FPS}".split(), *EFFECT]

# coloured bars that move to the left, and a clock: of squares the network may hold all in focus
PATTERN = "--set-ctrl=test_pattern=1,horizontal_movement=1,osd_text_mode=1"
# The kernel's camera anew; its file is in the first file system, which the first process keeps.
LOAD_CAMERA = [
    "insmod", "/proc/1/root/modules/vivid.ko", "n_devs=1", "node_types=0x1", "num_inputs=1",
]  # fmt: skip
BY_PATH = Path("/dev/v4l/by-path/platform-vivid.0-video-index0")

PATIENCE = 600  # seconds for any one step; emulated, most take fifty times as long
PROMPTLY = 20  # seconds from Ctrl-C to the program's end
WANTED = 5  # different pictures that a test wants to see
ALIKE = 0.5  # likeness above which a picture shows the camera's scene
SHARP = 0.5  # of the camera's sharpness, from which on a picture is the camera's own
BANDS = 6  # of a picture, one above another
CARD, SCENE, RAW, OTHER = "card", "rendered scene", "the camera's own picture", "something else"
CARD_LUMA = 48  # of a card's background


def say(message: str) -> None:
    print(f"[{time.monotonic():6.1f} s] {message}")  # the clock starts when the machine boots


class Program:
    """realtime-bokeh with a camera and options, from its start on; killed with the context's end.

    It runs as root who keeps to files' permissions, so that they can be withdrawn.
    """

    def __init__(self, camera: str, *options: str) -> None:
        self._log = SCRATCH / "program.log"
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        with self._log.open("wb") as words:
            self.process = subprocess.Popen(
                [*command, os.environ["PROGRAM"], "--camera", camera, *options], stderr=words
            )

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        say("the program's own words:\n" + self.words()[-3000:])

    def words(self) -> str:
        return self._log.read_text()

    def end(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it with a signal; its exit status must be 0."""
        self.process.send_signal(number)
        asked = time.monotonic()
        status = self.process.wait(PROMPTLY)
        say(f"{number.name}: exit status {status} after {time.monotonic() - asked:.1f} s")
        assert status == 0, f"the program ended with status {status}"


@contextmanager
def program(camera: Picture) -> Iterator[None]:
    """Start realtime-bokeh, wait until it shows the camera's scene, then end it with Ctrl-C."""
    with Program(CAMERA, *OPTIONS) as running:
        say(f"the virtual camera streams {wait_for_stream(running.process)}")
        shown = any(likeness(picture, camera) > ALIKE for picture in read_pictures(VIRTUAL_CAMERA))
        assert shown, f"the virtual camera did not show the camera's scene within {PATIENCE} s"
        say("the camera's scene appeared")
        yield
        running.end()


def kernel_camera() -> str:
    """The path of the kernel's camera, whatever number it has."""
    names = Path("/sys/class/video4linux").glob("video*/name")
    (found,) = [f"/dev/{name.parent.name}" for name in names if "vivid" in name.read_text()]
    return found


def link_camera() -> None:
    """Link to the kernel's camera by its place, as udev would, which this machine does not have."""
    BY_PATH.parent.mkdir(parents=True, exist_ok=True)
    BY_PATH.unlink(missing_ok=True)
    BY_PATH.symlink_to(kernel_camera())


def camera_is_open() -> bool:
    """Whether a program has the kernel's camera open."""
    device = kernel_camera()
    return any(os.path.realpath(file) == device for file in Path("/proc").glob("[0-9]*/fd/*"))


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
    """One picture from the camera as it is: coloured bars that move to the left, and a clock.

    To be called before the program starts, because a camera has one user at a time.
    """
    layout = f"--set-fmt-video=width={WIDTH},height={HEIGHT},pixelformat=YUYV"
    control(layout, PATTERN)
    picture = next(read_pictures(CAMERA))
    say(f"the camera itself: sharpness {sharpness(picture):.0f}")
    return picture


class Watching(Protocol):
    """A program that watches the virtual camera."""

    def pictures(self) -> Iterator[Picture]: ...

    def kill(self) -> None: ...


class Stream:
    """v4l2-ctl, which watches a device from now on."""

    def __init__(self, device: str) -> None:
        control = ["v4l2-ctl", "-d", device]
        told = subprocess.run([*control, "-V"], check=True, capture_output=True, text=True).stdout
        layout = re.search(
            r"Width/Height *: (\d+)/(\d+).*'(....)'.*Size Image *: (\d+)", told, re.DOTALL
        )
        assert layout, told
        self._width, self._height, self._size = (int(layout[group]) for group in (1, 2, 4))
        pixels = self._width * self._height
        self._luma = {"YUYV": slice(None, None, 2), "YU12": slice(pixels)}[layout[3]]
        self._process = subprocess.Popen(
            [*control, "--stream-mmap", "--stream-to=-"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def pictures(self) -> Iterator[Picture]:
        """The pictures as they come, until it is killed."""
        assert self._process.stdout
        while len(data := self._process.stdout.read(self._size)) == self._size:
            luma = np.frombuffer(data, np.uint8)[self._luma]
            yield luma.reshape(self._height, self._width)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def read_pictures(device: str) -> Iterator[Picture]:
    """A device's pictures as v4l2-ctl gives them, for as long as patience lasts."""
    stream = Stream(device)
    impatient = threading.Timer(PATIENCE, stream.kill)
    impatient.start()
    try:
        yield from stream.pictures()
    finally:
        impatient.cancel()
        stream.kill()


def check(pictures: Iterable[Picture], camera: Picture) -> None:
    """Want several different pictures that show what the camera sees, only blurred.

    Pictures of something else, such as a card shown while there is nothing new, are passed over.
    """
    seen: list[Picture] = []
    for number, picture in enumerate(pictures, 1):
        assert picture.shape == camera.shape, f"pictures are {picture.shape}"
        match, sharp = likeness(picture, camera), sharp_share(picture, camera)
        moved = not seen or float(np.abs(picture - seen[-1].astype(float)).mean()) > 1
        if match > ALIKE and moved:
            seen.append(picture)
            say(f"picture {number}: likeness {match:.2f}, sharpness {sharp:.3f} of the camera's")
            assert sharp < SHARP, "the picture is as sharp as the camera's: no effect"
            if len(seen) == WANTED:
                return
    raise AssertionError(f"{len(seen)} different pictures of the camera's scene, not {WANTED}")


def kind(picture: Picture, camera: Picture) -> str:
    """What a picture of the virtual camera shows."""
    # the text on a card covers little of it
    if (np.abs(picture - float(CARD_LUMA)) < 4).mean() > 0.7:
        return CARD
    if likeness(picture, camera) <= ALIKE:
        return OTHER
    return RAW if sharp_share(picture, camera) >= SHARP else SCENE


class Recorder:
    """A program that watches the virtual camera, and what it saw; killed with the context's end.

    What is neither a card nor a rendered scene must not have been seen.

    Args:
        camera: one of the camera's own pictures.
        stream: the program; v4l2-ctl if None.
    """

    def __init__(self, camera: Picture, stream: Watching | None = None) -> None:
        self._seen: list[tuple[float, str]] = []  # when each picture came, and its kind
        self._camera = camera
        self._stream = stream or Stream(VIRTUAL_CAMERA)
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        latest: Picture | None = None
        try:
            for picture in self._stream.pictures():
                came, shown = time.monotonic(), kind(picture, self._camera)
                # a scene that is repeated does not move
                if shown != SCENE or latest is None or not np.array_equal(picture, latest):
                    self._seen.append((came, shown))
                latest = picture
            self._error = EOFError("no pictures come any more")
        except Exception as error:
            self._error = error

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.kill()
        self._thread.join()
        counts = Counter(shown for _, shown in self._seen)
        say(f"a program that watched saw {dict(counts)}")
        assert not counts[RAW] + counts[OTHER], self._seen

    def wait(self, shown: str, since: float, times: int = 1) -> float:
        """Wait for pictures of a kind.

        Returns:
            The seconds from `since`, of the monotonic clock, to the last of that many.
        """
        came: list[float] = []

        def enough() -> bool:
            assert self._error is None, f"the recorder failed: {self._error!r}"
            came[:] = [at for at, what in self._seen[:] if what == shown and at > since]
            return len(came) >= times

        until(enough, f"{times} times {shown}")
        return came[times - 1] - since

    def moves(self, since: float | None = None) -> float:
        """Wait for three different pictures of the scene, from now on unless told; as `wait`."""
        return self.wait(SCENE, time.monotonic() if since is None else since, 3)


def until(holds: Callable[[], bool], what: str) -> float:
    """Wait until something holds; gives the seconds that it took."""
    begin = time.monotonic()
    while not holds():
        assert time.monotonic() - begin < PATIENCE, f"not within {PATIENCE} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - begin


def control(*arguments: str, device: str = CAMERA) -> None:
    """Have v4l2-ctl do something to a device."""
    subprocess.run(["v4l2-ctl", "-d", device, *arguments], check=True, timeout=PATIENCE)


def sharpness(picture: Picture) -> float:
    """The energy of the Laplacian."""
    p = picture.astype(float)
    edges = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:] - 4 * p[1:-1, 1:-1]
    return float((edges**2).mean())


def sharp_share(picture: Picture, camera: Picture) -> float:
    """The sharpness of a picture against the camera's, in the band where it is least.

    The effect keeps the middle as it is, in focus, but never everything.
    """
    bands = zip(np.array_split(picture, BANDS), np.array_split(camera, BANDS), strict=True)
    return min(sharpness(one) / sharpness(other) for one, other in bands)


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
