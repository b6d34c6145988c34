"""The example for phones, compiled and run; it needs a C++ compiler and LiteRT's library."""

import importlib.util
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_bokeh.frame import Image
from realtime_bokeh.recompose import Recomposer, shrink
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import demo
from realtime_bokeh.weights import find

SIZE = Size(360, 640)
SMALL = Size(144, 256)
FRAMES = 12
MODEL = Path(__file__).parents[2] / "engines" / "lite-256x144-int8.tflite"

found = importlib.util.find_spec("ai_edge_litert")
pytestmark = pytest.mark.skipif(
    found is None or shutil.which("g++") is None, reason="needs ai-edge-litert and g++"
)


@pytest.fixture(scope="module")
def bokeh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled by the line that its README gives."""
    assert found is not None
    assert found.submodule_search_locations is not None
    library = found.submodule_search_locations[0]
    program = tmp_path_factory.mktemp("phone") / "bokeh"
    source = Path(__file__).parents[2] / "examples" / "phone" / "bokeh.cpp"
    command = ["g++", "-std=c++17", "-O3", "-Wall", "-Wextra", "-Werror", str(source)]
    command += [f"-L{library}", "-lLiteRt", f"-Wl,-rpath,{library}", "-o", str(program)]
    subprocess.run(command, check=True)
    return program


def _frames() -> list[Image]:
    return demo.images(SIZE, FRAMES)


def _video(frames: list[Image], header: str = "C420jpeg XCOLORRANGE=LIMITED") -> bytes:
    height, width = frames[0].shape[:2]
    video = f"YUV4MPEG2 W{width} H{height} F30:1 {header}\n".encode()
    for frame in frames:  # OpenCV's I420 is BT.601 of limited range, as the program takes it here
        video += b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes()
    return video


def _pictures(video: bytes) -> list[Image]:
    height, width = SIZE
    length = height * width * 3 // 2
    body = video[video.index(b"\n") + 1 :]
    assert len(body) == FRAMES * (length + 6)
    planes = [
        np.frombuffer(body[at + 6 : at + 6 + length], np.uint8).reshape(height * 3 // 2, width)
        for at in range(0, len(body), length + 6)
    ]
    return [cv2.cvtColor(plane, cv2.COLOR_YUV2BGR_I420) for plane in planes]


def _run(program: Path, video: bytes, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, input=video, capture_output=True, timeout=120)


def test_it_renders_what_python_does(bokeh: Path) -> None:
    from realtime_bokeh.export.litert import Interpreter

    frames = _frames()
    video = _video(frames)
    outcome = _run(bokeh, video, MODEL)
    assert outcome.returncode == 0, outcome.stderr
    assert f"{FRAMES} frames".encode() in outcome.stderr
    assert len(outcome.stderr.splitlines()) <= 2  # LiteRT says which delegate it made, no more
    model, recompose = Interpreter(MODEL.read_bytes()), Recomposer()
    state = np.zeros((1, *SMALL, 8), np.float32)
    controls = np.array([1, 0.5], np.float32)
    for frame, shown in zip(_pictures(video), _pictures(outcome.stdout), strict=True):
        small = np.ascontiguousarray(shrink(frame, SMALL, find("lite").finer)[None, :, :, ::-1])
        outputs = model({"small": small, "state": state, "controls": controls})
        state = outputs["next_state"]
        rendering = outputs["bokeh"][0, :, :, ::-1]
        expected = recompose(frame, rendering, outputs["focus"][0, :, :, 0], SMALL)
        assert cv2.PSNR(shown, expected) > 42  # both round, one of them in 4:2:0
        assert cv2.PSNR(shown, frame) < 32


@pytest.mark.parametrize(
    ("size", "header"),
    [
        ((360, 640), "C420jpeg"), ((720, 1280), "XCOLORRANGE=FULL"), ((361, 641), "C420mpeg2"),
        ((90, 160), "F25:1 Ip"), ((17, 31), "A1:1"),
    ],
)  # fmt: skip
def test_without_strength_it_changes_nothing(
    bokeh: Path, size: tuple[int, int], header: str
) -> None:
    height, width = size
    length = height * width + 2 * ((height + 1) // 2) * ((width + 1) // 2)
    planes = np.random.default_rng(0).integers(0, 256, (2, length), np.uint8)
    video = f"YUV4MPEG2 W{width} H{height} {header}\n".encode()
    video += b"".join(b"FRAME Ip\n" + plane.tobytes() for plane in planes)
    outcome = _run(bokeh, video, MODEL, 0)
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout == video


def test_a_full_disk_is_said_at_once(bokeh: Path) -> None:
    with open("/dev/full", "wb") as full:
        outcome = subprocess.run(
            [str(bokeh), str(MODEL)], input=_video(_frames()), stdout=full, stderr=subprocess.PIPE
        )
    assert outcome.returncode == 1
    assert b"cannot write the output: No space left" in outcome.stderr


@pytest.mark.parametrize(
    ("change", "arguments", "status", "says"),
    [
        (lambda v: v[:-1000], [MODEL], 1, "ends within frame 12"),
        (lambda v: v.replace(b"FRAME", b"FLAME"), [MODEL], 1, "damaged"),
        (lambda v: v[: v.index(b"FRAME")], [MODEL], 2, "no frames"),
        (lambda v: b"RIFF" + v, [MODEL], 2, "no YUV4MPEG2"),
        (lambda v: v.replace(b"C420jpeg", b"C444"), [MODEL], 2, "not 4:2:0"),
        (lambda v: v.replace(b"C420jpeg", b"C420p10"), [MODEL], 2, "not 4:2:0 of 8 bits"),
        (lambda v: v.replace(b"W640", b"W0"), [MODEL], 2, "no size"),
        (lambda v: v.replace(b"W640", b"W640x"), [MODEL], 2, "no size"),
        (lambda v: v.replace(b"W640 H360", b"W360 H640"), [MODEL], 2, "of another shape"),
        (lambda v: v + b"\n", [MODEL], 1, "damaged after frame 12"),
        (lambda v: b"", [MODEL], 2, "no YUV4MPEG2"),
        (lambda v: v, [], 2, "usage"),
        (lambda v: v, [MODEL, "strong"], 2, "from 0 to 1"),
        (lambda v: v, ["nowhere.tflite"], 1, "read nowhere.tflite"),
        (lambda v: v, [__file__], 1, "LiteRT cannot"),
    ],
)
def test_mistakes_are_said(
    bokeh: Path, change: Callable[[bytes], bytes], arguments: list[object], status: int, says: str
) -> None:
    outcome = _run(bokeh, change(_video(_frames())), *arguments)
    assert outcome.returncode == status
    assert says in outcome.stderr.decode().splitlines()[-1]
