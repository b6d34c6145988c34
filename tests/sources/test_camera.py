from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import camera
from realtime_bokeh.sources.camera import Camera
from tests import clips
from tests.fakes import CameraDriver


@pytest.mark.parametrize("name", ["71", "/dev/video71", "usb-No_Such_Camera-video-index0"])
def test_a_camera_that_is_not_there(name: str) -> None:
    with pytest.raises(UsageError, match=r"There is no camera .*71|There is no camera 'usb-No_S"):
        Camera(name)


def test_a_file_is_no_camera(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("x")
    with pytest.raises(UsageError, match="is not a camera; give an index"):
        Camera(str(path))
    with pytest.raises(UsageError, match="is not a camera"):
        Camera(str(tmp_path))


def test_a_device_that_is_no_camera() -> None:
    with pytest.raises(SourceError, match="Camera /dev/null gives no frames"):
        Camera("/dev/null")


def test_the_name_by_which_a_camera_is_found_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    by_id, by_path = tmp_path / "by-id", tmp_path / "by-path"
    monkeypatch.setattr(camera, "_BY_ID", by_id)
    monkeypatch.setattr(camera, "_BY_PATH", by_path)
    device = tmp_path / "video7"
    device.touch()
    assert camera.stable_name(str(device)) == str(device)
    by_path.mkdir()
    place = by_path / "platform-soc-video-index0"
    place.symlink_to(device)
    assert camera.stable_name(str(device)) == str(place)
    by_id.mkdir()
    (by_id / "usb-Another-video-index0").symlink_to(tmp_path / "video8")
    name = by_id / "usb-Webcam-video-index0"
    name.symlink_to(device)
    assert camera.stable_name(str(device)) == str(name)
    name.unlink()  # as while it is unplugged
    assert camera.stable_name(str(name)) == str(name)


def _open(monkeypatch: pytest.MonkeyPatch, frames: int) -> tuple[Camera, CameraDriver]:
    driver = CameraDriver(*[np.zeros((480, 640, 3), np.uint8)] * frames)
    monkeypatch.setattr(camera, "_PATIENCE", 0.05)
    return Camera(driver.plug_in(monkeypatch)), driver


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


def test_a_camera_that_is_not_there_comes_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera, "linux_cameras", lambda: {"/dev/video2": "Webcam"})
    with pytest.raises(UsageError, match=r"at hand: /dev/video2 \(Webcam\)"):
        Camera("71")


@pytest.mark.parametrize("listed", [True, False])
def test_a_camera_that_linux_lists_is_noisy(monkeypatch: pytest.MonkeyPatch, listed: bool) -> None:
    monkeypatch.setattr(camera, "linux_cameras", lambda: {"/dev/null": "Webcam"} if listed else {})
    source, _ = _open(monkeypatch, frames=1)
    assert source.noisy is listed


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 4)])
def test_gray_cameras_and_transparent_ones_give_colours(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    source = Camera(CameraDriver(np.full(shape, 99, np.uint8)).plug_in(monkeypatch))
    frame = source.read()
    assert frame is not None
    np.testing.assert_array_equal(frame.image, clips.solid((99, 99, 99)))


def test_a_size_of_one_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Camera(CameraDriver(np.zeros((1, 1, 3), np.uint8)).plug_in(monkeypatch))
    assert source.size == Size(1, 1)


def test_what_is_no_image_is_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "_PATIENCE", 0.05)
    images: list[Image] = [np.zeros((48, 64, 2), np.uint8), np.zeros((48, 64), np.uint16)]
    with pytest.raises(SourceError, match="gives no frames"):
        Camera(CameraDriver(*images).plug_in(monkeypatch))
