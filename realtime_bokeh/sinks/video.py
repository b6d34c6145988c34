"""A video file through PyAV: the source's frame timing, and all that came with its pictures."""

import contextlib
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
from av import VideoFrame
from av.container import OutputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from realtime_bokeh.colours import Colours, even, to_picture
from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.files import STANDARD, check_output, reason
from realtime_bokeh.frame import Frame, Sink
from realtime_bokeh.hdr import NAMES, Curve
from realtime_bokeh.pipes import StandardOutput, interruptible
from realtime_bokeh.sinks.encoders import (
    FORMATS,
    Encoder,
    choose,
    choose_clear,
    choose_hdr,
    format_of,
)
from realtime_bokeh.sinks.packets import AnyPacket
from realtime_bokeh.sinks.places import Piped, Place, Whole
from realtime_bokeh.sinks.tracks import Original, Tracks
from realtime_bokeh.sizes import Size

_KEEP_DURATIONS = 1 << 8  # AV_CODEC_FLAG_FRAME_DURATION


def check_video(
    path: Path, codec: str | None = None, crf: int | None = None, alpha: bool = False
) -> Encoder:
    """Refuse a video that cannot be written; else its encoder.

    Args:
        alpha: whether it shall hold transparency.

    Raises:
        UsageError: as `files.check_output`, `encoders.choose`, `encoders.choose_clear` and
            `pipes.StandardOutput`.
    """
    if path == STANDARD:
        StandardOutput()
    else:
        check_output(path, "a video", FORMATS)
    return (choose_clear if alpha else choose)(path, codec, crf)


