from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import camera
from realtime_bokeh.sources.camera import Camera


@pytest.mark.parametrize("name", ["71", "/dev/video71", "usb-No_Such_Camera-video-index0"])
def test_a_camera_that_is_not_there(name: str) -> None:
    with pytest.raises(UsageError, match=r"There is no camera .*71|There is no camera 'usb-No_S"):
        Camera(name)


def test_a_file_is_no_camera(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("x")
    with pytest.raises(UsageError, match="is not a camera; for a video file use"):
        Camera(str(path))
    with pytest.raises(UsageError, match="is not a camera"):
        Camera(str(tmp_path))


def test_a_device_that_is_no_camera() -> None:
    with pytest.raises(SourceError, match="Camera /dev/null gives no frames"):
        Camera("/dev/null")


class _Driver:
    """Stands in for OpenCV's driver: the only part that needs the hardware."""

    def __init__(self, frames: int) -> None:
        self.left = frames
        self.asked: list[int] = []
        self.released = False

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, what: int, value: float) -> bool:
        self.asked.append(what)
        return True

    def get(self, what: int) -> float:
        return 0.0

    def read(self) -> tuple[bool, Any]:
        self.left -= 1
        return (True, np.zeros((480, 640, 3), np.uint8)) if self.left >= 0 else (False, None)

    def release(self) -> None:
        self.released = True


def _open(monkeypatch: pytest.MonkeyPatch, frames: int) -> tuple[Camera, _Driver]:
    driver = _Driver(frames)
    monkeypatch.setattr(camera, "_PATIENCE", 0.05)
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: driver)
    return Camera("/dev/null"), driver


def test_what_is_granted_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    source, driver = _open(monkeypatch, frames=3)
    assert source.size == Size(480, 640)  # 720x1280 was asked for
    assert source.fps == 30.0  # the driver does not say
    # the pixel format must be asked for before the size
    order = [cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_FRAME_WIDTH]
    assert [what for what in driver.asked if what in order] == order
    frames = [source.read() for _ in range(3)]
    assert [f.index for f in frames if f is not None] == [0, 1, 2]
    source.close()
    assert driver.released


def test_a_lost_camera_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    source, _ = _open(monkeypatch, frames=1)
    source.read()
    with pytest.raises(SourceError, match="gives no frames"):
        source.read()


def test_linux_devices_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, label, index, real in (
        ("video10", "Loopback", "0", False),
        ("video2", "Webcam", "0", True),
        ("video3", "Webcam", "1", True),  # metadata of the same webcam
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(label + "\n")
        (tmp_path / name / "index").write_text(index + "\n")
        if real:
            (tmp_path / name / "device").mkdir()
    monkeypatch.setattr(camera, "_SYSFS", tmp_path)
    assert camera.linux_cameras() == {"/dev/video2": "Webcam"}
    assert camera.linux_loopbacks() == {"/dev/video10": "Loopback"}
    with pytest.raises(UsageError, match=r"at hand: /dev/video2 \(Webcam\)"):
        Camera("71")
