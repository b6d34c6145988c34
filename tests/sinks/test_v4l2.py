import errno
import sys
from fractions import Fraction
from typing import Any

import pytest

from realtime_bokeh.sizes import Size

if sys.platform != "linux":
    pytest.skip("Video4Linux is Linux's", allow_module_level=True)

import fcntl
import struct

from realtime_bokeh.sinks import v4l2

# as a C compiler gives them on 64 bits
QUERYCAP, S_FMT, STREAMON, S_PARM = 0x80685600, 0xC0D05605, 0x40045612, 0xC0CC5616
DQEVENT, SUBSCRIBE = 0x80885659, 0x4020565A


class Kernel:
    """Answers ioctls with bytes at an offset. asked: number and argument of each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[int, bytes]] = []
        self.answer: dict[int, bytes] = {}
        self.error: OSError | None = None
        monkeypatch.setattr(fcntl, "ioctl", self._ioctl)

    def _ioctl(self, descriptor: int, number: int, argument: Any) -> int:
        assert descriptor == 7
        self.asked.append((number, bytes(argument)))
        if self.error:
            raise self.error
        for offset, data in self.answer.items():
            argument[offset : offset + len(data)] = data
        return 0


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


@pytest.mark.parametrize(("now", "captures", "outputs"), [(1, True, False), (3, True, True)])
def test_capabilities_are_those_of_now(
    kernel: Kernel, now: int, captures: bool, outputs: bool
) -> None:
    kernel.answer = {0: b"v4l2 loopback\0", 84: struct.pack("II", 0x80000003, now)}
    assert v4l2.capabilities(7) == v4l2.Capabilities(True, captures, outputs)
    assert kernel.asked[0][0] == QUERYCAP
    assert len(kernel.asked[0][1]) == 104


def test_another_driver_is_no_loopback(kernel: Kernel) -> None:
    kernel.answer = {0: b"uvcvideo\0"}
    assert not v4l2.capabilities(7).loopback


def test_the_format_is_i420_of_bt601_in_limited_range(kernel: Kernel) -> None:
    assert v4l2.set_format(7, Size(480, 640)) == Size(480, 640)
    number, told = kernel.asked[0]
    assert number == S_FMT
    assert struct.unpack_from("I", told) == (2,)
    width, height, form, field, line, picture, colours, *rest = struct.unpack_from("12I", told, 8)
    assert (width, height, form) == (640, 480, int.from_bytes(b"YU12", "little"))
    assert (field, line, picture, colours) == (1, 640, 640 * 480 * 3 // 2, 8)
    assert rest == [0xFEEDCAFE, 0, 1, 2, 0]


def test_what_is_granted_instead_is_told(kernel: Kernel) -> None:
    kernel.answer = {8: struct.pack("II", 1280, 720)}
    assert v4l2.set_format(7, Size(480, 640)) == Size(720, 1280)
    kernel.answer = {16: b"YUYV"}
    assert v4l2.set_format(7, Size(480, 640)) is None


@pytest.mark.parametrize(
    ("fps", "time"), [(25, (1, 25)), (60, (1, 60)), (30000 / 1001, (1001, 30000)), (7.5, (2, 15))]
)
def test_the_rate_is_a_fraction(kernel: Kernel, fps: float, time: tuple[int, int]) -> None:
    v4l2.set_rate(7, fps)
    number, told = kernel.asked[0]
    assert number == S_PARM
    assert struct.unpack_from("I", told) == (2,)
    assert Fraction(*struct.unpack_from("II", told, 12)) == Fraction(*time)


def test_to_start_is_of_the_output(kernel: Kernel) -> None:
    v4l2.start(7)
    assert kernel.asked == [(STREAMON, struct.pack("i", 2))]
    kernel.error = OSError(errno.EINVAL, "not so")  # where the first picture does it
    v4l2.start(7)
    kernel.error = OSError(errno.EIO, "broken")
    with pytest.raises(OSError, match="broken"):
        v4l2.start(7)


def test_the_news_of_viewers(kernel: Kernel) -> None:
    v4l2.subscribe(7)
    assert kernel.asked[0][0] == SUBSCRIBE
    assert struct.unpack_from("III", kernel.asked[0][1]) == (0x10E00001, 0, 1)
    kernel.answer = {8: struct.pack("I", 2)}
    assert v4l2.watched(7)
    assert kernel.asked[1][0] == DQEVENT
    kernel.answer = {}
    assert not v4l2.watched(7)
    kernel.error = FileNotFoundError(errno.ENOENT, "no event")
    with pytest.raises(FileNotFoundError):
        v4l2.watched(7)
