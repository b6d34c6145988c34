"""The sound of a recording, in step with its pictures."""

from collections import deque

import numpy as np
from av import AudioFrame, AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer

from realtime_bokeh.sinks.packets import AnyPacket
from realtime_bokeh.sound import RATE, Samples, Sound, SoundSource

_CODECS = {"mp4": "aac", "mov": "aac", "matroska": "libopus", "webm": "libopus"}  # by the format
_BIT_RATE = 96_000

# Seconds of silence at the beginning. MP4 writes how much of the first packet is not heard before
# the first pictures, so there has to be one.
_LEAD = 0.05
_LATE = 2.0  # seconds behind the picture at which sound that has not come is silence
_SLACK = round(0.01 * RATE)  # samples by which sound may be off, as its stamps tremble
_GAP = round(0.1 * RATE)  # samples from which on something is missing, or comes twice


class InStep:
    """Sounds in one row without gaps, each where it was heard.

    What is missing is silence, and what comes twice is left out. A microphone's clock is not quite
    the computer's: where a sound is off by a little, it gets one sample more or less, a thousandth
    of the usual stretch, which nobody hears.

    Args:
        began: when the row begins, in seconds on the monotonic clock.

    length: of the row, in samples.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self.length = 0
        self._silent = True  # what comes next is put where it was heard, to the sample

    def add(self, sound: Sound) -> Samples:
        """What a sound adds to the row."""
        samples = sound.samples
        off = self._at(sound.heard_at) - self.length
        if self._silent or abs(off) > _GAP:
            silence = np.zeros(max(off, 0), np.float32)
            samples = np.concatenate([silence, samples[max(-off, 0) :]])
        elif abs(off) > _SLACK:
            samples = _stretched(samples, 1 if off > 0 else -1)
        self._silent = self._silent and not len(samples)
        self.length += len(samples)
        return samples

    def silence(self, until: float) -> Samples:
        """The silence that it adds to let the row reach a moment; none if it does."""
        samples = np.zeros(max(self._at(until) - self.length, 0), np.float32)
        self._silent = self._silent or len(samples) > 0
        self.length += len(samples)
        return samples

    def _at(self, moment: float) -> int:
        return round((moment - self._began) * RATE)


def _stretched(samples: Samples, by: int) -> Samples:
    """The same sound in so many samples more."""
    count = len(samples)
    places = np.linspace(0, count - 1, count + by)
    return np.interp(places, np.arange(count), samples).astype(np.float32)


class Soundtrack:
    """A track of a new file that gets what is heard.

    Args:
        container: of the file, into which nothing was written yet.
        source: of the sound; closed by whoever made it.
    """

    def __init__(self, container: OutputContainer, source: SoundSource) -> None:
        name = _CODECS[container.format.name]
        stream = container.add_stream(name, rate=RATE, layout="mono", bit_rate=_BIT_RATE)
        assert isinstance(stream, AudioStream)
        self._stream = stream
        self._source = source
        self._heard: deque[Sound] = deque()
        self._row: InStep | None = None
        self._shaper: AudioResampler | None = None

    def pass_over(self) -> None:
        """Forget what was heard so far: there is no picture yet."""
        self._source.read()

    def due(self, began: float, until: float) -> list[AnyPacket]:
        """What is to be written before the picture of a moment.

        Args:
            began: when the first picture was captured, in seconds on the monotonic clock.
            until: the moment, on the same clock.
        """
        made: list[AnyPacket] = []
        if self._row is None:
            self._row = InStep(began)
            made += self._encoded(self._row.silence(began + _LEAD))
        self._heard.extend(self._source.read())
        while self._heard and self._heard[0].heard_at < until:
            made += self._encoded(self._row.add(self._heard.popleft()))
        return made + self._encoded(self._row.silence(until - _LATE))

    def finish(self, began: float, until: float) -> list[AnyPacket]:
        """What is left to write, up to the moment when the last picture ends."""
        made = self.due(began, until)
        assert self._row is not None
        made += self._encoded(self._row.silence(until))
        assert self._shaper is not None
        for frame in self._shaper.resample(None):
            made += self._stream.encode(frame)
        return made + self._stream.encode(None)

    def _encoded(self, samples: Samples) -> list[AnyPacket]:
        if not len(samples):
            return []
        context = self._stream.codec_context
        if self._shaper is None:  # the encoder is open now, and knows what it takes
            self._shaper = AudioResampler(context.format, "mono", RATE, context.frame_size)
        assert self._row is not None
        frame = AudioFrame.from_ndarray(samples[None], "flt", "mono")
        frame.sample_rate = RATE
        frame.pts = self._row.length - len(samples)
        return [
            packet
            for shaped in self._shaper.resample(frame)
            for packet in self._stream.encode(shaped)
        ]
