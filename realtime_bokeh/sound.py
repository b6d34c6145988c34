"""Sound, and the contract of what gives it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

RATE = 48_000  # samples a second
Samples = NDArray[Any]  # float32 [n], -1 to 1: one channel


@dataclass(frozen=True)
class Sound:
    """A stretch of sound and its time.

    samples: float32 [n], -1 to 1, one channel, `RATE` of them a second.
    heard_at: seconds on the monotonic clock when the first of them was heard.
    """

    samples: Samples
    heard_at: float


class SoundSource(ABC):
    """Gives sound as it is heard; used from one thread."""

    @abstractmethod
    def describe(self) -> str:
        """What is listened to, in a few words."""

    @abstractmethod
    def read(self) -> list[Sound]:
        """What was heard since the last call, in order; it neither waits nor fails."""

    @property
    @abstractmethod
    def trouble(self) -> str:
        """Why nothing is heard any more, as a sentence without its full stop; empty if all is
        well."""

    @abstractmethod
    def close(self) -> None:
        """Release the device; safe to call twice."""
