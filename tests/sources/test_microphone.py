"""A microphone, with a PortAudio that stands in for the real one."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.sound import RATE
from realtime_bokeh.sources.microphone import DEFAULT, Microphone, find_microphone

DEVICES = [
    {"name": "HDMI", "max_input_channels": 0},
    {"name": "Built-in Audio", "max_input_channels": 2},
    {"name": "USB Microphone", "max_input_channels": 1},
]


class _Stream:
    """PortAudio's stream. opened: how it was asked for. active: whether it runs."""

    def __init__(self, rate: int, *, callback: Callable[..., None], **opened: object) -> None:
        self.opened = {"rate": rate, **opened}
        self.take = callback
        self.active = False

    def start(self) -> None:
        self.active = True

    def close(self) -> None:
        self.active = False

    def hear(self, samples: list[float], age: float) -> None:
        """Bring sound whose first sample was heard so many seconds ago."""
        block = np.array(samples, np.float32)[:, None]
        times = SimpleNamespace(currentTime=500.0, inputBufferAdcTime=500.0 - age)
        self.take(block, len(block), times, None)
        block[:] = 9  # it is used again


class _PortAudio:
    """The package sounddevice. streams: that were opened. refuses: whether opening one fails."""

    PortAudioError = type("PortAudioError", (Exception,), {})

    def __init__(self, devices: list[dict[str, Any]]) -> None:
        self._devices = devices
        self.streams: list[_Stream] = []
        self.refuses = False

    def query_devices(self, number: int | None = None, kind: str | None = None) -> Any:
        if kind is None:
            return self._devices
        return self._devices[1 if number is None else number]

    def InputStream(self, rate: int, **options: Any) -> _Stream:  # noqa: N802
        if self.refuses:
            raise self.PortAudioError("Device unavailable")
        self.streams.append(_Stream(rate, **options))
        return self.streams[-1]


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> _PortAudio:
    found = _PortAudio(DEVICES)
    monkeypatch.setitem(sys.modules, "sounddevice", found)
    return found


@pytest.mark.parametrize(
    ("name", "number"), [(DEFAULT, None), ("usb", 2), ("2", 2), ("Built-in Audio", 1)]
)
def test_names_of_microphones(portaudio: _PortAudio, name: str, number: int | None) -> None:
    assert find_microphone(name) == number


@pytest.mark.parametrize("name", ["0", "9", "HDMI", "headset"])
def test_a_microphone_that_is_not_there(portaudio: _PortAudio, name: str) -> None:
    at_hand = r"at hand: 1 \(Built-in Audio\), 2 \(USB Microphone\)$"
    with pytest.raises(UsageError, match=f"There is no microphone '{name}'; {at_hand}"):
        find_microphone(name)


def test_a_computer_without_a_microphone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", _PortAudio(DEVICES[:1]))
    with pytest.raises(UsageError, match="No microphone was found"):
        find_microphone(DEFAULT)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(UsageError, match=r"needs the package sounddevice; pip install .*\[audio\]"):
        find_microphone(DEFAULT)


def test_a_microphone_that_cannot_be_opened(portaudio: _PortAudio) -> None:
    portaudio.refuses = True
    with pytest.raises(SourceError, match=r"Built-in Audio cannot be opened \(Device unavailable"):
        Microphone(DEFAULT)


def test_sound_comes_in_order_with_its_time(portaudio: _PortAudio) -> None:
    now = [100.0]
    microphone = Microphone("usb", lambda: now[0])
    (stream,) = portaudio.streams
    assert stream.opened == {"rate": RATE, "device": 2, "channels": 1, "dtype": "float32"}
    assert microphone.read() == []
    stream.hear([0.1, 0.2], age=0.25)
    now[0] = 101
    stream.hear([0.3], age=0.25)
    first, second = microphone.read()
    assert first.samples == pytest.approx([0.1, 0.2])
    assert (first.heard_at, second.heard_at) == pytest.approx((99.75, 100.75))
    assert microphone.read() == []
    assert microphone.describe() == "the microphone USB Microphone"


@pytest.mark.parametrize("age", [0.0, 0.01, -3.0, 500.0])
def test_a_time_that_cannot_be_is_the_latest_that_can(portaudio: _PortAudio, age: float) -> None:
    microphone = Microphone(DEFAULT, lambda: 100.0)
    portaudio.streams[0].hear([0.0] * (RATE // 10), age)
    assert microphone.read()[0].heard_at == pytest.approx(99.9)


@pytest.mark.parametrize("ends", ["stops", "is silent"])
def test_a_microphone_that_vanishes(portaudio: _PortAudio, ends: str) -> None:
    now = [100.0]
    microphone = Microphone(DEFAULT, lambda: now[0])
    now[0] += 1.9
    portaudio.streams[0].hear([0.1], age=0)
    now[0] += 1.9
    assert microphone.trouble == ""
    if ends == "stops":
        portaudio.streams[0].active = False
    else:
        now[0] += 0.2
    assert microphone.trouble == "The microphone Built-in Audio gives no more sound"


def test_it_can_be_closed_twice(portaudio: _PortAudio) -> None:
    microphone = Microphone(DEFAULT)
    microphone.close()
    microphone.close()
    assert not portaudio.streams[0].active
