"""What comes with a video's pictures comes through, or a sentence says that it does not."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Disposition
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle
from av.video.stream import VideoStream

from realtime_bokeh.sizes import Size
from tests import clips

TEXTS = ["Hello", "Good morning"]


def _film(container: OutputContainer, **tags: str) -> VideoStream:
    video = container.add_stream("libx264", rate=24, options={"bf": "0"})
    assert isinstance(video, VideoStream)
    video.width, video.height = 64, 48
    video.metadata.update(tags)
    return video


def _roll(container: OutputContainer, video: VideoStream, count: int = 48) -> None:
    for index in range(count):
        frame = av.VideoFrame(64, 48, video.pix_fmt or "yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, 24)
        container.mux(video.encode(frame))
    container.mux(video.encode(None))


def _tone(container: OutputContainer, track: AudioStream, seconds: float = 2) -> None:
    moments = np.arange(round(48000 * seconds)) / 48000
    wave = (8000 * np.sin(2 * np.pi * 440 * moments)).astype(np.int16)
    tune = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
    tune.sample_rate, tune.pts = 48000, 0
    container.mux(track.encode(tune) + track.encode(None))


def _song(
    container: OutputContainer, codec: str = "aac", layout: str = "mono", **tags: str
) -> AudioStream:
    track = container.add_stream(codec, rate=48000)
    assert isinstance(track, AudioStream)
    track.codec_context.layout = layout
    track.metadata.update(tags)
    return track


def _write(container: OutputContainer, stream: Any, data: bytes, begin: int, length: int) -> None:
    packet: Any = av.Packet(data)
    packet.stream, packet.pts, packet.dts, packet.duration = stream, begin, begin, length
    packet.time_base = Fraction(1, 1000)
    container.mux(packet)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_titles_of_tracks_are_kept(tmp_path: Path, ending: str) -> None:
    with av.open(str(tmp_path / "in.mp4"), "w") as container:
        video, sound = _film(container, title="Bild"), _song(container, title="Ton")
        _tone(container, sound, 0.5)
        _roll(container, video, 12)
    clips.copy(tmp_path / "in.mp4", tmp_path / f"out{ending}")
    with av.open(str(tmp_path / f"out{ending}")) as container:
        found = [s.metadata.get("title", s.metadata.get("name")) for s in container.streams]
    assert found == ["Bild", "Ton"]


def test_lines_without_a_length_are_shown_for_a_while(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        video, text = _film(container), container.add_mux_stream("subrip")
        container.start_encoding()
        for begin, line in zip((100, 1200), TEXTS, strict=True):
            _write(container, text, line.encode(), begin, 0)
        _roll(container, video)
    clips.copy(tmp_path / "in.mkv", tmp_path / "out.mp4")
    assert _said(tmp_path / "out.mp4") == TEXTS


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """Two sounds, of which the second is the default, subtitles, chapters, a font, a title."""
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w", options={"default_mode": "passthrough"}) as container:
        container.metadata["title"] = "Holidays"
        video = _film(container)
        sounds = [_song(container, language="eng"), _song(container, language="ger", title="Ton")]
        text = container.add_mux_stream("subrip")
        text.metadata["language"] = "eng"
        video.disposition = sounds[1].disposition = Disposition.default
        container.add_attachment("font.ttf", "font/ttf", b"font")
        container.set_chapters(
            [
                {"id": 1, "start": 0, "end": 1000, "time_base": Fraction(1, 1000),
                 "metadata": {"title": "One"}},
                {"id": 2, "start": 1000, "end": 2000, "time_base": Fraction(1, 1000),
                 "metadata": {"title": "Two"}},
            ]
        )  # fmt: skip
        container.start_encoding()
        for begin, line in zip((100, 1200), TEXTS, strict=True):
            _write(container, text, line.encode(), begin, 500)
        for sound in sounds:
            _tone(container, sound)
        _roll(container, video)
    return path


def _said(path: Path) -> list[str]:
    """The texts of all subtitles."""
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        assert isinstance(stream, SubtitleStream)
        packets = [packet for packet in container.demux(stream) if packet.size]
        found = [stream.decode2(packet) for packet in packets]
        lines = [line for lines in found if lines is not None for line in lines]
        return [line.dialogue.decode() for line in lines if isinstance(line, AssSubtitle)]


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".mov", ".webm"])
def test_tracks_chapters_and_flags_are_kept(tmp_path: Path, rich: Path, ending: str) -> None:
    after = tmp_path / f"out{ending}"
    remarks = clips.copy(rich, after)
    with av.open(str(after)) as container:
        assert {k.lower(): v for k, v in container.metadata.items()}["title"] == "Holidays"
        sounds = container.streams.audio
        assert [sound.language for sound in sounds] == ["eng", "ger"]
        assert [bool(s.disposition & Disposition.default) for s in sounds] == [False, True]
        chapters = [
            (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]), c["metadata"])
            for c in container.chapters() if c["time_base"]
        ]  # fmt: skip
        assert chapters == [(0, 1, {"title": "One"}), (1, 2, {"title": "Two"})]
        assert container.streams.subtitles[0].language == "eng"
        assert any(s.type == "attachment" for s in container.streams) == (ending == ".mkv")
    assert _said(after) == TEXTS
    if ending == ".webm":
        assert clips.sounds(after) != clips.sounds(rich)
    else:
        assert clips.sounds(after) == clips.sounds(rich)
    assert [r for r in remarks if "anew" not in r] == (
        [] if ending == ".mkv"
        else [f"Track 4 (attachment) was left out: {ending} cannot hold it"]
    )  # fmt: skip


def test_a_part_takes_its_chapters_and_subtitles(tmp_path: Path, rich: Path) -> None:
    after = tmp_path / "out.mkv"
    clips.copy(rich, after, 0.5, 1.5)
    with av.open(str(after)) as container:
        found = [float(c["end"] * (c["time_base"] or 1)) for c in container.chapters()]
    assert found == [0.5, 1.0]
    assert _said(after) == TEXTS
    assert clips.seconds(after) == pytest.approx(1, abs=0.07)


@pytest.mark.parametrize(
    ("source", "codec", "target", "made"),
    [
        ("in.wmv", "wmav2", ".mkv", "aac"),
        ("in.wmv", "wmav2", ".mp4", "aac"),
        ("in.wmv", "wmav2", ".webm", "opus"),
        ("in.mkv", "libopus", ".mov", "aac"),
        ("in.avi", "pcm_s16le", ".webm", "opus"),
        ("in.m2ts", "pcm_bluray", ".mkv", "aac"),
    ],
)
def test_sound_that_does_not_fit_is_encoded_anew_with_a_word(
    tmp_path: Path, source: str, codec: str, target: str, made: str
) -> None:
    before = clips.make(tmp_path / source, [i / 24 for i in range(24)], audio=[codec])
    after = tmp_path / f"out{target}"
    remarks = clips.copy(before, after)
    name = codec.removeprefix("lib")
    reason = f"since {target} cannot hold it as it is"
    assert remarks == [f"Track 1 (sound, {name}) was encoded anew in {made}, {reason}"]
    with av.open(str(after)) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name == made
        heard = [frame.to_ndarray() for frame in container.decode(sound)]
    assert sum(part.shape[-1] for part in heard) / 48000 > 0.9
    assert max(np.abs(part).max() for part in heard) > 0.1  # of 1: it is the tone, not silence


@pytest.mark.parametrize(
    ("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1(side)", 6), ("5.0", 5)]
)
def test_sound_that_is_encoded_anew_keeps_its_channels(
    tmp_path: Path, layout: str, channels: int
) -> None:
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        video, sound = _film(container), _song(container, "ac3", layout)
        _tone(container, sound, 0.5)
        _roll(container, video, 12)
    clips.copy(tmp_path / "in.mkv", tmp_path / "out.webm")
    with av.open(str(tmp_path / "out.webm")) as container:
        assert container.streams.audio[0].codec_context.channels == channels


def test_sound_whose_channels_change_is_encoded_anew(tmp_path: Path) -> None:
    """As when a film follows advertising; a raw stream of AC-3 is where it is easily made."""
    parts = []
    for layout in ("stereo", "5.1(side)", "stereo"):
        with av.open(str(tmp_path / "part.ac3"), "w") as container:
            sound = _song(container, "ac3", layout)
            _tone(container, sound, 0.5)
        parts.append((tmp_path / "part.ac3").read_bytes())
    (tmp_path / "all.ac3").write_bytes(b"".join(parts))
    with (
        av.open(str(tmp_path / "all.ac3")) as source,
        av.open(str(tmp_path / "in.mkv"), "w") as container,
    ):
        video = _film(container)
        sound = container.add_stream_from_template(source.streams.audio[0])
        container.start_encoding()
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = sound
                container.mux(packet)
        _roll(container, video, 36)
    remarks = clips.copy(tmp_path / "in.mkv", tmp_path / "out.webm")
    assert len(remarks) == 1
    with av.open(str(tmp_path / "out.webm")) as container:
        length = sum(frame.samples for frame in container.decode(container.streams.audio[0]))
    assert length / 48000 == pytest.approx(1.5, abs=0.1)


def test_sound_of_an_unknown_kind_is_left_out_with_a_word(tmp_path: Path) -> None:
    before = clips.make(tmp_path / "in.mp4", audio=["aac", "aac"])
    content = before.read_bytes()
    place = content.rindex(b"mp4a")
    description = content[place:].replace(b"mp4a", b"apac").replace(b"esds", b"free")
    before.write_bytes(content[:place] + description)  # as an iPhone's spatial sound
    remarks = clips.copy(before, tmp_path / "out.mp4")
    assert len(remarks) == 1
    assert remarks[0].startswith("Track 2 (sound)")
    assert "left out" in remarks[0]
    assert clips.sounds(tmp_path / "out.mp4") == clips.sounds(before)[:1]


@pytest.mark.parametrize("target", [".mp4", ".mkv"])
def test_sound_that_never_comes_is_left_out_with_a_word(tmp_path: Path, target: str) -> None:
    before = clips.make(tmp_path / "in.ts", [i / 24 for i in range(12)], audio=["aac"])
    data = before.read_bytes()
    packets = [data[i : i + 188] for i in range(0, len(data), 188)]
    before.write_bytes(b"".join(p for p in packets if (p[1] & 31) << 8 | p[2] != 0x101))
    remarks = clips.copy(before, tmp_path / f"out{target}")
    assert remarks == ["Track 1 (sound, aac) was left out: nothing of it came at the beginning"]
    assert len(clips.times(tmp_path / f"out{target}")) == 12


def _cover(path: Path) -> None:
    with av.open(str(path), "w") as container:
        video = _film(container)
        cover = container.add_stream("mjpeg", rate=1)
        assert isinstance(cover, VideoStream)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        frame = av.VideoFrame(16, 16, "yuvj420p")
        frame.pts, frame.time_base = 0, Fraction(1, 1)
        container.mux(cover.encode(frame) + cover.encode(None))
        _roll(container, video, 12)


@pytest.mark.parametrize("target", [".mp4", ".mkv"])
def test_a_cover_is_kept(tmp_path: Path, target: str) -> None:
    _cover(tmp_path / "in.mp4")
    after = tmp_path / f"out{target}"
    assert clips.copy(tmp_path / "in.mp4", after) == []
    with av.open(str(after)) as container:
        covers = [s for s in container.streams if s.disposition & Disposition.attached_pic]
        assert len(covers) == 1
        assert covers[0].codec_context.name == "mjpeg"
    assert len(clips.times(after)) == 12


def test_a_cover_that_does_not_fit_is_named(tmp_path: Path) -> None:
    _cover(tmp_path / "in.mp4")
    remarks = clips.copy(tmp_path / "in.mp4", tmp_path / "out.webm")
    assert remarks == ["Track 1 (cover, mjpeg) was left out: .webm cannot hold it"]


def test_the_default_video_is_rendered_not_the_first(tmp_path: Path) -> None:
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w", options={"default_mode": "passthrough"}) as container:
        still, video = _film(container), _film(container)
        video.disposition = Disposition.default
        container.start_encoding()
        _roll(container, still, 1)
        _roll(container, video, 12)
    remarks = clips.copy(path, tmp_path / "out.mp4")
    assert remarks == ["Track 0 (video, h264) was left out: only one video is rendered"]
    assert len(clips.times(tmp_path / "out.mp4")) == 12


IPHONE = {
    "com.apple.quicktime.location.ISO6709": "+48.1371+011.5754+519.000/",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.creationdate": "2024-05-06T09:08:09+0200",
}


@pytest.mark.parametrize("target", [".mov", ".mp4", ".mkv"])
def test_what_an_iphone_says_is_kept(tmp_path: Path, target: str) -> None:
    path = tmp_path / "in.mov"
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(IPHONE)
        _roll(container, _film(container), 3)
    clips.copy(path, tmp_path / f"out{target}")
    with av.open(str(tmp_path / f"out{target}")) as container:
        found = {name.lower(): value for name, value in container.metadata.items()}
    assert {name.lower(): value for name, value in IPHONE.items()}.items() <= found.items()


@pytest.mark.parametrize("target", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("tag", ["title", "artist", "comment", "date", "copyright", "genre"])
def test_tags_are_kept(tmp_path: Path, target: str, tag: str) -> None:
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as container:
        container.metadata[tag] = "2024" if tag == "date" else "Grüße"
        _roll(container, _film(container), 3)
    clips.copy(path, tmp_path / f"out{target}")
    with av.open(str(tmp_path / f"out{target}")) as container:
        found = {name.lower(): value for name, value in container.metadata.items()}
    assert found[tag] == ("2024" if tag == "date" else "Grüße")


def test_tags_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as container:
        container.metadata.update({"title": "Holidays", "MOOD": "happy", "WEATHER": "rain"})
        _roll(container, _film(container), 3)
    assert clips.copy(path, tmp_path / "out.mkv") == []
    remarks = clips.copy(path, tmp_path / "out.mp4")
    assert remarks == [".mp4 cannot hold the tags MOOD, WEATHER"]


def test_the_time_code_of_a_camcorder_does_no_harm(tmp_path: Path) -> None:
    before = clips.make(
        tmp_path / "in.dv", [i / 25 for i in range(5)],
        image=clips.solid((60, 120, 180), Size(576, 720)), codec="dvvideo",
        audio=["pcm_s16le"], options={}, rate=25,
    )  # fmt: skip
    for target in ("out.mp4", "out.mov", "out.mkv"):
        remarks = clips.copy(before, tmp_path / target)
        assert [remark for remark in remarks if "interlaced" not in remark] == []
        assert np.diff(clips.times(tmp_path / target)) == pytest.approx([0.04] * 4, abs=0.001)


def test_sound_that_is_encoded_anew_stays_in_step(tmp_path: Path) -> None:
    """The tone begins half a second after the first frame, and does so in the rendering."""
    before = clips.make(
        tmp_path / "in.wmv", [i / 24 for i in range(48)], audio=["wmav2"], audio_start=0.5
    )
    clips.copy(before, tmp_path / "out.mp4")
    begun = []
    for path in (before, tmp_path / "out.mp4"):
        with av.open(str(path)) as container:
            for frame in container.decode(container.streams.audio[0]):
                loud = np.abs(frame.to_ndarray()).max(0) > 0.1
                if loud.any() and frame.time is not None:
                    begun.append(frame.time + float(loud.argmax()) / 48000)
                    break
    starts = [clips.times(path)[0] for path in (before, tmp_path / "out.mp4")]
    assert begun[1] - starts[1] == pytest.approx(begun[0] - starts[0], abs=0.03)


@pytest.mark.parametrize("target", [".mp4", ".mov", ".mkv", ".webm"])
def test_sound_that_is_encoded_anew_ends_where_it_ended(tmp_path: Path, target: str) -> None:
    before = clips.make(tmp_path / "in.wmv", [i / 24 for i in range(48)], audio=["wmav2"])
    after = tmp_path / f"out{target}"
    clips.copy(before, after)
    ends = [
        clips.ends(path, 1 / 24, "audio") - clips.times(path)[0] for path in (before, after)
    ]  # counted from the first frame on
    assert ends[1] == pytest.approx(ends[0], abs=0.022)  # AAC comes in packets of 21 ms
    assert clips.seconds(after) == pytest.approx(2, abs=0.06)


def test_damaged_sound_is_counted(tmp_path: Path) -> None:
    before = clips.make(tmp_path / "in.mkv", audio=["ac3"])
    with av.open(str(before)) as container:
        packets = [p for p in container.demux(container.streams.audio[0]) if p.size]
        bad = bytes(packets[5])
    content = before.read_bytes()
    assert content.count(bad) == 1
    before.write_bytes(content.replace(bad, b"\xff" * len(bad)))
    remarks = clips.copy(before, tmp_path / "out.webm")  # which cannot hold it: it is decoded
    assert remarks[1] == "1 damaged packet of sound or subtitles was left out"
    assert len(clips.times(tmp_path / "out.webm")) == 12
