"""The examples in Python, run as a person would run them."""

import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_bokeh.frame import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


def _run(monkeypatch: pytest.MonkeyPatch, example: str, *arguments: object) -> int:
    """Run an example; gives its exit status, with a text given to `sys.exit` on standard error."""
    path = str(EXAMPLES / example)
    monkeypatch.setattr(sys, "argv", [path, *map(str, arguments)])
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    return 0


@pytest.fixture
def photo(tmp_path: Path, portrait: Image) -> Path:
    path = tmp_path / "in.jpg"
    assert cv2.imwrite(str(path), portrait)
    return path


def test_a_photo_is_blurred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, photo: Path) -> None:
    assert _run(monkeypatch, "photo.py", photo, tmp_path / "out.png") == 0
    before, after = cv2.imread(str(photo)), cv2.imread(str(tmp_path / "out.png"))
    assert before is not None
    assert after is not None
    assert before.shape == after.shape
    assert 20 < cv2.PSNR(before, after) < 40


@pytest.mark.parametrize(
    ("source", "target", "says"),
    [
        (None, None, "required: IN.jpg, OUT.jpg"),
        ("in.jpg", None, "required: OUT.jpg"),
        ("nowhere.jpg", "out.jpg", "nowhere.jpg is missing or not a picture"),
        ("in.jpg", "out.txt", "out.txt is no name of a picture"),
        ("in.jpg", "out", "out is no name of a picture"),
    ],
)
def test_mistakes_with_a_photo_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    photo: Path, source: str | None, target: str | None, says: str,
) -> None:  # fmt: skip
    names = [name for name in (source, target) if name is not None]
    assert _run(monkeypatch, "photo.py", *(tmp_path / name for name in names)) == 2
    assert says in capsys.readouterr().err.splitlines()[-1]


def test_a_photo_that_cannot_be_written_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    photo: Path,
) -> None:  # fmt: skip
    target = tmp_path / "nowhere" / "out.jpg"
    assert _run(monkeypatch, "photo.py", photo, target) == 1
    assert capsys.readouterr().err == f"{target} cannot be written (No such file or directory)\n"


class Capture:
    """A camera that gives the same picture a number of times."""

    def __init__(self, image: Image, frames: int) -> None:
        self.released = False
        self._left = [image] * frames

    def read(self) -> tuple[bool, Image | None]:
        return (True, self._left.pop()) if self._left else (False, None)

    def release(self) -> None:
        self.released = True


def _fake_opencv(monkeypatch: pytest.MonkeyPatch, capture: Capture, keys: str) -> list[Image]:
    """Stand in for camera, window and keyboard; gives the list of what the window shows."""
    shown: list[Image] = []
    pressed = iter(map(ord, keys))
    monkeypatch.setattr(cv2, "VideoCapture", lambda index: capture)
    monkeypatch.setattr(cv2, "imshow", lambda title, image: shown.append(image))
    monkeypatch.setattr(cv2, "waitKey", lambda milliseconds: next(pressed))
    return shown


def test_the_loop_follows_its_keys(monkeypatch: pytest.MonkeyPatch, portrait: Image) -> None:
    capture = Capture(portrait, frames=20)
    shown = _fake_opencv(monkeypatch, capture, "-" * 11 + "\x1b")
    assert _run(monkeypatch, "own_loop.py") == 0
    assert len(shown) == 12
    assert cv2.PSNR(shown[0], portrait) < 40
    np.testing.assert_allclose(shown[-1], portrait.astype(int), atol=2)  # strength 0
    assert capture.released


def test_a_camera_that_ends_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], portrait: Image
) -> None:
    capture = Capture(portrait, frames=2)
    _fake_opencv(monkeypatch, capture, "xx")
    assert _run(monkeypatch, "own_loop.py", 7) == 1
    assert capsys.readouterr().err == "The camera gives no frames\n"
    assert capture.released


@pytest.mark.parametrize("arguments", [("front",), (0, 1)])
def test_mistakes_with_the_loop_are_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[object]
) -> None:
    assert _run(monkeypatch, "own_loop.py", *arguments) == 2
    assert str(arguments[-1]) in capsys.readouterr().err.splitlines()[-1]
