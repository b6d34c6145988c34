"""The core and the whole frame as phones run them: RGB, channels last at every end.

Only operators that LiteRT's accelerators have: no rounding but by a cast, no reversed channels, no
padding by reflection.
"""

import math

import torch
from torch import Tensor, nn

from realtime_bokeh.network.core import BokehCore, overlap, recompose
from realtime_bokeh.network.dmshn import STRIDE

_LAST = "decoder_lv1.layer24"
_SPREAD, _MIDDLE = 20.0, 0.6  # focus logits, about -12 to 9, divided and moved: 0 to 1.05


class Upsample(nn.Module):
    """What a transposed convolution of 4x4 at stride 2 gives, in operators that are fast on phones.

    Each of four interleaved pixels sees two rows and two columns of the input. One convolution of
    2x2 computes the four from the same window, with a frame of one pixel too many around the whole,
    and their channels are laid out in rows and columns. Exact but for the order of additions.

    Forward: float [1, c, h, w] to [1, outputs, 2h, 2w].
    """

    def __init__(self, transposed: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.outputs = transposed.out_channels
        self.windows = nn.Conv2d(transposed.in_channels, 4 * self.outputs, 2, padding=1)
        assert transposed.bias is not None
        # before it is cropped: of output 2p + a, input p - 1 has tap a + 2 and input p tap a
        inputs, outputs = transposed.in_channels, self.outputs
        taps = transposed.weight.data.reshape(inputs, outputs, 2, 2, 2, 2).flip(2, 4)
        kernel = taps.permute(3, 5, 1, 0, 2, 4)  # [rows, columns, outputs, inputs, 2, 2]
        self.windows.weight.data = kernel.flatten(0, 2).contiguous()
        self.windows.bias = nn.Parameter(transposed.bias.data.repeat(4))

    def forward(self, x: Tensor) -> Tensor:
        return _planes(_interleaved(self.windows(x))[:, 1:-1, 1:-1])


class Shrink(nn.Module):
    """The area average of a frame, by a whole ratio or by half of one.

    Blocks of odd sides become four pixels, by one convolution whose channels are laid out in rows
    and columns.

    Args:
        ratio: of the frame's sides to those at which the network renders.
        finer: how many times finer than that the network sees the frame.

    Forward: float [1, 3, H, W] to [1, 3, finer H / ratio, finer W / ratio].
    """

    def __init__(self, ratio: int, finer: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(ratio // finer) if ratio % finer == 0 else None
        if self.pool is None:
            self.blocks = nn.Conv2d(3, 3 * finer * finer, ratio, stride=ratio, bias=False)
            part = overlap(ratio, finer)
            squares = torch.einsum("iy,jx->ijyx", part, part)
            kernel = torch.einsum("ijyx,oc->ijocyx", squares, torch.eye(3))
            self.blocks.weight.data = kernel.flatten(0, 2).contiguous()

    def forward(self, frame: Tensor) -> Tensor:
        if self.pool is not None:
            smaller: Tensor = self.pool(frame)
            return smaller
        return _planes(_interleaved(self.blocks(frame)))


class PhoneNetwork(nn.Module):
    """A network that an accelerator can run in int8 throughout, with the same results.

    Its transposed convolutions are `Upsample`, and its last convolution, whose outputs share a
    scale in int8, gives the focus logit in the range of the picture.

    Args:
        network: changed in place.
        focus_head: whether the network has one.
    """

    def __init__(self, network: nn.Module, focus_head: bool) -> None:
        super().__init__()
        for module in list(network.modules()):
            for name, layer in module.named_children():
                if isinstance(layer, nn.ConvTranspose2d):
                    setattr(module, name, Upsample(layer))
        self.network = network
        self.focus_head = focus_head
        if focus_head:
            last = [m for n, m in network.named_modules() if n.endswith(_LAST)][-1]
            assert isinstance(last, nn.Conv2d)
            assert last.bias is not None
            last.weight.data[3] /= _SPREAD
            last.bias.data[3] = last.bias.data[3] / _SPREAD + _MIDDLE

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.network(x)
        if not self.focus_head:
            return y
        # once it is cut out: converters fold what is done to all channels into the convolution
        return torch.cat([y[:, :3], (y[:, 3:] - _MIDDLE) * _SPREAD], 1)


def _interleaved(parts: Tensor) -> Tensor:
    """Pixels [1, 2h, 2w, c] of planes [1, 4c, h, w]: of the upper row, then the lower one, the left
    and the right pixels' channels."""
    pixels = _pixels(parts)
    _, height, width, channels = pixels.shape
    rows = torch.stack(pixels.chunk(2, 3), 2)
    return rows.reshape(1, 2 * height, 2 * width, channels // 4)


def _planes(image: Tensor) -> Tensor:
    return image.permute(0, 3, 1, 2)


def _pixels(planes: Tensor) -> Tensor:
    return planes.permute(0, 2, 3, 1)


def _levels(planes: Tensor) -> Tensor:
    """uint8 [1, h, w, 3] of planes that are 0 to 255: cast last, since casts cut off."""
    return _pixels(planes + 0.5).to(torch.uint8)


class PhoneCore(nn.Module):
    """What `BokehCore` does; the app shrinks and recomposes.

    Args:
        core: the core.
        float_io: pictures are float32 in [0, 1] instead of uint8, as GPUs take them.

    Forward:
        small: uint8 or float32 [1, finer h, finer w, 3] RGB, h and w multiples of 16; see
            `BokehCore`.
        state: float32 [1, h, w, 8], what the previous call returned; zeros at first.
        controls: float32 [2]: strength and smoothing, each in [0, 1].

    Returns:
        bokeh [1, h, w, 3] of the type that `small` has, focus float32 [1, h, w, 1], next_state as
        `state`.
    """

    def __init__(self, core: BokehCore, float_io: bool = False) -> None:
        super().__init__()
        self.core = core
        self.float_io = float_io

    def forward(self, small: Tensor, state: Tensor, controls: Tensor) -> dict[str, Tensor]:
        # cast first: accelerators transpose floats only
        x = _planes(small if self.float_io else small.float() / 255)
        bokeh, focus, state = self.core.develop(x, _planes(state), controls)
        picture = _pixels(bokeh) if self.float_io else _levels(bokeh * 255)
        return {"bokeh": picture, "focus": _pixels(focus), "next_state": _pixels(state)}


class PhoneFrame(nn.Module):
    """What `BokehFrame` does, for frames that a whole ratio brings to the network's size.

    Args:
        core: the core.
        ratio: of the frame's sides to those at which the network renders; both sides of the frame
            are multiples of 16 times it.
        float_io: as in `PhoneCore`.

    Forward:
        frame: uint8 or float32 [1, H, W, 3] RGB; state [1, H / ratio, W / ratio, 8]; controls.

    Returns:
        rendering [1, H, W, 3] as `frame`, next_state as `state`.
    """

    def __init__(self, core: BokehCore, ratio: int, float_io: bool = False) -> None:
        super().__init__()
        self.core = core
        self.float_io = float_io
        self.shrink = Shrink(ratio, core.finer)

    def forward(self, frame: Tensor, state: Tensor, controls: Tensor) -> dict[str, Tensor]:
        image = _planes(frame if self.float_io else frame.float() / 255)
        bokeh, focus, state = self.core.develop(self.shrink(image), _planes(state), controls)
        result = recompose(image, bokeh, focus)
        picture = _pixels(result) if self.float_io else _levels(result * 255)
        return {"rendering": picture, "next_state": _pixels(state)}


def integer_ratio(frame: tuple[int, int], area: int) -> int | None:
    """The ratio at which a frame comes nearest to an area in pixels for the network; None: none."""
    height, width = frame
    fitting = [
        ratio
        for ratio in range(1, min(frame) // STRIDE + 1)
        if height % (STRIDE * ratio) == 0 and width % (STRIDE * ratio) == 0
    ]
    distance = {ratio: abs(math.log(height * width / ratio**2 / area)) for ratio in fitting}
    return min(fitting, key=lambda ratio: distance[ratio], default=None)
