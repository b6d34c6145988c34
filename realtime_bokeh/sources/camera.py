"""A camera through OpenCV."""

import errno
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.frame import Frame, Image, Source
from realtime_bokeh.sizes import Size
from realtime_bokeh.video4linux import at_hand, linux_cameras

_BY_ID, _BY_PATH = Path("/dev/v4l/by-id"), Path("/dev/v4l/by-path")
_PATIENCE = 5.0  # seconds without a frame after which the camera counts as lost
DEFAULT_SIZE = Size(720, 1280)  # asked for, if nothing else is


def find_camera(name: str) -> int | str:
    """What OpenCV opens for an index, a path or a by-id name.

    Raises:
        UsageError: when there is no such camera.
    """
    if name.isdecimal():
        index = int(name)
        if sys.platform == "linux" and not Path(f"/dev/video{index}").exists():
            raise UsageError(f"There is no camera {index}; {_at_hand()}")
        return index
    path = Path(name)
    if not path.is_absolute() and (_BY_ID / name).exists():
        path = _BY_ID / name
    if not path.exists():
        raise UsageError(f"There is no camera {name!r}; {_at_hand()}")
    if not path.is_char_device():
        raise UsageError(f"{path} is not a camera; give an index, a /dev path or a video file")
    return str(path)


def _path(name: str) -> str:
    return f"/dev/video{name}" if name.isdecimal() else name


def stable_name(name: str) -> str:
    """The name by which a camera is found after it was unplugged and numbered anew.

    That is its link in /dev/v4l/by-id; where it has none, being built in, the one in
    /dev/v4l/by-path, which names its place; else what was given.
    """
    device = os.path.realpath(_path(name))
    links = [link for folder in (_BY_ID, _BY_PATH) for link in sorted(folder.glob("*"))]
    return next((str(link) for link in links if os.path.realpath(link) == device), name)


def _at_hand() -> str:
    cameras = linux_cameras()
    if not cameras:
        return "no camera was found on this computer; plug one in, or see: realtime-bokeh doctor"
    return at_hand(cameras)


def _check_access(target: int | str) -> None:
    """Say in words why a Video4Linux device cannot be opened."""
    if sys.platform != "linux":
        return
    path = _path(str(target))
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise SourceError(
                f"Camera {path} may not be opened; add yourself to its group: "
                "sudo usermod -aG video $USER, then log in again"
            ) from error
        if error.errno == errno.EBUSY:
            raise _taken(path) from error
        raise SourceError(f"Camera {path} cannot be opened ({error.strerror})") from error


def _taken(path: int | str) -> SourceError:
    return SourceError(
        f"Camera {path} gives no frames; if another program uses it, close that one, "
        "else unplug it and plug it in again"
    )


def _as_bgr(image: Image) -> Image | None:
    """A driver's image as uint8 [H, W, 3] BGR, which infrared cameras' is not; None if unknown."""
    if image.dtype != np.uint8:
        return None
    if image.ndim == 3 and image.shape[2] == 3:
        return image
    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2BGR) if image.shape[2] == 4 else None


class Camera(Source):
    """A live camera; a frame may have another size than the first, as when a phone is turned.

    Args:
        name: index, /dev path or name in /dev/v4l/by-id.
        size: to ask for; 1280x720 if None. What is granted may differ.
        fps: to ask for, if any.

    Raises:
        UsageError: when there is no such camera.
        SourceError: when it cannot be opened or gives no frames.
    """

    live = True

    def __init__(self, name: str, size: Size | None = None, fps: float | None = None) -> None:
        self._name = name
        self._index = 0
        self._cancelled = False
        target = find_camera(name)
        _check_access(target)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        # OpenCV waits ten seconds for a frame, and nobody else may have the camera meanwhile
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
        backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
        self._capture = cv2.VideoCapture(target, backend)
        if not self._capture.isOpened():
            raise _taken(target)
        # the pixel format first: most webcams grant large sizes at full rate as MJPG only
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        height, width = size or DEFAULT_SIZE
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        if fps:
            self._capture.set(cv2.CAP_PROP_FPS, fps)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # a queue would only add delay
        try:
            first = self._grab()
        except BaseException:
            self.close()
            raise
        self.size = Size.of(first.image)
        self.noisy = os.path.realpath(_path(str(target))) in linux_cameras()
        granted = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = granted if 1 <= granted <= 240 else 30.0
        self._first: Frame | None = first

    def describe(self) -> str:
        code = int(self._capture.get(cv2.CAP_PROP_FOURCC))
        letters = code.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")
        return f"camera {self._name}: {self.size} at {self.fps:g} fps {letters}".rstrip()

    def read(self) -> Frame | None:
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        return self._grab()

    def _grab(self) -> Frame:
        patience = time.monotonic() + _PATIENCE
        while time.monotonic() < patience and not self._cancelled:
            ok, given = self._capture.read()
            image = _as_bgr(given) if ok and given is not None and given.size else None
            if image is not None:
                frame = Frame(image, self._index, time.monotonic())
                self._index += 1
                return frame
            time.sleep(0.02)
        raise _taken(self._name)

    def cancel(self) -> None:
        self._cancelled = True

    def close(self) -> None:
        self._capture.release()
