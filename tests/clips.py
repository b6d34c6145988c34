"""Makes small real video files, runs them through source and sink, and looks at the result."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from realtime_bokeh.frame import EXACT, Image
from realtime_bokeh.metrics import Metrics
from realtime_bokeh.pipeline import Effect, Pipeline
from realtime_bokeh.sinks.encoders import choose_hdr
from realtime_bokeh.sinks.video import VideoWriter
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.video import VideoReader

HALF_A_SECOND = tuple(index / 24 for index in range(12))
RED_LEFT_BLUE_RIGHT = np.zeros((48, 64, 3), np.uint8)
RED_LEFT_BLUE_RIGHT[:, :32, 2] = 200
RED_LEFT_BLUE_RIGHT[:, 32:, 0] = 200


def solid(bgr: tuple[int, int, int], size: Size = Size(48, 64)) -> Image:
    return np.full((*size, 3), bgr, np.uint8)


def make(
    path: Path,
    times: Sequence[float] = HALF_A_SECOND,
    image: Image | Sequence[Image] | None = None,
    audio: Sequence[str] = (),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    matrix: int = 2,
    full_range: bool = False,
    audio_start: float = 0.0,
    options: dict[str, str] | None = None,
    prepare: Callable[[VideoStream], object] = lambda stream: None,
    container_format: str | None = None,
    hold: float = 1 / 24,
    rate: int = 24,
) -> Path:
    """A clip with a frame at each of `times`: of one image, or of as many; audio codecs by name.

    The last frame is shown for `hold` seconds.
    """
    image = solid((60, 120, 180)) if image is None else image
    images = [image] * len(times) if isinstance(image, np.ndarray) else image
    base = Fraction(1, rate if codec == "mpeg2video" else 12000)  # which knows its own rates only
    with av.open(str(path), "w", format=container_format) as container:
        video = container.add_stream(codec, rate=rate, options=options or {"crf": "4"})
        assert isinstance(video, VideoStream)
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = pix_fmt
        video.codec_context.time_base = base
        video.codec_context.colorspace = matrix
        video.codec_context.color_range = 2 if full_range else 1
        video.codec_context.flags |= 1 << 8  # keep the frames' durations
        prepare(video)
        # FFmpeg counts its Vorbis encoder as experimental
        strict = {"strict": "experimental"}
        tracks: list[AudioStream] = []
        for name in audio:
            track = container.add_stream(name, rate=48000, options=strict)
            assert isinstance(track, AudioStream)
            track.codec_context.layout = "stereo"
            track.codec_context.bit_rate = 128_000
            tracks.append(track)
        for track in tracks:
            _sing(container, track, audio_start, max(times) + 1 / 24)
        for seconds, image in zip(times, images, strict=True):
            deep = image.dtype == np.uint16  # and gray: FFmpeg takes it as RGB
            frame = av.VideoFrame.from_ndarray(image, "gbrp16le" if deep else "bgr24").reformat(
                format=pix_fmt,
                dst_colorspace=5 if matrix in (2, 6) else matrix,
                dst_color_range=2 if full_range else 1,
                interpolation=EXACT,
            )
            frame.pts, frame.time_base = round(seconds / base), base
            frame.duration = round((hold if seconds == max(times) else 1 / 24) / base)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def _sing(container: OutputContainer, track: AudioStream, start: float, end: float) -> None:
    """A tone from `start` to `end`, after which the track is finished."""
    moments = np.arange(round((end - start) * 48000)) / 48000
    tone = (8000 * np.sin(2 * np.pi * 440 * moments)).astype(np.int16)
    tune = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None], format="s16", layout="stereo")
    tune.sample_rate, tune.pts = 48000, round(start * 48000)
    size = track.codec_context.frame_size or 1024
    shaper = av.AudioResampler(track.codec_context.format.name, "stereo", 48000, size)
    for frame in shaper.resample(tune) + shaper.resample(None):
        container.mux(track.encode(frame))
    container.mux(track.encode(None))


def copy(
    source: Path, target: Path, start: float = 0, end: float | None = None,
    codec: str | None = None, crf: int | None = None, effect: Effect = lambda image: lambda: image,
) -> list[str]:  # fmt: skip
    """Render, unless told otherwise with an effect that changes nothing; what was remarked on."""
    keep_hdr = choose_hdr(target, codec) is not None
    reader = VideoReader(source, start, end, tracks=True, keep_hdr=keep_hdr)
    writer = VideoWriter(target, reader.size, reader.fps, reader.time_base, reader, codec, crf)
    Pipeline(reader, effect, [writer], Metrics()).run()
    return [*reader.remarks, *writer.remarks]


def steps(count: int) -> list[Image]:
    """Images that get lighter one by one, so that a missing frame and another order show."""
    return [solid((level, level, level)) for level in np.linspace(30, 220, count).astype(int)]


def levels(path: Path) -> list[float]:
    """How light each frame of a clip is."""
    with av.open(str(path)) as container:
        frames = container.decode(container.streams.video[0])
        return [float(frame.to_ndarray(format="gray").mean()) for frame in frames]


def times(path: Path) -> list[float]:
    """When the frames of a clip are shown, in seconds."""
    with av.open(str(path)) as container:
        moments = [frame.time for frame in container.decode(container.streams.video[0])]
    return [moment for moment in moments if moment is not None]


def ends(path: Path, hold: float, kind: str | None = None) -> float:
    """When the last packet of a clip, or of its tracks of a kind, ends, in seconds.

    A packet that does not say how long it is shown is, for `hold` seconds.
    """
    with av.open(str(path)) as container:
        tracks = [s for s in container.streams if kind in (None, s.type)]
        return max(
            float(p.pts * p.time_base) + (float(p.duration * p.time_base) if p.duration else hold)
            for p in container.demux(tracks)
            if p.pts is not None and p.size
        )


def tick(path: Path) -> float:
    """The unit in which a clip's video counts time, in seconds."""
    with av.open(str(path)) as container:
        assert container.streams.video[0].time_base is not None
        return float(container.streams.video[0].time_base)


def sounds(path: Path) -> list[list[bytes]]:
    """The packets of every audio track."""
    with av.open(str(path)) as container:
        tracks: dict[int, list[bytes]] = {s.index: [] for s in container.streams.audio}
        for packet in container.demux(container.streams.audio) if tracks else ():
            if packet.size:
                tracks[packet.stream.index].append(bytes(packet))
        return list(tracks.values())


def sound_starts(path: Path) -> float:
    """When the first audio packet that is heard is heard, in seconds."""
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.audio[0])
        return min(float(p.pts * p.time_base) for p in packets if p.pts is not None)


def boxes(path: Path) -> list[str]:
    """The kinds of an MP4 file's boxes."""
    content, kinds, at = path.read_bytes(), [], 0
    while at < len(content):
        kinds.append(content[at + 4 : at + 8].decode("ascii"))
        at += int.from_bytes(content[at : at + 4], "big")
    assert at == len(content)
    return kinds


def seconds(path: Path) -> float:
    """The length that the file states."""
    with av.open(str(path)) as container:
        assert container.duration is not None
        return container.duration / av.time_base


def picture(path: Path) -> Image:
    """The first frame as stored, without turning it, uint8 [H, W, 3] BGR."""
    with av.open(str(path)) as container:
        frame = next(container.decode(container.streams.video[0]))
        return np.asarray(frame.to_ndarray(format="bgr24", interpolation=EXACT))
