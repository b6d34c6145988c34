"""Decoded video frames as the images that a player shows."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame

from realtime_bokeh.colours import BT709, MATRICES, Colours
from realtime_bokeh.frame import EXACT, DeepImage, Image
from realtime_bokeh.hdr import NAMES, UNKNOWN, Curve, Light

_STANDARD_RANGE = "out_transfer=bt709:out_primaries=bt709:intent=perceptual"
_DYNAMIC = ("DYNAMIC_HDR_PLUS", "DYNAMIC_HDR_VIVID", "DOVI_RPU_BUFFER")
_ONE_FRAME = Fraction(1, 25)  # a time base; filters need one


@dataclass(frozen=True)
class Shown:
    """An image, uint8 [H, W, 3] BGR, and when it is shown, in units of the video's time base.

    deep: as `Frame` has it.
    """

    image: Image
    pts: int
    duration: int
    deep: DeepImage | None = None


def _side_data(picture: VideoFrame) -> Any:
    """What lies beside a frame's picture, by kind.

    PyAV 18.1.0 keeps in the frame what `picture.side_data` gives, which refers to the frame: such a
    circle, with the picture and two threads that converted it, stays until Python looks for them.
    """
    return SideDataContainer(picture)  # type: ignore[call-arg]  # which its stub leaves out


def turned(picture: VideoFrame) -> tuple[bool, bool, bool]:
    """Whether to swap rows and columns, then to flip up and down, then left and right."""
    data: Any = _side_data(picture).get("DISPLAYMATRIX")
    if data is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(data, np.int32)[:5].tolist()  # x, y becomes ax + cy, bx + dy
    swap = abs(b) > abs(a)
    return swap, (b if swap else d) < 0, (c if swap else a) < 0


def _light_of(picture: VideoFrame) -> Light:
    display: Any = _side_data(picture).get("MASTERING_DISPLAY_METADATA")
    content: Any = _side_data(picture).get("CONTENT_LIGHT_LEVEL")
    known: tuple[float, ...] = ()
    if display is not None:
        *fractions, has_primaries, has_light = np.frombuffer(display, np.int32)[:22].tolist()
        if has_primaries and has_light:
            known = tuple(a / b for a, b in zip(fractions[::2], fractions[1::2], strict=True))
    return Light(known, () if content is None else tuple(np.frombuffer(content, np.uint32)[:2]))


def _transparent(picture: VideoFrame) -> bool:
    return any(component.is_alpha for component in picture.format.components)


def _bits(picture: VideoFrame) -> int:
    return max(component.bits for component in picture.format.components)


class Developer:
    """Makes images of decoded frames: upright, deinterlaced, in standard range, opaque.

    Args:
        keep_hdr: whether images of high dynamic range are to come with deep ones. RGB, transparency
            and rare matrices are mapped to standard range all the same.

    remarks: a sentence for each of these that changed more than the way the picture lies.
    """

    def __init__(self, keep_hdr: bool) -> None:
        self.remarks: list[str] = []
        self._keep_hdr = keep_hdr
        self._curve: Curve | None = None  # of high dynamic range that is kept
        self._fields = False  # whether a frame of two fields was seen
        self._graph: Graph | None = None
        self._made_for: object = None
        # frames in the graph; each comes out as one
        self._inside: deque[tuple[int, int, tuple[bool, bool, bool]]] = deque()

    def begin(self, picture: VideoFrame) -> Colours:
        """Decide by the first frame what becomes of the range of all.

        Returns:
            The colours of the frames' rendering: their own, but for what the encoders do not hold:
            RGB, rare matrices and high dynamic range that is not kept become BT.709.
        """
        rgb = picture.format.is_rgb or picture.format.has_palette
        hdr = picture.color_trc in NAMES
        known = picture.colorspace in MATRICES
        if hdr and self._keep_hdr and known and not rgb and not _transparent(picture):
            self._curve = Curve(picture.color_trc)
        elif hdr or rgb:
            return Colours()
        return Colours(
            picture.colorspace if known else BT709, picture.color_range or Colours.range,
            picture.color_primaries, picture.color_trc,
            UNKNOWN if self._curve is None else _light_of(picture),
        )  # fmt: skip

    def develop(self, picture: VideoFrame, pts: int, duration: int) -> Iterator[Shown]:
        """Images that are ready once this frame has come: none, one or several.

        Raises:
            av.FFmpegError, ValueError: when FFmpeg cannot convert the frame.
        """
        self._fields |= picture.interlaced_frame  # the filter looks at every frame's flag itself
        steps = self._steps(picture)
        if not steps:
            yield from self.finish()
            yield self._shown(picture, turned(picture), pts, duration)
            return
        kind = (picture.width, picture.height, picture.format.name, steps)
        if kind != self._made_for:
            yield from self.finish()
            self._graph, self._made_for = _graph(picture, steps), kind
        assert self._graph is not None
        self._inside.append((pts, duration, turned(picture)))
        picture.pts = pts
        self._graph.vpush(picture)
        yield from self._ready()

    def finish(self) -> Iterator[Shown]:
        """Images of the frames that are still inside."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._ready()
        self._graph = self._made_for = None

    def _ready(self) -> Iterator[Shown]:
        assert self._graph is not None
        while self._inside:
            try:
                picture = self._graph.vpull()
            except (BlockingIOError, EOFError):
                return
            pts, duration, lie = self._inside.popleft()
            yield self._shown(picture, lie, pts, duration)

    def _shown(
        self, picture: VideoFrame, lie: tuple[bool, bool, bool], pts: int, duration: int
    ) -> Shown:
        if self._curve is None:
            image = picture.to_ndarray(format="bgr24", interpolation=EXACT)
            return Shown(_upright(image, lie), pts, duration)
        # not rgb48: swscale gets its colours wrong when it is to be exact
        image = picture.to_ndarray(format="gbrp16le", interpolation=EXACT)
        deep = _upright(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), lie)
        return Shown(self._curve.seen(deep), pts, duration, deep)

    def _steps(self, picture: VideoFrame) -> tuple[tuple[str, str], ...]:
        """The filters that a frame needs, with their arguments."""
        steps: list[tuple[str, str]] = []
        if self._fields:
            steps.append(("bwdif", "mode=send_frame:deint=interlaced"))
            self._remark("it was interlaced, and is deinterlaced now")
        transfer = NAMES.get(picture.color_trc)
        transparent = _transparent(picture)
        if self._curve is not None:
            if _bits(picture) > 10:
                self._remark("more than 10 bits a channel became 10")
            if any(_side_data(picture).get(kind) is not None for kind in _DYNAMIC):
                self._remark("dynamic metadata (HDR10+, Dolby Vision) were left out")
        elif transfer:
            steps += [("scale", _STANDARD_RANGE), ("format", "gbrap" if transparent else "gbrp")]
            self._remark(f"high dynamic range ({transfer}) was mapped to standard range, in 8 bits")
        elif _bits(picture) > 8:
            self._remark("more than 8 bits a channel became 8")
        if transparent:
            steps += [("format", "gbrap"), ("premultiply", "inplace=1")]
            self._remark("transparent parts, if it has any, became black")
        if _side_data(picture).get("A53_CC") is not None:
            self._remark("closed captions in the picture's data were left out")
        return tuple(steps)

    def _remark(self, sentence: str) -> None:
        if sentence not in self.remarks:
            self.remarks.append(sentence)


def _graph(picture: VideoFrame, steps: tuple[tuple[str, str], ...]) -> Graph:
    graph = Graph()
    node = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=_ONE_FRAME
    )
    for name, arguments in (*steps, ("buffersink", None)):
        following = graph.add(name, arguments)
        node.link_to(following)
        node = following
    graph.configure()
    return graph


def _upright(image: Image, lie: tuple[bool, bool, bool]) -> Image:
    """An image turned, contiguous."""
    swap, down, left = lie
    if swap:
        image = image.swapaxes(0, 1)
    return np.ascontiguousarray(image[:: -1 if down else 1, :: -1 if left else 1])
