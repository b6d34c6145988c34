"""The graph that every runtime executes, and the whole frame around it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_bokeh.network.aperture import Aperture
from realtime_bokeh.network.dmshn import STRIDE, split_output
from realtime_bokeh.network.focus import focus_map
from realtime_bokeh.network.temporal import STATE_CHANNELS, smooth


class BokehCore(nn.Module):
    """The network at its small size with focus, temporal filter and aperture.

    Args:
        network: as `dmshn.DMSHN`.
        finer: how many times finer than it renders, across, it sees the picture.

    Forward:
        small: uint8 [1, finer h, finer w, 3] BGR, h and w multiples of 16.
        state: float32 [1, 8, h, w], what the previous call returned; zeros mean "first frame".
        controls: float32 [2]: strength (see `aperture`) and smoothing, each in [0, 1].

    Returns:
        bokeh: uint8 [1, h, w, 3] BGR, the rendering.
        focus: float32 [1, h, w, 1] in [0, 1], the share of the camera's own pixels.
        state: float32 [1, 8, h, w] for the next frame.
    """

    def __init__(self, network: nn.Module, finer: int = 1) -> None:
        super().__init__()
        self.network = network
        self.finer = finer
        self.aperture = Aperture()

    def forward(self, small: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, ...]:
        image = small.permute(0, 3, 1, 2).float()
        bokeh, focus, state = self.render(image, state, controls)
        bokeh = bokeh.to(torch.uint8)
        return bokeh.permute(0, 2, 3, 1), focus.permute(0, 2, 3, 1), state

    def render(self, small: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, ...]:
        """The same between floats, channels before rows, for graphs with uint8 at their ends only.

        `small` and `bokeh` are whole numbers, 0 to 255.
        """
        # BGR to RGB and back
        bokeh, focus, state = self.develop(small.flip(1) / 255, state, controls)
        return (bokeh.flip(1) * 255).round(), focus, state

    def develop(self, x: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, ...]:
        """The same from RGB in [0, 1] to RGB in [0, 1]."""
        rendering, logit = split_output(self.network(x))
        rendering = rendering.clamp(0, 1)
        if self.finer > 1:
            x = F.avg_pool2d(x, self.finer)
        focus = focus_map(x, rendering, logit)
        rendering, focus, state = smooth(x, rendering, focus, state, controls[1])
        rendering, focus = self.aperture(x, rendering, focus, controls[0])
        return rendering, focus, state


class Shrink(nn.Module):
    """Area-downsample float [1, 3, H, W] to [1, 3, h, w], as OpenCV's INTER_AREA does.

    Whole ratios are an average pooling. For others the weights are the shares of an output pixel
    that input pixels cover, applied as matrices, so that every runtime has the operator, and made
    ahead, since a CUDA graph cannot record a copy from the host. Enlarging, where an area means
    nothing, is bilinear.

    Args:
        frame: (H, W).
        content: (h, w).
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, frame: tuple[int, int], content: tuple[int, int]) -> None:
        super().__init__()
        self.content = content
        self.ratio = (frame[0] / content[0], frame[1] / content[1])
        self.by_blocks = all(ratio >= 1 and ratio.is_integer() for ratio in self.ratio)
        if not self.by_blocks and min(self.ratio) >= 1:
            for name, large, small in zip(("rows", "columns"), frame, content, strict=True):
                self.register_buffer(name, overlap(large, small), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        if self.ratio == (1, 1):
            return image
        if self.by_blocks:
            return F.avg_pool2d(image, (int(self.ratio[0]), int(self.ratio[1])))
        if min(self.ratio) < 1:
            return F.interpolate(image, self.content, mode="bilinear", align_corners=False)
        return self.rows @ (image @ self.columns.T)


def overlap(large: int, small: int) -> Tensor:
    """Weights, float [small, large], of whole numbers in 1/(large * small) of the side."""
    outputs = torch.arange(small)[:, None] * large
    inputs = torch.arange(large)[None] * small
    low, high = torch.maximum(outputs, inputs), torch.minimum(outputs + large, inputs + small)
    return (high - low).clamp(min=0) / large


_END = 0.01  # the nearer to 0, the less exactly 8 bits hold the logits, see recompose.py


def enlarge_focus(focus: Tensor, size: tuple[int, int]) -> Tensor:
    """A focus map at another size, interpolated bilinearly as logits.

    Focus falls from 1 to 0 within a pixel or two. Interpolated as it is, a slanting edge becomes a
    stair, and what lies within a pixel of it is half blurred; the logit crosses an edge in a
    straight line, and so focus is as sharp at any size. It is taken of focus brought `_END` nearer
    to a half, as it has no end otherwise, and that is taken back.

    Args:
        focus: float [1, 1, h, w] in [0, 1].
        size: (H, W).

    Returns:
        float [1, 1, H, W], where 0 and 1 stay what they are.
    """
    share = _END + (1 - 2 * _END) * focus
    logit = share.log() - (1 - share).log()
    logit = F.interpolate(logit, size, mode="bilinear", align_corners=False)
    return (torch.sigmoid(logit) - _END) / (1 - 2 * _END)


def recompose(frame: Tensor, bokeh: Tensor, focus: Tensor) -> Tensor:
    """Full resolution from both: up(bokeh) + up(focus) * (frame - up(bokeh)).

    The rendering is enlarged bilinearly, focus by `enlarge_focus`.

    Args:
        frame: float [1, 3, H, W]; bokeh: float [1, 3, h, w], same range and colour order;
        focus: float [1, 1, h, w] in [0, 1].
    """
    size = frame.shape[2:]
    if bokeh.shape[2:] == size:
        return bokeh + focus * (frame - bokeh)
    rendering = F.interpolate(bokeh, size, mode="bilinear", align_corners=False)
    share = enlarge_focus(focus, (size[0], size[1]))
    return rendering + share * (frame - rendering)


class BokehFrame(nn.Module):
    """A frame in, a frame out: shrink, core and recomposition in one graph.

    Args:
        core: the core.
        frame: (H, W) of the frames.
        content: (h, w) at which they are rendered; shrunk to `core.finer` times that, reflected
            up to as many times multiples of 16 on the lower and right edges for the core, and
            cropped back. Each at least 16.

    Forward:
        frame: uint8 [1, H, W, 3] BGR; state, controls: as in `BokehCore`, at the padded size.

    Returns:
        uint8 [1, H, W, 3] BGR, and the state for the next frame.
    """

    def __init__(self, core: BokehCore, frame: tuple[int, int], content: tuple[int, int]) -> None:
        super().__init__()
        self.core = core
        self.frame = frame
        self.content = content
        height, width = content
        self.shrink = Shrink(frame, (core.finer * height, core.finer * width))

    def blank_inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs of the right shapes and types, to trace it with."""
        height, width = self.content
        small = (height + -height % STRIDE, width + -width % STRIDE)
        frame = torch.zeros(1, *self.frame, 3, dtype=torch.uint8)
        return frame, first_state(small), torch.ones(2)

    def forward(self, frame: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        # TensorRT has uint8 at a graph's ends only: cast before anything else, and last of all
        rendered, state = self.render(frame.float(), state, controls)
        return rendered.to(torch.uint8), state

    def render(self, frame: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        """The same between floats [1, H, W, 3] that are whole numbers, 0 to 255."""
        height, width = self.content
        image = frame.permute(0, 3, 1, 2)
        small = self.shrink(image).round()
        right, below = (self.core.finer * (-side % STRIDE) for side in (width, height))
        small = F.pad(small, (0, right, 0, below), mode="reflect")
        bokeh, focus, state = self.core.render(small, state, controls)
        result = recompose(image, bokeh[:, :, :height, :width], focus[:, :, :height, :width])
        return result.round().permute(0, 2, 3, 1), state


class HalfPrecision(nn.Module):
    """A network that computes in float16 between float32 ends; what surrounds it stays exact.

    A network over full frames is nearly all of the arithmetic, while the temporal filter feeds on
    its own results.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.half()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.network(x.half())
        return out.float()


def first_state(small: tuple[int, int]) -> Tensor:
    """The state before the first frame at this (padded) inference size."""
    return torch.zeros(1, STATE_CHANNELS, *small)
