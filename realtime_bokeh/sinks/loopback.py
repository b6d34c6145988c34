"""Linux's virtual camera: a device of the kernel module v4l2loopback, which we write to ourselves.

pyvirtualcam, which other systems need, says nothing of the frame rate there, swallows the errors of
writing, and sends pictures of a size that the device does not have.
"""

import contextlib
import errno
import os

import numpy as np

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.sinks import v4l2
from realtime_bokeh.sinks.i420 import even, to_i420
from realtime_bokeh.sinks.kernel_module import MODULE, RELOAD, absence, refusal
from realtime_bokeh.sizes import Size
from realtime_bokeh.video4linux import at_hand, linux_loopbacks


def _busy(path: str) -> SinkError:
    return refusal(
        f"another program sends pictures to {path}",
        "close it, or choose another with --virtual-camera",
    )


def _failed(path: str, error: OSError) -> SinkError:
    return refusal(f"{path}: {error.strerror}", f"load it anew: {RELOAD}")


def _find(name: str | None) -> list[str]:
    """The paths of the devices that have a name, of all without one.

    Raises:
        UsageError: when none has it.
        SinkError: when there is none at all.
    """
    devices = linux_loopbacks()
    if not devices:
        raise absence()
    if name is None:
        return list(devices)
    found = [path for path, label in devices.items() if name in (path, label)]
    if not found:
        raise UsageError(f"There is no virtual camera {name!r}; {at_hand(devices)}")
    return found


def _open(path: str, again: bool = True) -> tuple[int, v4l2.Capabilities]:
    """A descriptor of a device that takes pictures, and what it is.

    Raises:
        SinkError: when it takes none now.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            group = "sudo usermod -aG video $USER, then log in again"
            raise refusal(f"{path} is not writable", f"join its group: {group}") from error
        if error.errno == errno.EBUSY:
            raise _busy(path) from error
        raise _failed(path, error) from error
    try:
        found = v4l2.capabilities(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise _failed(path, error) from error
    if found.loopback and found.outputs:
        return descriptor, found
    try:
        if not found.loopback:
            raise refusal(f"{path} is none of {MODULE}'s", "choose another with --virtual-camera")
        if found.captures:
            raise _busy(path)
        # 0.12 takes no pictures any more after a program that only wrote some; one that began to
        # send, and ends, makes it do so
        with contextlib.suppress(OSError):
            v4l2.start(descriptor)
    finally:
        os.close(descriptor)
    if again:
        return _open(path, again=False)
    raise refusal(f"{path} takes no pictures", f"load it anew: {RELOAD}")


def _first(name: str | None) -> tuple[str, int, v4l2.Capabilities]:
    """The path of the first device of that name that takes pictures, a descriptor, what it is."""
    first: SinkError | None = None
    for path in _find(name):
        try:
            return path, *_open(path)
        except SinkError as error:
            first = first or error
    assert first is not None
    raise first


def check(name: str | None) -> tuple[str, bool]:
    """Look for a device that takes pictures, without a change to its format.

    Returns:
        Its path, and whether it is a camera alone to those who watch: else browsers pass it over.

    Raises:
        UsageError: when none has that path or label.
        SinkError: when none takes pictures, with the first one's reason.
    """
    path, descriptor, found = _first(name)
    os.close(descriptor)
    return path, not (found.captures and found.outputs)


class Loopback:
    """A device that pictures are written to; programs that watch it never hold that up.

    Args:
        name: its path or label; the first that takes pictures if None.
        size: of every picture; odd sides get a pixel more.
        fps: announced to those who watch.

    path: of the device.

    Raises:
        UsageError, SinkError: as `check`; SinkError when it has another size now.
    """

    def __init__(self, size: Size, fps: float, name: str | None) -> None:
        self._descriptor: int | None
        self.path, descriptor, _ = _first(name)
        self._descriptor = descriptor
        try:
            self._prepare(descriptor, even(size), fps)
        except BaseException:
            self.close()
            raise
        height, width = even(size)
        self._planes = np.empty((height * 3 // 2, width), np.uint8)

    def _prepare(self, descriptor: int, size: Size, fps: float) -> None:
        try:
            granted = v4l2.set_format(descriptor, size)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.EBUSY):
                raise _busy(self.path) from error
            raise _failed(self.path, error) from error
        if granted != size:
            raise refusal(
                f"{self.path} is held at {granted or 'other pixels'} by a program that watches it",
                "close that one" + (f", or choose --size {granted}" if granted else ""),
            )
        try:
            v4l2.set_rate(descriptor, fps)
            v4l2.start(descriptor)
        except OSError as error:
            raise _failed(self.path, error) from error

    def send(self, image: Image) -> None:
        """Write a picture.

        Raises:
            SinkError: when the device does not take it.
        """
        assert self._descriptor is not None
        to_i420(image, self._planes)
        try:
            written = os.write(self._descriptor, self._planes.data)
        except OSError as error:
            raise self._broken(str(error.strerror)) from error
        if written != self._planes.size:
            raise self._broken(f"{written} of {self._planes.size} bytes of a picture")

    def _broken(self, reason: str) -> SinkError:
        return SinkError(
            f"The virtual camera {self.path} does not take frames any more ({reason}); "
            f"close what watches it and load it anew: {RELOAD}"
        )

    def close(self) -> None:
        """Release the device; safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
