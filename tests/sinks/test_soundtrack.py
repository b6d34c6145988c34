"""Sounds in one row, each where it was heard."""

import numpy as np
import pytest

from realtime_bokeh.sinks.soundtrack import InStep
from realtime_bokeh.sound import RATE, Samples, Sound

BEGAN = 50.0
BLOCK = 1000  # samples


def _sound(second: float, value: float = 1.0) -> Sound:
    return Sound(np.full(BLOCK, value, np.float32), BEGAN + second)


def _row(*sounds: Sound) -> Samples:
    row = InStep(BEGAN)
    samples = np.concatenate([row.add(sound) for sound in sounds])
    assert row.length == len(samples)
    return samples


def test_sounds_follow_each_other() -> None:
    assert (_row(_sound(0), _sound(BLOCK / RATE, 2.0)) == [1.0] * BLOCK + [2.0] * BLOCK).all()


def test_what_was_heard_before_the_beginning_is_left_out() -> None:
    assert len(_row(_sound(-1), _sound(-BLOCK / 4 / RATE))) == BLOCK * 3 // 4


def test_a_late_beginning_is_silent() -> None:
    samples = _row(_sound(0.02))
    assert (samples == [0.0] * 960 + [1.0] * BLOCK).all()


def test_what_is_missing_is_silence() -> None:
    samples = _row(_sound(0), _sound(1))
    assert len(samples) == RATE + BLOCK
    assert (samples[BLOCK:RATE] == 0).all()
    assert (samples[RATE:] == 1).all()


def test_what_comes_twice_is_left_out() -> None:
    later = [_sound(index * BLOCK / RATE, float(index)) for index in range(10)]
    samples = _row(*later, *later[:5])
    assert (samples == np.repeat(np.arange(10.0), BLOCK)).all()


def test_stamps_that_tremble_change_nothing() -> None:
    sounds = [_sound(i * BLOCK / RATE + 0.008 * (-1) ** i * (i > 0), float(i)) for i in range(50)]
    assert (_row(*sounds) == np.repeat(np.arange(50.0), BLOCK)).all()


@pytest.mark.parametrize("rate", [0.9995, 1.0005])
def test_another_clock_is_followed_without_a_gap(rate: float) -> None:
    row, late = InStep(BEGAN), []
    wave = np.sin(np.arange(BLOCK) * 2 * np.pi / BLOCK).astype(np.float32)
    for index in range(3000):  # a minute
        second = index * BLOCK / RATE * rate
        late.append(abs(row.length / RATE - second))
        samples = row.add(Sound(wave, BEGAN + second))
        assert abs(len(samples) - BLOCK) <= 1
        assert np.abs(np.diff(samples)).max() < 0.01  # not a click
    assert max(late) < 0.011


def test_after_silence_sound_is_where_it_was_heard() -> None:
    row = InStep(BEGAN)
    assert len(row.silence(BEGAN + 0.05)) == 2400
    assert len(row.silence(BEGAN + 0.04)) == 0
    assert len(row.add(_sound(0.045))) == BLOCK - 240
    row.silence(BEGAN + 2)
    assert len(row.add(_sound(2.001))) == BLOCK + 48
