"""How old a picture is when a program gets it: the camera draws the time into its pictures.

The kernel's test camera cannot draw it. A second virtual camera stands for the camera, and is sent
pictures with a time code. What is measured begins when such a picture is drawn, so that it includes
both drivers, and ends when a program has read it from the first virtual camera.
"""

import json
import threading
import time
import zlib

import numpy as np
from guest import (
    FPS,
    HEIGHT,
    OPTIONS,
    PATIENCE,
    SECOND_CAMERA,
    VIRTUAL_CAMERA,
    WIDTH,
    Picture,
    Program,
    read_pictures,
    say,
    wait_for_stream,
)

from realtime_bokeh.frame import Frame
from realtime_bokeh.sinks.virtual_camera import VirtualCamera
from realtime_bokeh.sizes import Size

ROWS, COLUMNS = 5, 8  # of the code: squares, so large that they stay legible where it is blurred
MEASURED = 60  # pictures
SANE = 60  # seconds: nothing says how slow an emulated machine may be, but it ends


def drawn(milliseconds: int) -> Picture:
    """A picture with a time below 2^24 in it, uint8 [height, width], 32 or 223 in every pixel."""
    code = milliseconds << 16 | check(milliseconds)
    bits = np.array([code >> place & 1 for place in range(ROWS * COLUMNS)], np.uint8)
    squares = (32 + 191 * bits.reshape(ROWS, COLUMNS)).astype(np.uint8)
    return np.kron(squares, np.ones((HEIGHT // ROWS, WIDTH // COLUMNS), np.uint8))


def read(picture: Picture) -> int | None:
    """The time in a picture, in milliseconds; None where there is none that fits its check."""
    tall, wide = HEIGHT // ROWS, WIDTH // COLUMNS
    squares = picture.reshape(ROWS, tall, COLUMNS, wide)
    middles = squares[:, tall // 3 : -(tall // 3), :, wide // 3 : -(wide // 3)].mean((1, 3))
    bits = (middles > 128).ravel()
    code = sum(1 << place for place in range(ROWS * COLUMNS) if bits[place])
    milliseconds = code >> 16
    return milliseconds if code & 0xFFFF == check(milliseconds) else None


def check(milliseconds: int) -> int:
    """16 bits by which a time that was misread is known."""
    return zlib.crc32(milliseconds.to_bytes(4, "little")) & 0xFFFF


def now() -> int:
    return int(1000 * time.monotonic())


class Camera:
    """Sends pictures with the time, on a thread, for as long as the context lasts."""

    def __init__(self) -> None:
        self._device = VirtualCamera(Size(HEIGHT, WIDTH), FPS, SECOND_CAMERA)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ends.wait(1 / FPS):
            image = np.repeat(drawn(now())[..., None], 3, axis=2)
            self._device.write(Frame(image, 0, 0.0))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        self._device.close(complete=True)


assert read(drawn(123456)) == 123456
with Camera(), Program(SECOND_CAMERA, *OPTIONS, "--virtual-camera", VIRTUAL_CAMERA) as program:
    wait_for_stream(program.process)
    times: list[int] = []  # when the pictures were drawn, in milliseconds
    ages: list[int] = []  # of the pictures, in milliseconds, when they were read
    others = 0  # pictures since the first with a code that have none
    for picture in read_pictures(VIRTUAL_CAMERA):
        came, drawn_at = now(), read(picture)
        if drawn_at is None:
            others += bool(times)
        elif not times or drawn_at != times[-1]:
            times.append(drawn_at)
            ages.append(came - drawn_at)
        if len(times) == MEASURED:
            break
    assert len(times) == MEASURED, f"{len(times)} pictures with a time within {PATIENCE} s"
    p50, p99 = (round(float(np.percentile(ages, share))) for share in (50, 99))
    seconds = (times[-1] - times[0]) / 1000
    figures = {
        "size": f"{WIDTH}x{HEIGHT}", "pictures": MEASURED, "without_code": others,
        "camera_fps": FPS, "shown_fps": round((MEASURED - 1) / seconds, 2),
        "latency_ms": {"p50": p50, "p99": p99},
    }  # fmt: skip
    say(f"from the camera to a program, emulated: {json.dumps(figures)}")
    assert times == sorted(times), "pictures came out of their order"
    assert min(ages) > 0, "a picture was shown before it was drawn"
    assert max(ages) < 1000 * SANE, f"a picture was {max(ages)} ms old"
    program.end()
