"""A microphone through PortAudio, which the package sounddevice brings.

Not through PyAV, whose wheels for Linux cannot reach one: they lack PulseAudio, and their ALSA
looks for its configuration where they were built. PortAudio also says when a sound was heard.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.extras import install_hint
from realtime_bokeh.sound import RATE, Samples, Sound, SoundSource

DEFAULT = "default"  # the name of the one that the system prefers

_PATIENCE = 2.0  # seconds without sound after which the microphone counts as lost
_OLDEST = 5.0  # seconds; no sound comes later than that


def _portaudio() -> Any:
    try:
        import sounddevice
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--audio needs the package sounddevice; {install_hint('audio')}"
        ) from error
    except OSError as error:  # its wheels for Linux do not bring the library
        raise UsageError(
            "--audio needs PortAudio; install it: sudo apt install libportaudio2"
        ) from error
    return sounddevice


def find_microphone(name: str) -> int | None:
    """PortAudio's number of a microphone; None is the one that the system prefers.

    Args:
        name: its number, a part of its name, or `DEFAULT`.

    Raises:
        UsageError: when there is no such one, or what reaches microphones is not installed.
    """
    portaudio = _portaudio()
    names = {
        number: str(device["name"])
        for number, device in enumerate(portaudio.query_devices())
        if device["max_input_channels"]
    }
    if not names:
        raise UsageError(
            "No microphone was found on this computer; plug one in or leave out --audio"
        )
    if name == DEFAULT:
        return None
    for number, full in names.items():
        if name == str(number) or (not name.isdecimal() and name.lower() in full.lower()):
            return number
    at_hand = ", ".join(f"{number} ({full})" for number, full in names.items())
    raise UsageError(f"There is no microphone {name!r}; at hand: {at_hand}")


class Microphone(SoundSource):
    """Listens from the moment it is opened.

    Args:
        name: as for `find_microphone`.
        clock: the monotonic one.

    Raises:
        UsageError: as `find_microphone`.
        SourceError: when it cannot be opened.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        number = find_microphone(name)
        portaudio = _portaudio()
        self._clock = clock
        self._name = name
        self._heard: deque[Sound] = deque()
        self._latest = clock()  # when sound came
        try:
            self._name = str(portaudio.query_devices(number, "input")["name"])
            self._stream = portaudio.InputStream(
                RATE, device=number, channels=1, dtype="float32", callback=self._take
            )
            self._stream.start()
        except portaudio.PortAudioError as error:
            raise SourceError(
                f"The microphone {self._name} cannot be opened ({error}); choose another, or leave "
                "out --audio"
            ) from error

    def describe(self) -> str:
        return f"the microphone {self._name}"

    def _take(self, samples: Samples, count: int, times: Any, status: object) -> None:
        """PortAudio's thread brings so many samples [count, 1], which it uses again."""
        now = self._clock()
        age = times.currentTime - times.inputBufferAdcTime
        # some systems do not say when it was heard, or say less than has passed since for certain
        if not count / RATE <= age <= _OLDEST:
            age = count / RATE
        self._heard.append(Sound(samples[:, 0].copy(), now - age))
        self._latest = now

    def read(self) -> list[Sound]:
        return [self._heard.popleft() for _ in range(len(self._heard))]

    @property
    def trouble(self) -> str:
        lost = not self._stream.active or self._clock() - self._latest > _PATIENCE
        return f"The microphone {self._name} gives no more sound" if lost else ""

    def close(self) -> None:
        self._stream.close()
