"""What a video's numbers look like, as far as eight bits and one picture at a time can show it."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.video import VideoReader
from tests import clips


def _combing(image: Image) -> float:
    """How far rows differ from their neighbors, by how far from the rows behind those."""
    rows = image[..., 1].astype(float)
    return float(np.abs(rows[1:-1] - rows[:-2]).mean() / np.abs(rows[2:] - rows[:-2]).mean())


def _two_fields(index: int) -> Image:
    """A pattern that moves between the upper rows' moment and the lower rows'."""
    rows, columns = np.mgrid[:96, :128]
    moved = columns - 6 * index - np.where(rows % 2, 3, 0)
    levels = 120 + 80 * np.sin(moved / 6) + 20 * np.sin(rows / 9)
    return np.repeat(levels[..., None], 3, -1).astype(np.uint8)


def test_two_fields_become_one_picture(tmp_path: Path) -> None:
    before = clips.make(
        tmp_path / "in.mp4", image=[_two_fields(i) for i in range(12)],
        options={"crf": "4", "flags": "+ildct+ilme", "x264-params": "tff=1"},
    )  # fmt: skip
    remarks = clips.copy(before, tmp_path / "out.mp4")
    assert remarks == ["it was interlaced, and is deinterlaced now"]
    assert clips.times(tmp_path / "out.mp4") == pytest.approx(clips.times(before), abs=0.001)
    source, target = VideoReader(before), VideoReader(tmp_path / "out.mp4")
    assert _combing(_two_fields(5)) > 1.2
    for reader in (source, target):
        frames = [frame.image for frame in iter(reader.read, None)]
        assert len(frames) == 12
        assert _combing(frames[5]) < 0.9
        reader.close()


def _with_alpha(path: Path, codec: str, pix_fmt: str, transfer: int = 2) -> Path:
    """A red square; around it is green that is not to be seen."""
    image = np.zeros((48, 64, 4), np.uint8)
    image[..., 1] = 255
    image[12:36, 16:48] = (200, 0, 0, 255)
    with av.open(str(path), "w") as container:
        options = {"auto-alt-ref": "0"} if path.suffix == ".webm" else {}
        stream = container.add_stream(codec, rate=24, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        stream.codec_context.color_trc = transfer
        if path.suffix == ".webm":
            stream.metadata["alpha_mode"] = "1"
        for index in range(6):
            frame = av.VideoFrame.from_ndarray(image, format="rgba").reformat(format=pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, 24)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("in.mov", "qtrle", "argb"),
        ("in.mov", "png", "rgba"),
        ("in.mov", "prores_ks", "yuva444p10le"),
        ("in.webm", "libvpx-vp9", "yuva420p"),
        ("in.webm", "libvpx", "yuva420p"),
    ],
)
def test_hidden_colours_stay_hidden(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    reader = VideoReader(_with_alpha(tmp_path / name, codec, pix_fmt))
    frames = [frame.image for frame in iter(reader.read, None)]
    assert len(frames) == 6
    for image in frames:
        assert image[:8].max() < 12
        assert image[16:32, 20:44].mean((0, 1)) == pytest.approx([0, 0, 200], abs=6)
    assert "transparent parts, if it has any, became black" in reader.remarks
    reader.close()


def test_hidden_colours_stay_hidden_in_high_dynamic_range(tmp_path: Path) -> None:
    path = _with_alpha(tmp_path / "in.mov", "prores_ks", "yuva444p10le", transfer=16)
    frame = VideoReader(path).read()
    assert frame is not None
    assert frame.image[:8].max() < 12


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_mapped_with_a_word(tmp_path: Path, transfer: int, name: str) -> None:
    def tagged(stream: VideoStream) -> None:
        stream.codec_context.color_trc = transfer
        stream.codec_context.color_primaries = 9

    ramp = np.repeat(np.linspace(0, 200, 64).astype(np.uint8)[None, :, None], 3, -1)
    before = clips.make(
        tmp_path / "in.mp4", image=np.repeat(ramp, 48, 0), pix_fmt="yuv420p10le", matrix=9,
        prepare=tagged,
    )  # fmt: skip
    remarks = clips.copy(before, tmp_path / "out.mp4", codec="h264")
    assert remarks == [f"high dynamic range ({name}) was mapped to standard range, in 8 bits"]
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (1, 1, 1)
    assert frame.format.name == "yuv420p"
    row = clips.picture(tmp_path / "out.mp4")[24, :, 1].astype(int)
    assert (np.diff(row[::8]) > 0).all()  # a ramp still, neither washed out nor cut off
    assert row[-1] - row[0] > 80


def test_more_than_eight_bits_are_cut_with_a_word(tmp_path: Path) -> None:
    before = clips.make(tmp_path / "in.mp4", pix_fmt="yuv420p10le", matrix=1)
    assert clips.copy(before, tmp_path / "out.mp4") == ["more than 8 bits a channel became 8"]


def test_untagged_rgb_is_tagged_as_it_is_written(tmp_path: Path) -> None:
    before = clips.make(
        tmp_path / "in.avi", image=clips.solid((200, 60, 40), Size(720, 1280)), times=[0.0],
        codec="rawvideo", pix_fmt="bgr24", options={},
    )  # fmt: skip
    clips.copy(before, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range) == (1, 1)
    shown = clips.picture(tmp_path / "out.mp4")[300, 300].astype(int)
    assert np.abs(shown - (200, 60, 40)).max() <= 2
