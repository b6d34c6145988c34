"""The virtual camera that calls and streaming tools see.

On Linux it is v4l2loopback's (`loopback`), on other systems OBS's, through pyvirtualcam.
"""

import sys
from typing import Protocol

from realtime_bokeh.errors import SinkError
from realtime_bokeh.frame import Frame, Image, Sink
from realtime_bokeh.sinks.kernel_module import INSTALL as INSTALL_LINUX
from realtime_bokeh.sinks.kernel_module import refusal
from realtime_bokeh.sizes import Size

INSTALL = {
    "linux": INSTALL_LINUX,
    "darwin": "install OBS (brew install --cask obs), open it and click Start Virtual Camera once",
    "win32": "install OBS (winget install OBSProject.OBSStudio), which brings its virtual camera",
}


def install_hint() -> str:
    """What installs the driver on this system."""
    return INSTALL.get(sys.platform, "see the README")


class _Device(Protocol):
    def send(self, image: Image) -> None: ...

    def close(self) -> None: ...


def _open_obs(size: Size, fps: float, device: str | None) -> tuple[_Device, str, str]:
    """OBS's camera, its name and its backend's."""
    import pyvirtualcam  # not above: Linux does without it

    height, width = size
    try:
        camera = pyvirtualcam.Camera(
            width=width, height=height, fps=fps, fmt=pyvirtualcam.PixelFormat.BGR, device=device
        )
    except (RuntimeError, OSError) as error:
        reasons = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
        remedy = f"install one: {install_hint()}"
        if "could not be started" in reasons:  # its words where another program sends to it
            remedy = "stop the virtual camera in OBS and in every other program that sends to it"
        raise refusal(reasons, remedy) from error
    return camera, camera.device, camera.backend


def check_virtual_camera(device: str | None) -> str:
    """The virtual camera that would be opened, in words, before anything slow is.

    Raises:
        UsageError, SinkError: as `VirtualCamera`.
    """
    if sys.platform == "linux":
        from realtime_bokeh.sinks.loopback import check

        path, _ = check(device)  # a trial would set its size, under programs that watch it
        return f"virtual camera {path} (v4l2loopback)"
    camera = VirtualCamera(Size(480, 640), 30, device)
    camera.close(complete=False)
    return camera.describe()


class VirtualCamera(Sink):
    """A virtual camera; frames must all have the size given here.

    Args:
        size: of the frames.
        fps: what programs are told; frames are shown as they come.
        device: the camera's path or label; the first that takes frames if None.

    name: of the camera: on Linux the device's path.

    Raises:
        UsageError: when there is none of that path or label, with those at hand.
        SinkError: when none can be opened, with the reason and the remedy.
    """

    live = True

    def __init__(self, size: Size, fps: float, device: str | None = None) -> None:
        self._camera: _Device
        if sys.platform == "linux":
            from realtime_bokeh.sinks.loopback import Loopback

            self._camera = loopback = Loopback(size, fps, device)
            self.name, self._backend = loopback.path, "v4l2loopback"
        else:
            self._camera, self.name, self._backend = _open_obs(size, fps, device)

    def describe(self) -> str:
        return f"virtual camera {self.name} ({self._backend})"

    def write(self, frame: Frame) -> None:
        try:
            self._camera.send(frame.image)
        except (RuntimeError, OSError) as error:
            raise SinkError(
                f"The virtual camera does not take frames any more ({error}); start again"
            ) from error

    def close(self, complete: bool) -> None:
        self._camera.close()
