"""What is asked of a v4l2loopback device, by Video4Linux's ioctls (linux/videodev2.h).

Linux only. A descriptor is one that is open on the device. What the device refuses is an OSError.
"""

import errno
import fcntl
import struct
from dataclasses import dataclass
from fractions import Fraction

from realtime_bokeh.sizes import Size

_NONE, _WRITE, _READ = 0, 1, 2
_CAPTURE, _OUTPUT = 0x1, 0x2  # capabilities
_OUTPUT_TYPE = 2  # a buffer's: of pictures that are sent to the device
_YU12 = int.from_bytes(b"YU12", "little")
_EXTENDED = 0xFEEDCAFE  # the last four fields of a format count
_PROGRESSIVE, _SRGB, _BT601, _LIMITED = 1, 8, 1, 2
_CLIENT_USAGE = 0x08000000 + 0x08E00000 + 1  # an event of v4l2loopback's, since 0.13
_SEND_INITIAL = 1

_CAPABILITY = struct.Struct("16s32s32sIII12x")
# the type, then width, height, pixel format, field, bytes in a line and in the picture, colour
# space, mark, flags, encoding, range, transfer; the kernel aligns them as pointers
_FORMAT = struct.Struct("I0P12I152x")
_PARAMETERS = struct.Struct("I8xII184x")  # the type, the time of a frame in seconds as a fraction
_SUBSCRIPTION = struct.Struct("III20x")  # the type, id, flags
_EVENT = struct.Struct("I0QI60xIIllI32x0l")  # the type, how many watch, and what none asks for
_NUMBER = struct.Struct("i")


def _code(direction: int, number: int, what: struct.Struct) -> int:
    return direction << 30 | what.size << 16 | ord("V") << 8 | number


_QUERYCAP = _code(_READ, 0, _CAPABILITY)
_S_FMT = _code(_READ | _WRITE, 5, _FORMAT)
_STREAMON = _code(_WRITE, 18, _NUMBER)
_S_PARM = _code(_READ | _WRITE, 22, _PARAMETERS)
_DQEVENT = _code(_READ, 89, _EVENT)
_SUBSCRIBE = _code(_WRITE, 90, _SUBSCRIPTION)


@dataclass(frozen=True)
class Capabilities:
    """What a device is.

    loopback: whether v4l2loopback made it.
    captures: whether programs find a camera in it now.
    outputs: whether pictures may be sent to it now.
    """

    loopback: bool
    captures: bool
    outputs: bool


def capabilities(descriptor: int) -> Capabilities:
    answer = bytearray(_CAPABILITY.size)
    fcntl.ioctl(descriptor, _QUERYCAP, answer)
    driver, *_, now = _CAPABILITY.unpack(answer)
    loopback = driver.rstrip(b"\0") == b"v4l2 loopback"
    return Capabilities(loopback, bool(now & _CAPTURE), bool(now & _OUTPUT))


def set_format(descriptor: int, size: Size) -> Size | None:
    """Announce I420 in BT.601 and limited range, of even sides.

    Returns:
        The size that the device has, which is another where programs hold it to that; None where
        they hold it to another pixel format.
    """
    height, width = size
    pixels = (width, height, _YU12, _PROGRESSIVE, width, width * height * 3 // 2)
    colours = (_SRGB, _EXTENDED, 0, _BT601, _LIMITED, 0)
    told = bytearray(_FORMAT.pack(_OUTPUT_TYPE, *pixels, *colours))
    fcntl.ioctl(descriptor, _S_FMT, told)
    _, width, height, form, *_ = _FORMAT.unpack(told)
    return Size(height, width) if form == _YU12 else None


def set_rate(descriptor: int, fps: float) -> None:
    """Announce how many frames come in a second."""
    time = 1 / Fraction(fps).limit_denominator(1001)
    told = bytearray(_PARAMETERS.pack(_OUTPUT_TYPE, time.numerator, time.denominator))
    fcntl.ioctl(descriptor, _S_PARM, told)


def start(descriptor: int) -> None:
    """Begin to send: 0.12 needs it to take pictures again after this program's end."""
    try:
        fcntl.ioctl(descriptor, _STREAMON, _NUMBER.pack(_OUTPUT_TYPE))
    except OSError as error:
        if error.errno != errno.EINVAL:  # 0.14 and later begin with the first picture instead
            raise


def subscribe(descriptor: int) -> None:
    """Ask to be told when programs begin and stop to watch, and whether one does so now."""
    fcntl.ioctl(descriptor, _SUBSCRIBE, _SUBSCRIPTION.pack(_CLIENT_USAGE, 0, _SEND_INITIAL))


def watched(descriptor: int) -> bool:
    """The next news, on a descriptor that does not block: whether a program watches.

    Raises:
        OSError: FileNotFoundError when there is none.
    """
    event = bytearray(_EVENT.size)
    fcntl.ioctl(descriptor, _DQEVENT, event)
    return bool(_EVENT.unpack(event)[1])
