import os
import sys
from pathlib import Path

import numpy as np
import pytest

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.frame import Frame, Stopped
from realtime_bokeh.interrupts import held
from realtime_bokeh.sinks.discard import Discard
from realtime_bokeh.sinks.raw import RawFrames

FRAME = Frame(np.arange(24, dtype=np.uint8).reshape(2, 4, 3), 0, 0.0)


def test_raw_frames_are_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    end, start = os.pipe()
    with os.fdopen(end, "rb") as reader, os.fdopen(start, "w") as writer:
        monkeypatch.setattr(sys, "stdout", writer)
        sink = RawFrames()
        sink.write(FRAME)
        sink.write(FRAME)
        assert reader.read(48) == bytes(range(24)) * 2
        reader.close()
        with pytest.raises(Stopped):  # who reads has seen enough
            sink.write(FRAME)


def test_raw_frames_on_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(SinkError, match="No space left"):
            RawFrames().write(FRAME)


def test_raw_frames_are_not_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    _, terminal = os.openpty()
    with os.fdopen(terminal, "w") as screen:
        monkeypatch.setattr(sys, "stdout", screen)
        with pytest.raises(UsageError, match="send it to one, or to a file"):
            RawFrames()


def test_raw_frames_need_a_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UsageError, match="send it to one, or to a file"):
        RawFrames()


def test_an_interruption_breaks_off_raw_frames_that_nobody_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[int] = []

    def write(descriptor: int, data: memoryview) -> int:
        if not written:
            held.strike(2, None)  # the pipe is full when the user presses Ctrl-C
        written.append(len(data))
        return len(data)

    monkeypatch.setattr(held, "_latest", -60.0)
    with Path(os.devnull).open("w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        sink = RawFrames()
        monkeypatch.setattr(os, "write", write)
        with pytest.raises(KeyboardInterrupt), held:
            sink.write(FRAME)
    assert written == []


def test_nothing_takes_everything() -> None:
    sink = Discard()
    sink.write(FRAME)
    sink.close(complete=True)
    assert not sink.live
