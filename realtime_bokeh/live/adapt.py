"""Adaptive quality: the network's size, and then the model, follow what the computer can hold."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from realtime_bokeh.sizes import InferenceSize, Size, content_size
from realtime_bokeh.weights import Model

_WINDOW = 20  # frames that a judgement rests on
_SLOW = 1.5  # seconds of falling behind before quality is lowered
_FAST = 3.0  # seconds with room to spare before it is raised
_LONGEST = 60.0  # of the latter, after raising it has failed
_RELIEVED = 0.75  # of the time that the network took when that failed: others have ended since
_FULL = 0.97  # of a frame's time: what takes longer falls behind; of the rate: what gives less
_AIM = 0.85  # of a frame's time, at which a lower quality is chosen
_ROOM = 0.85  # of a frame's time, under which a higher one would stay
_SHARES = (1.0, 0.6, 0.36)  # of the area at which a model runs
_LEAST = 0.2  # for the lightest model: coarse, and better than a picture that stutters
_FIXED = 0.1  # of a model's usual time, which it takes however small the picture is
_STEP = 0.9  # of the cost of the quality before it, which the next one has at most


@dataclass(frozen=True)
class Quality:
    """One way to render.

    model: its name.
    size: about the area at which the network runs.
    cost: how long the network takes, in any unit, against the others.
    """

    model: str
    size: InferenceSize
    cost: float

    def __str__(self) -> str:
        return f"{self.model} at {self.size}"


def ladder(
    model: Model, models: Iterable[Model], size: InferenceSize | None, frame: Size
) -> list[Quality]:
    """How a model may be rendered, from the best to the least: smaller, then by lighter models.

    Args:
        models: of which the shipped ones may take its place.
        size: that was asked for; None: the model's own.
        frame: the size of the camera's frames.
    """
    first = model.inference_size if size is None else size
    qualities = [_quality(model, first, frame)]
    own = model.inference_size if first == "full" else first
    lighter = [other for other in models if other.shipped and other.frame_ms < model.frame_ms]
    chain = [model, *sorted(lighter, key=lambda other: -other.frame_ms)]
    for each in chain:
        for share in (*_SHARES, _LEAST) if each is chain[-1] else _SHARES:
            side = math.sqrt(share)
            smaller = Size(round(own.height * side), round(own.width * side))
            quality = _quality(each, smaller, frame)
            # what is smaller and dearer at once, or hardly cheaper, is no step
            if quality.cost < _STEP * qualities[-1].cost:
                qualities.append(quality)
    return qualities


def _quality(model: Model, size: InferenceSize, frame: Size) -> Quality:
    area = content_size(frame, size).area / model.inference_size.area
    return Quality(model.name, size, model.frame_ms * (_FIXED + area))


class Adapter:
    """Which quality a run should have at present.

    It lowers the quality after it has fallen behind for a while, and raises it when there is room
    for long enough, which takes longer each time that raising it was a mistake, until the network
    is clearly faster than it was then.

    Args:
        qualities: from the best to the least.
        fps: frames a second to hold.

    at: which of them.
    limit: frames a second to which even the least would be held, where those are too few; None:
        one holds the rate, as far as is known.
    """

    def __init__(
        self,
        qualities: Sequence[Quality],
        fps: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.qualities, self.fps = qualities, fps
        self.at = 0
        self.limit: float | None = None
        self._clock = clock
        self._patience = _FAST
        self._raised_at: float | None = None
        self._strain = 0.0  # the network's time for a unit of cost when raising it failed
        self.begin()

    def begin(self) -> None:
        """Forget the frames so far: from now on others come, by another engine."""
        self._frames: deque[tuple[float, float]] = deque(maxlen=_WINDOW)
        self._slow_since: float | None = None
        self._fast_since: float | None = None

    def observe(self, seconds: float, network: float) -> bool:
        """Take note of a frame; True when `at` has changed.

        Args:
            seconds: for which it occupied the effect's thread.
            network: how much of that the network took.
        """
        self._frames.append((seconds, min(network, seconds)))
        if len(self._frames) < _WINDOW and sum(s for s, _ in self._frames) < _SLOW:
            return False
        now, frame = self._clock(), 1 / self.fps
        takes = median(s for s, _ in self._frames)
        if self._unit() < _RELIEVED * self._strain:
            self._patience, self._strain = _FAST, 0.0
        # some frames that take far too long cost the rate as well, though most are in time
        given = 1 / fmean(max(s, frame) for s, _ in self._frames)
        slow = takes > _FULL * frame or given < _FULL * self.fps
        self._slow_since = _since(self._slow_since, now, slow)
        higher = [n for n in range(self.at) if self._predicted(n) < _ROOM * frame]
        self._fast_since = _since(self._fast_since, now, bool(higher))
        if self._slow_since is None:
            self.limit = None
        elif now - self._slow_since >= _SLOW:
            least = self._predicted(len(self.qualities) - 1)
            self.limit = 1 / least if least > _FULL * frame else None
            return self._lower(now)
        if self._fast_since is not None and now - self._fast_since >= self._patience:
            self._raised_at = now
            self.at = higher[0]
            self.begin()
            return True
        return False

    def _lower(self, now: float) -> bool:
        if self.at == len(self.qualities) - 1:
            return False
        if self._raised_at is not None and now - self._raised_at < 2 * self._patience:
            self._patience = min(2 * self._patience, _LONGEST)
            self._strain = self._unit()
        else:
            self._patience = _FAST
        below = range(self.at + 1, len(self.qualities))
        fitting = (n for n in below if self._predicted(n) <= _AIM / self.fps)
        self.at = next(fitting, len(self.qualities) - 1)
        self.begin()
        return True

    def _predicted(self, number: int) -> float:
        """Seconds that a frame would take at another quality."""
        takes = median(s for s, _ in self._frames)
        unit, now = self._unit(), self.qualities[self.at].cost
        return takes + unit * (self.qualities[number].cost - now)

    def _unit(self) -> float:
        """Seconds that the network takes for a unit of cost."""
        return median(n for _, n in self._frames) / self.qualities[self.at].cost


def _since(before: float | None, now: float, holds: bool) -> float | None:
    """Since when something holds."""
    if not holds:
        return None
    return now if before is None else before
