"""The virtual camera that calls and streaming tools see, through pyvirtualcam."""

import sys

import pyvirtualcam

from realtime_bokeh.errors import SinkError
from realtime_bokeh.frame import Frame, Sink
from realtime_bokeh.sizes import Size

INSTALL = {
    "linux": (
        "sudo apt install v4l2loopback-dkms && "
        "sudo modprobe v4l2loopback exclusive_caps=1 card_label='Realtime Bokeh'"
    ),
    "darwin": "install OBS (brew install --cask obs), open it and click Start Virtual Camera once",
    "win32": "install OBS (winget install OBSProject.OBSStudio), which brings its virtual camera",
}


def install_hint() -> str:
    """What installs the driver on this system."""
    return INSTALL.get(sys.platform, "see the README")


class VirtualCamera(Sink):
    """A virtual camera; frames must all have the size given here.

    Raises:
        SinkError: when no backend works, with every backend's reason and what installs the driver.
    """

    live = True

    def __init__(self, size: Size, fps: float) -> None:
        height, width = size
        try:
            self._camera = pyvirtualcam.Camera(
                width=width, height=height, fps=fps, fmt=pyvirtualcam.PixelFormat.BGR
            )
        except (RuntimeError, OSError) as error:
            reasons = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
            raise SinkError(
                f"No virtual camera can be opened ({reasons}); install one: {install_hint()}; "
                "or only look at a window: --output none --preview"
            ) from error

    def describe(self) -> str:
        return f"virtual camera {self._camera.device} ({self._camera.backend})"

    def write(self, frame: Frame) -> None:
        try:
            self._camera.send(frame.image)
        except (RuntimeError, OSError) as error:
            raise SinkError(
                f"The virtual camera does not take frames any more ({error})"
            ) from error

    def close(self, complete: bool) -> None:
        self._camera.close()
