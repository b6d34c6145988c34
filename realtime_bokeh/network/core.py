"""The graph that every runtime executes, and the whole frame around it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_bokeh.network.aperture import stop_down
from realtime_bokeh.network.dmshn import STRIDE, split_output
from realtime_bokeh.network.focus import focus_map
from realtime_bokeh.network.temporal import STATE_CHANNELS, smooth


class BokehCore(nn.Module):
    """The network at its small size with focus, temporal filter and aperture.

    Forward:
        small: uint8 [1, h, w, 3] BGR, h and w multiples of 16.
        state: float32 [1, 8, h, w], what the previous call returned; zeros mean "first frame".
        controls: float32 [2]: strength (see `aperture`) and smoothing, each in [0, 1].

    Returns:
        bokeh: uint8 [1, h, w, 3] BGR, the rendering.
        focus: float32 [1, h, w, 1] in [0, 1], the share of the camera's own pixels.
        state: float32 [1, 8, h, w] for the next frame.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, small: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, ...]:
        image = small.permute(0, 3, 1, 2).float()
        bokeh, focus, state = self.render(image, state, controls)
        bokeh = bokeh.to(torch.uint8)
        return bokeh.permute(0, 2, 3, 1), focus.permute(0, 2, 3, 1), state

    def render(self, small: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, ...]:
        """The same between floats [1, channels, h, w], for graphs with uint8 at their ends only.

        `small` and `bokeh` are whole numbers, 0 to 255.
        """
        x = small.flip(1) / 255  # BGR to RGB
        rendering, logit = split_output(self.network(x))
        rendering = rendering.clamp(0, 1)
        focus = focus_map(x, rendering, logit)
        rendering, focus, state = smooth(x, rendering, focus, state, controls[1])
        rendering, focus = stop_down(x, rendering, focus, controls[0])
        return (rendering.flip(1) * 255).round(), focus, state


def shrink(frame: Tensor, height: int, width: int) -> Tensor:
    """Area-downsample float [1, 3, H, W] to [1, 3, h, w], as OpenCV's INTER_AREA does.

    Whole ratios are an average pooling. For others the weights are the lengths that an input pixel
    shares with an output pixel's box, applied as matrices, so that every runtime has the operator.
    Enlarging, where an area means nothing, is bilinear.
    """
    large_height, large_width = frame.shape[2:]
    if (large_height, large_width) == (height, width):
        return frame
    if large_height < height or large_width < width:
        return F.interpolate(frame, (height, width), mode="bilinear", align_corners=False)
    if large_height % height == 0 and large_width % width == 0:
        return F.avg_pool2d(frame, (large_height // height, large_width // width))
    rows = _overlap(large_height, height).to(frame)
    columns = _overlap(large_width, width).to(frame)
    return rows @ (frame @ columns.T)


def _overlap(large: int, small: int) -> Tensor:
    edges = torch.arange(small + 1, dtype=torch.float64) * large / small
    pixels = torch.arange(large, dtype=torch.float64)
    low = torch.maximum(edges[:-1, None], pixels)
    high = torch.minimum(edges[1:, None], pixels + 1)
    return (high - low).clamp(min=0) * small / large


def recompose(frame: Tensor, bokeh: Tensor, focus: Tensor) -> Tensor:
    """Full resolution from both: up(bokeh) + up(focus) * (frame - up(bokeh)).

    Args:
        frame: float [1, 3, H, W]; bokeh: float [1, 3, h, w], same range and colour order;
        focus: float [1, 1, h, w] in [0, 1].
    """
    size = frame.shape[2:]
    if bokeh.shape[2:] == size:
        return bokeh + focus * (frame - bokeh)
    rendering = F.interpolate(bokeh, size, mode="bilinear", align_corners=False)
    share = F.interpolate(focus, size, mode="bilinear", align_corners=False)
    return rendering + share * (frame - rendering)


class BokehFrame(nn.Module):
    """A frame in, a frame out: shrink, core and recomposition in one graph.

    Args:
        core: the core.
        content: (h, w) that the frame is shrunk to; reflected up to multiples of 16 on its lower
            and right edges for the core, and cropped back. Each at least 16.

    Forward:
        frame: uint8 [1, H, W, 3] BGR; state, controls: as in `BokehCore`, at the padded size.

    Returns:
        uint8 [1, H, W, 3] BGR, and the state for the next frame.
    """

    def __init__(self, core: BokehCore, content: tuple[int, int]) -> None:
        super().__init__()
        self.core = core
        self.content = content

    def forward(self, frame: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        # TensorRT has uint8 at a graph's ends only: cast before anything else, and last of all
        rendered, state = self.render(frame.float(), state, controls)
        return rendered.to(torch.uint8), state

    def render(self, frame: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        """The same between floats [1, H, W, 3] that are whole numbers, 0 to 255."""
        height, width = self.content
        image = frame.permute(0, 3, 1, 2)
        small = shrink(image, height, width).round()
        small = F.pad(small, (0, -width % STRIDE, 0, -height % STRIDE), mode="reflect")
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