class VideoWriter(Sink):
    """Writes a file that appears whole or not at all, or a pipe.

    Args:
        path: ending in one of `encoders.FORMATS`; `files.STANDARD` is standard output, which gets
            Matroska as it is made.
        size: (height, width) of every frame.
        fps: nominal.
        time_base: seconds per unit of the frames' pts.
        original: a video whose tracks, tags, chapters, colours and pixel shape are carried over.
            Its frames have deep images only where `encoders.choose_hdr` gives an encoder.
        codec, crf: of `encoders.ENCODERS`, and its quality; None is the format's, and the codec's.
        alpha: whether frames have a fourth channel, the opacity, which is kept.

    remarks: sentences on what the file does not have as the original, known at the end.

    Raises:
        UsageError: as `check_video`.
        SinkError: when the file cannot be written.
    """

    def __init__(
        self, path: Path, size: Size, fps: float, time_base: Fraction,
        original: Original | None = None, codec: str | None = None, crf: int | None = None,
        alpha: bool = False,
    ) -> None:  # fmt: skip
        self._encoder = check_video(path, codec, crf, alpha)
        self._colours = Colours() if original is None else original.colours
        if alpha:
            self._colours = self._colours.of_clear(self._encoder.pix_fmt)
        self._curve: Curve | None = None
        if self._colours.transfer in NAMES:
            encoder = choose_hdr(path, codec)
            assert encoder is not None
            self._encoder, self._curve = encoder, Curve(self._colours.transfer)
        self._path = path
        self._name = "standard output" if path == STANDARD else f"{path}"
        self._time_base = time_base
        self._begun = self._failed = False
        self.remarks: list[str] = []
        self._tracks: Tracks | None = None
        self._container: OutputContainer | None = None
        self._place = self._open_place()
        try:
            options = self._encoder.told(crf, self._colours.light)
            self._guarded(lambda: self._open(size, fps, original, options))
        except BaseException:
            self._discard()
            raise

    def _open_place(self) -> Place:
        return Piped() if self._path == STANDARD else Whole(self._path)

    def _open(
        self, size: Size, fps: float, original: Original | None, options: dict[str, str]
    ) -> None:
        kind = format_of(self._path)
        told = self._container_options(kind, original)
        self._container = av.open(self._place.target, "w", format=kind, options=told)
        rate = Fraction(fps).limit_denominator(1001)
        stream = self._container.add_stream(self._encoder.name, rate=rate, options=options)
        assert isinstance(stream, VideoStream)
        self._stream = stream
        stream.width, stream.height = even(size.width), even(size.height)
        if (stream.height, stream.width) != size:
            self.remarks.append(
                f"{size} became {stream.width}x{stream.height}, as players need even sides"
            )
        stream.pix_fmt = self._encoder.pix_fmt
        context = stream.codec_context
        context.time_base = self._time_base
        context.flags |= _KEEP_DURATIONS
        if context.codec.canonical_name == "hevc" and kind in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # Apple's players know no other
        context.colorspace, context.color_range = self._colours.matrix, self._colours.range
        context.color_primaries = self._colours.primaries
        context.color_trc = self._colours.transfer
        if original is not None:
            context.sample_aspect_ratio = original.pixel_aspect
        self._add_others(self._container, original)
        self._open_encoder(context)
        self._container.start_encoding()  # opens the file

    def _container_options(self, kind: str, original: Original | None) -> dict[str, str]:
        """What the file's writer is to be told."""
        return {} if original is None else Tracks.options(kind, original)

    def _add_others(self, container: OutputContainer, original: Original | None) -> None:
        """Add what is beside the video."""
        if original is not None:
            ending = "Matroska" if self._path == STANDARD else self._path.suffix.lower()
            self._tracks = Tracks(container, original, ending)
            self._tracks.describe_video(self._stream, original)

    def _open_encoder(self, context: VideoCodecContext) -> None:
        os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder would tell its life on the screen
        try:
            context.open()
        except (av.FFmpegError, ValueError) as error:
            raise UsageError(
                f"The encoder {self._encoder.name} does not work here ({reason(error)}); "
                "leave out --codec"
            ) from error

    def describe(self) -> str:
        return self._name

    def write(self, frame: Frame) -> None:
        image = frame.image
        if self._curve is not None and frame.deep is not None:
            image = self._curve.restored(frame.deep, image)
        picture = to_picture(image, self._colours, self._encoder.pix_fmt)
        picture.time_base = self._time_base
        self._stamp(picture, frame)
        self._begun = True
        self._guarded(lambda: self._mux(self._stream.encode(picture)))

    def _stamp(self, picture: VideoFrame, frame: Frame) -> None:
        """Say when a picture is shown."""
        assert frame.pts is not None, "only live frames have none"
        picture.pts = frame.pts
        picture.duration = frame.duration  # of the last one nothing else tells

    def _mux(self, packets: Sequence[AnyPacket]) -> None:
        """Write video packets, and before each what is due of the other tracks."""
        assert self._container is not None
        for packet in packets:
            if packet.dts is not None and packet.time_base is not None:
                self._mux_others(packet.dts * packet.time_base)
            self._container.mux(packet)

    def _mux_others(self, until: Fraction | None) -> None:
        assert self._container is not None
        for packet in () if self._tracks is None else self._tracks.due(until):
            try:
                self._container.mux(packet)
            except av.FFmpegError as error:
                if isinstance(error, OSError):
                    raise
                assert self._tracks is not None
                self._tracks.damaged += 1

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            with interruptible():
                action()
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            raise SinkError(
                f"{self._name} cannot be written ({reason(error)}); {self._place.left()}"
            ) from error

    def _finish(self) -> None:
        assert self._container is not None
        self._mux(self._stream.encode(None))
        self._mux_others(None)
        self._container.close()
        if self._tracks is not None:
            if self._place.part is not None:
                self._tracks.check_tags(self._place.part)
            self.remarks += self._tracks.remarks
        self._place.keep()
        damaged = self._tracks.damaged if self._tracks else 0
        if damaged:
            self.remarks.append(
                f"{damaged} damaged packet{'s' * (damaged > 1)} of sound or subtitles "
                f"{'were' if damaged > 1 else 'was'} left out"
            )

    def close(self, complete: bool) -> None:
        if self._container is None:  # a second time
            return
        try:
            if complete and self._begun and not self._failed:
                self._guarded(self._finish)
        finally:
            self._discard()

    def _discard(self) -> None:
        if self._container is not None:
            # a full disk again, or nothing written yet: the file goes anyway
            with contextlib.suppress(Exception):
                self._container.close()
        self._container = self._tracks = None
        self._place.drop()
