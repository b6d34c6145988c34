import errno
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvirtualcam

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.frame import Frame
from realtime_bokeh.sinks import kernel_module
from realtime_bokeh.sinks.virtual_camera import INSTALL, VirtualCamera, check_virtual_camera
from realtime_bokeh.sizes import Size
from tests import clips
from tests.fakes import LoopbackDevice, VirtualCameraDevice

SIZE = Size(48, 64)
linux = pytest.mark.skipif(sys.platform != "linux", reason="v4l2loopback is Linux's")


def _frame(size: Size = SIZE) -> Frame:
    return Frame(np.full((*size, 3), (30, 60, 90), np.uint8), 0, 0.0)


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoopbackDevice:
    plugged_in = LoopbackDevice(tmp_path)
    LoopbackDevice.plug_in(monkeypatch, plugged_in)
    return plugged_in


@linux
def test_the_loopback_gets_every_frame_and_its_rate(device: LoopbackDevice) -> None:
    camera = VirtualCamera(SIZE, 25.0)
    assert camera.name == device.path
    assert device.fps == 25
    assert device.sent == b""
    for _ in range(3):
        camera.write(_frame())
    camera.close(complete=True)
    assert len(device.sent) == 3 * 48 * 64 * 3 // 2


@linux
def test_odd_sides_get_a_pixel_more(device: LoopbackDevice) -> None:
    camera = VirtualCamera(Size(47, 63), 30)
    camera.write(_frame(Size(47, 63)))
    camera.close(complete=True)
    assert len(device.sent) == 48 * 64 * 3 // 2


@linux
@pytest.mark.parametrize("name", ["path", "label"])
def test_one_of_several_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    one, other = LoopbackDevice(tmp_path, "One"), LoopbackDevice(tmp_path, "Other")
    LoopbackDevice.plug_in(monkeypatch, one, other)
    assert VirtualCamera(SIZE, 30, getattr(other, name)).name == other.path
    assert VirtualCamera(SIZE, 30).name == one.path
    with pytest.raises(UsageError) as caught:
        VirtualCamera(SIZE, 30, "Third")
    at_hand = f"at hand: {one.path} (One), {other.path} (Other)"
    assert str(caught.value) == f"There is no virtual camera 'Third'; {at_hand}"


@linux
def test_the_first_that_is_free_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = LoopbackDevice(tmp_path, "One"), LoopbackDevice(tmp_path, "Other")
    one.captures, one.outputs = True, False  # somebody sends to it
    LoopbackDevice.plug_in(monkeypatch, one, other)
    assert VirtualCamera(SIZE, 30).name == other.path
    with pytest.raises(SinkError, match=f"another program sends pictures to {one.path}.; close it"):
        VirtualCamera(SIZE, 30, "One")


@linux
def test_a_device_that_forgot_that_it_takes_pictures_is_reminded(device: LoopbackDevice) -> None:
    device.outputs = False
    VirtualCamera(SIZE, 30).close(complete=True)
    assert device.started == 2


@linux
def test_a_device_that_takes_nothing_is_told(
    device: LoopbackDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.outputs = False
    monkeypatch.setattr(device, "_start", lambda: None)
    with pytest.raises(SinkError, match=r"takes no pictures.*sudo modprobe -r v4l2loopback"):
        VirtualCamera(SIZE, 30)


@linux
@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "is not writable.; join its group: sudo usermod -aG video"),
        (errno.EBUSY, "another program sends pictures to .*; close it, or choose another"),
        (errno.ENODEV, "No such device.; load it anew: sudo modprobe -r v4l2loopback"),
    ],
)
def test_a_device_that_cannot_be_opened(
    device: LoopbackDevice, monkeypatch: pytest.MonkeyPatch, number: int, sentence: str
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SinkError, match=sentence):
        check_virtual_camera(None)


@linux
def test_a_device_of_another_driver(device: LoopbackDevice) -> None:
    device.foreign = True
    with pytest.raises(SinkError, match=r"is none of v4l2loopback.s.; choose another"):
        VirtualCamera(SIZE, 30)


@linux
def test_a_device_that_a_viewer_holds_at_another_size(device: LoopbackDevice) -> None:
    device.held = Size(480, 640)
    with pytest.raises(SinkError, match=r"held at 640x480 by .*; close that one, or choose --size"):
        VirtualCamera(SIZE, 30)
    device.held = SIZE
    VirtualCamera(SIZE, 30).close(complete=True)


@linux
@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBUSY])
def test_a_device_that_is_sent_to_refuses_a_format(device: LoopbackDevice, number: int) -> None:
    device.refuses = OSError(number, os.strerror(number))
    with pytest.raises(SinkError, match="another program sends pictures"):
        VirtualCamera(SIZE, 30)


@linux
@pytest.mark.parametrize("step", ["capabilities", "set_format", "set_rate", "start"])
def test_a_device_that_is_out_of_order(
    device: LoopbackDevice, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from realtime_bokeh.sinks import v4l2

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(v4l2, step, fail)
    with pytest.raises(SinkError, match=r"Input/output error\); load it anew: sudo modprobe -r"):
        VirtualCamera(SIZE, 30)


@linux
@pytest.mark.parametrize("short", [False, True])
def test_an_error_of_writing_ends_it(
    device: LoopbackDevice, monkeypatch: pytest.MonkeyPatch, short: bool
) -> None:
    def write(descriptor: int, data: memoryview) -> int:
        if short:
            return 100
        raise OSError(errno.ENODEV, "No such device")

    camera = VirtualCamera(SIZE, 30)
    monkeypatch.setattr(os, "write", write)
    reason = "100 of 4608 bytes of a picture" if short else "No such device"
    with pytest.raises(SinkError, match=rf"not take frames any more \({reason}\); .* load it anew"):
        camera.write(_frame())


@linux
def test_a_check_changes_nothing(device: LoopbackDevice) -> None:
    assert check_virtual_camera(None) == f"virtual camera {device.path} (v4l2loopback)"
    assert device.fps == 0
    assert device.started == 0


@linux
def test_without_a_device_the_module_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    LoopbackDevice.plug_in(monkeypatch)
    monkeypatch.setattr(kernel_module, "is_loaded", lambda: False)
    monkeypatch.setattr(kernel_module, "is_installed", lambda: True)
    with pytest.raises(SinkError, match=r"not loaded.*window: --output none --preview"):
        VirtualCamera(SIZE, 30, "Realtime Bokeh")


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_elsewhere_a_missing_obs_is_explained(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("'one' backend: not there\n'two' backend: not there either\n")

    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(pyvirtualcam, "Camera", fail)
    with pytest.raises(SinkError) as caught:
        check_virtual_camera(None)
    sentence = str(caught.value)
    assert "'one' backend: not there; 'two' backend: not there either" in sentence
    assert INSTALL[system] in sentence
    assert "\n" not in sentence


def test_elsewhere_a_busy_obs_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("'obs' backend: virtual camera output could not be started")

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(pyvirtualcam, "Camera", fail)
    with pytest.raises(SinkError, match="stop the virtual camera in OBS") as caught:
        VirtualCamera(SIZE, 30)
    assert "install OBS" not in str(caught.value)


def test_elsewhere_frames_go_to_obs(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[VirtualCameraDevice] = []

    def camera(**options: int) -> VirtualCameraDevice:
        opened.append(VirtualCameraDevice(**options))
        return opened[0]

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(pyvirtualcam, "Camera", camera)
    VirtualCamera(SIZE, 30).write(Frame(clips.solid((1, 2, 3)), 0, 0.0))
    assert [image.shape for image in opened[0].sent] == [(48, 64, 3)]
