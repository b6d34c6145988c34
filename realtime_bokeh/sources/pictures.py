"""Decoded video frames as the images that a player shows."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame

from realtime_bokeh.colours import BT709, MATRICES, Colours
from realtime_bokeh.frame import EXACT, Image

_HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics
_STANDARD_RANGE = "out_transfer=bt709:out_primaries=bt709:intent=perceptual"
_ONE_FRAME = Fraction(1, 25)  # a time base; filters need one


@dataclass(frozen=True)
class Shown:
    """An image, uint8 [H, W, 3] BGR, and when it is shown, in units of the video's time base."""

    image: Image
    pts: int
    duration: int


def turned(picture: VideoFrame) -> tuple[bool, bool, bool]:
    """Whether to swap rows and columns, then to flip up and down, then left and right."""
    data: Any = picture.side_data.get("DISPLAYMATRIX")
    if data is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(data, np.int32)[:5].tolist()  # x, y becomes ax + cy, bx + dy
    swap = abs(b) > abs(a)
    return swap, (b if swap else d) < 0, (c if swap else a) < 0


def colours_of(picture: VideoFrame) -> Colours:
    """The colours of a frame's rendering: its own, but for what eight bits and the encoders do not
    hold: high dynamic range, RGB and rare matrices become BT.709."""
    if picture.color_trc in _HDR or picture.format.is_rgb or picture.format.has_palette:
        return Colours()
    return Colours(
        picture.colorspace if picture.colorspace in MATRICES else BT709,
        picture.color_range or Colours.range, picture.color_primaries, picture.color_trc,
    )  # fmt: skip


class Developer:
    """Makes images of decoded frames: upright, deinterlaced, in standard range, opaque.

    remarks: a sentence for each of these that changed more than the way the picture lies.
    """

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self._fields = False  # whether a frame of two fields was seen
        self._graph: Graph | None = None
        self._made_for: object = None
        # frames in the graph; each comes out as one
        self._inside: deque[tuple[int, int, tuple[bool, bool, bool]]] = deque()

    def develop(self, picture: VideoFrame, pts: int, duration: int) -> Iterator[Shown]:
        """Images that are ready once this frame has come: none, one or several.

        Raises:
            av.FFmpegError, ValueError: when FFmpeg cannot convert the frame.
        """
        self._fields |= picture.interlaced_frame  # the filter looks at every frame's flag itself
        steps = self._steps(picture)
        if not steps:
            yield from self.finish()
            yield Shown(_upright(picture, turned(picture)), pts, duration)
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
            yield Shown(_upright(picture, lie), pts, duration)

    def _steps(self, picture: VideoFrame) -> tuple[tuple[str, str], ...]:
        """The filters that a frame needs, with their arguments."""
        steps: list[tuple[str, str]] = []
        if self._fields:
            steps.append(("bwdif", "mode=send_frame:deint=interlaced"))
            self._remark("it was interlaced, and is deinterlaced now")
        transfer = _HDR.get(picture.color_trc)
        transparent = any(component.is_alpha for component in picture.format.components)
        if transfer:
            steps += [("scale", _STANDARD_RANGE), ("format", "gbrap" if transparent else "gbrp")]
            self._remark(f"high dynamic range ({transfer}) was mapped to standard range, in 8 bits")
        elif max(component.bits for component in picture.format.components) > 8:
            self._remark("more than 8 bits a channel became 8")
        if transparent:
            steps += [("format", "gbrap"), ("premultiply", "inplace=1")]
            self._remark("transparent parts, if it has any, became black")
        if picture.side_data.get("A53_CC") is not None:
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


def _upright(picture: VideoFrame, lie: tuple[bool, bool, bool]) -> Image:
    """A frame as uint8 [H, W, 3] BGR, turned."""
    image = picture.to_ndarray(format="bgr24", interpolation=EXACT)
    swap, down, left = lie
    if swap:
        image = image.swapaxes(0, 1)
    return np.ascontiguousarray(image[:: -1 if down else 1, :: -1 if left else 1])
