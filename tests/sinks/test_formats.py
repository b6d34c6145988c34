"""What is in a file is in its rendering: frames, order, times, length, sound, over many formats."""

from pathlib import Path

import numpy as np
import pytest

from tests import clips

SECOND = [i / 24 for i in range(24)]
SECOND_AT_25 = [i / 25 for i in range(25)]


@pytest.mark.parametrize(
    ("name", "codec", "audio", "rate"),
    [
        ("in.mp4", "libx264", "aac", 24),
        ("in.m4v", "libx264", "aac", 24),
        ("in.mov", "libx264", "pcm_s16le", 24),
        ("in.mkv", "libx264", "aac", 24),
        ("in.webm", "libvpx-vp9", "libopus", 24),
        ("in.avi", "mpeg4", "libmp3lame", 24),
        ("in.ts", "libx264", "aac", 24),
        ("in.m2ts", "libx264", "ac3", 24),
        ("in.mpg", "mpeg2video", "mp2", 25),
        ("in.flv", "libx264", "aac", 24),
        ("in.wmv", "wmv2", "wmav2", 24),
        ("in.3gp", "libx264", "aac", 24),
        ("in.mxf", "mpeg2video", "pcm_s16le", 25),
        ("in.nut", "libx264", "libmp3lame", 24),
        ("in.ogv", "libvpx", "libopus", 24),
    ],
)
@pytest.mark.parametrize("target", [".mp4", ".mkv"])
def test_frames_times_and_sound_are_kept(
    tmp_path: Path, name: str, codec: str, audio: str, rate: int, target: str
) -> None:
    moments = SECOND if rate == 24 else SECOND_AT_25
    options = {"crf": "4"} if codec == "libx264" else {"b": "4000000"}
    before = clips.make(
        tmp_path / name, moments, [np.kron(i, np.ones((2, 2, 1), np.uint8)) for i in
                                   clips.steps(rate)],
        audio=[audio], codec=codec, rate=rate, options=options, hold=1 / rate,
    )  # fmt: skip
    after = tmp_path / f"out{target}"
    remarks = clips.copy(before, after)
    old, new = np.array(clips.times(before)), np.array(clips.times(after))
    assert len(new) == rate
    tick = max(clips.tick(path) for path in (before, after))
    assert new - new[0] == pytest.approx(old - old[0], abs=tick + 1e-9)
    assert new[0] < 0.06
    assert clips.levels(after) == pytest.approx(clips.levels(before), abs=2)
    assert (np.diff(clips.levels(after)) > 2).all()
    lengths = [clips.ends(path, 1 / rate) - clips.times(path)[0] for path in (before, after)]
    assert lengths[1] == pytest.approx(lengths[0], abs=1 / rate)
    counted = new[0] if target == ".mkv" else 0  # Matroska states the length from 0 on
    assert clips.seconds(after) == pytest.approx(lengths[1] + counted, abs=1 / rate)
    shifts = [clips.times(path)[0] - clips.sound_starts(path) for path in (before, after)]
    if not remarks:
        framed = name.endswith(("ts", "m2ts")) and audio == "aac"  # 7 bytes before each packet
        sounds = [[packet[7 * framed :] for packet in track] for track in clips.sounds(before)]
        assert clips.sounds(after) == sounds
        assert shifts[0] == pytest.approx(shifts[1], abs=0.003)
    else:
        assert "encoded anew" in remarks[0]  # what is heard when: tests/sinks/test_tracks.py
