import gc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image as Pillow

from realtime_bokeh.errors import SourceError, UsageError
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.video import VideoReader
from tests import clips


def _read_all(source: VideoReader) -> list[int]:
    return _read(source, 1000)


def _read(source: VideoReader, most: int) -> list[int]:
    found: list[int] = []
    while len(found) < most and (frame := source.read()) is not None:
        assert frame.pts is not None
        found.append(frame.pts)
    source.close()
    return found


@pytest.mark.parametrize("most", [3, 1000])
def test_pictures_are_let_go_at_once(tmp_path: Path, most: int) -> None:
    clip = clips.make(tmp_path / "in.mp4")
    gc.collect()
    gc.disable()  # it would find them in the end
    try:
        _read(VideoReader(clip), most)
        assert not any(isinstance(thing, VideoFrame) for thing in gc.get_objects())
    finally:
        gc.enable()


def test_every_frame_comes_with_its_time(tmp_path: Path) -> None:
    source = VideoReader(clips.make(tmp_path / "in.mp4"))
    assert source.size == Size(48, 64)
    assert source.fps == pytest.approx(24)
    assert source.total == 12
    assert source.describe() == "in.mp4: 64x48 at 24 fps h264"
    assert source.time_base is not None
    found = [float(pts * source.time_base) for pts in _read_all(source)]
    assert found == pytest.approx([i / 24 for i in range(12)])


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
@pytest.mark.parametrize("mirrored", [False, True])
def test_frames_are_upright(tmp_path: Path, rotation: int, mirrored: bool) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = 200  # the light quarter is at the top left
    path = clips.make(
        tmp_path / "in.mp4", image=image,
        prepare=lambda stream: stream.set_display_rotation(rotation, mirrored),
    )  # fmt: skip
    frame = VideoReader(path).read()
    assert frame is not None
    expected = np.rot90(image, rotation // 90)[:, :: -1 if mirrored else 1]
    assert frame.image.shape == expected.shape
    assert np.abs(frame.image.astype(int) - expected).mean() < 10
    assert frame.image.flags["C_CONTIGUOUS"]


def test_a_cover_is_not_the_video(tmp_path: Path) -> None:
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        video = container.add_stream("libx264", rate=24)
        video.width, video.height = 64, 48
        for stream, size in ((cover, Size(16, 16)), (video, Size(64, 48))):
            frame = av.VideoFrame(*size, stream.pix_fmt or "")
            frame.pts, frame.time_base = 0, Fraction(1, 24)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    assert VideoReader(path).size == Size(48, 64)


def _picture(kind: str) -> Callable[[Path], None]:
    return lambda path: Pillow.new("RGB", Size(64, 48), (9, 80, 200)).save(path, kind)


def _song(path: Path) -> None:
    clips.make(path.with_suffix(".mkv"), audio=["libmp3lame"])
    with av.open(str(path), "w", format="mp3") as container:
        track = container.add_stream("libmp3lame", rate=48000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 16, 16, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame(16, 16, "yuvj420p")
        frame.pts, frame.time_base = 0, Fraction(1, 1)
        pictures = cover.encode(frame) + cover.encode(None)
        tone = av.AudioFrame.from_ndarray(np.zeros((2, 1152), np.float32), "fltp", "stereo")
        tone.sample_rate, tone.pts = 48000, 0
        container.mux(track.encode(tone) + track.encode(None))
        container.mux(pictures)


def _avif(path: Path) -> None:
    Pillow.new("RGB", Size(64, 64)).save(path, "AVIF")


def _cut(name: str, codec: str, options: dict[str, str]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        noise = np.random.default_rng(0).integers(0, 255, (96, 128, 3)).astype(np.uint8)
        whole = clips.make(path.with_name(name), image=noise, codec=codec, options=options)
        content = whole.read_bytes()
        path.write_bytes(content[: len(content) * 6 // 10])
        whole.unlink()

    return make


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("none.mp4", lambda path: None, "does not exist"),
        ("folder.mp4", Path.mkdir, "does not exist or is not a file"),
        ("empty.mp4", Path.touch, "is empty"),
        ("t.txt", lambda path: path.write_text("hello world\n" * 50), "is a text"),
        ("t.nfo", lambda path: path.write_text("hello world\n" * 50), "is a text"),
        ("t.mp4", lambda path: path.write_text("hello world\n" * 50), "cannot be read|is not a vi"),
        ("r.mp4", lambda path: path.write_bytes(bytes(range(256)) * 40), "is not a video"),
        ("r.yuv", lambda path: path.write_bytes(bytes(9216)), "is not a video"),
        ("p.dat", _picture("PNG"), "is a picture"),
        ("p.mov", _picture("JPEG"), "is a picture"),
        ("p.bmp", _picture("BMP"), "is a picture"),
        ("p.heic", _avif, "is a picture"),
        ("song.mp3", _song, "has no video"),
        ("cut.mp4", _cut("a.mp4", "libx264", {}), r"is cut off \(\d+ of \d+ bytes\)"),
        ("cut.mkv", _cut("a.mkv", "libx264", {}), "is cut off"),
        ("cut.webm", _cut("a.webm", "libvpx", {"cpu-used": "8"}), "is cut off"),
        ("cut.avi", _cut("a.avi", "mpeg4", {}), "is cut off"),
    ],
)
def test_what_is_no_video_is_refused(
    tmp_path: Path, name: str, make: Callable[[Path], object], sentence: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(UsageError, match=sentence) as caught:
        VideoReader(tmp_path / name)
    assert name in str(caught.value)


def test_a_change_of_size_is_an_error(tmp_path: Path) -> None:
    first = clips.make(tmp_path / "a.h264", container_format="h264")
    second = clips.make(
        tmp_path / "b.h264", image=clips.solid((0, 0, 99), Size(96, 64)), container_format="h264"
    )
    path = tmp_path / "in.h264"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    with pytest.raises(SourceError, match="changes its picture size at frame 12"):
        _read_all(VideoReader(path))


def test_damage_in_the_middle_is_an_error(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8)
    path = clips.make(tmp_path / "in.mov", image=noise, codec="png", pix_fmt="rgb24", options={})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"is damaged after frame \d+"):
        _read_all(VideoReader(path))
