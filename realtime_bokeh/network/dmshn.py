"""Deep Multi-Scale Hierarchical Network (DMSHN) and its stacked form.

Dutta, Das, Shah and Tiwari, "Stacked Deep Multi-Scale Hierarchical Network for Fast Bokeh Effect
Rendering from a Single Image", CVPR Workshops 2021. Parameter names are those of the authors'
code (saikatdutta/Stacked_DMSHN_bokeh), so that their published checkpoints load strictly.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PAPER_WIDTH = 32  # channels of the first level in the paper
LITE_WIDTH = 16  # ours, for CPUs and phones: a quarter of the arithmetic
STRIDE = 16  # height and width must be multiples: two halvings of the pyramid, two in each encoder


def _residual(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1),
    )


class Chain(nn.Module):
    """Named layers in a row; a residual block (an `nn.Sequential`) adds its input to its output."""

    def __init__(self, layers: Iterable[tuple[str, nn.Module]]) -> None:
        super().__init__()
        for name, layer in layers:
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = x + layer(x) if isinstance(layer, nn.Sequential) else layer(x)
        return x


def _encoder(width: int) -> Chain:
    a, b, c = width, 2 * width, 4 * width
    return Chain(
        [
            ("layer1", nn.Conv2d(3, a, 3, padding=1)),
            ("layer2", _residual(a)),
            ("layer3", _residual(a)),
            ("layer5", nn.Conv2d(a, b, 3, stride=2, padding=1)),
            ("layer6", _residual(b)),
            ("layer7", _residual(b)),
            ("layer9", nn.Conv2d(b, c, 3, stride=2, padding=1)),
            ("layer10", _residual(c)),
            ("layer11", _residual(c)),
        ]
    )


def _decoder(width: int, outputs: int) -> Chain:
    a, b, c = width, 2 * width, 4 * width
    return Chain(
        [
            ("layer13", _residual(c)),
            ("layer14", _residual(c)),
            ("layer16", nn.ConvTranspose2d(c, b, 4, stride=2, padding=1)),
            ("layer17", _residual(b)),
            ("layer18", _residual(b)),
            ("layer20", nn.ConvTranspose2d(b, a, 4, stride=2, padding=1)),
            ("layer21", _residual(a)),
            ("layer22", _residual(a)),
            ("layer24", nn.Conv2d(a, outputs, 3, padding=1)),
        ]
    )


def rescale(x: Tensor, factor: float) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


class DMSHN(nn.Module):
    """One DMSHN.

    Args:
        width: channels of the first level; the second and third have twice and four times as many.
        focus_head: adds a fourth output channel to the last convolution, the logit of focus.

    Input float [n, 3, h, w], RGB in [0, 1], h and w multiples of 16. Output float
    [n, 3 or 4, h, w]: the bokeh rendering, RGB, near [0, 1] but not clamped; then the focus logit.
    """

    def __init__(self, width: int = PAPER_WIDTH, focus_head: bool = False) -> None:
        super().__init__()
        self.encoder_lv1 = _encoder(width)
        self.encoder_lv2 = _encoder(width)
        self.encoder_lv3 = _encoder(width)
        self.decoder_lv1 = _decoder(width, 4 if focus_head else 3)
        self.decoder_lv2 = _decoder(width, 3)
        self.decoder_lv3 = _decoder(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        half = rescale(x, 0.5)
        quarter = rescale(half, 0.5)
        features3 = self.encoder_lv3(quarter)
        residual3 = self.decoder_lv3(features3)
        features2 = self.encoder_lv2(half + rescale(residual3, 2))
        residual2 = self.decoder_lv2(features2 + rescale(features3, 2))
        features1 = self.encoder_lv1(x + rescale(residual2, 2))
        # Equation 10 of the paper passes up features2 with features3 added; the authors' code,
        # and so every published checkpoint, passes up the encoder's output alone.
        out: Tensor = self.decoder_lv1(features1 + rescale(features2, 2))
        return out


class StackedDMSHN(nn.Module):
    """Two DMSHN in a row, the second refining the rendering of the first.

    Shapes, ranges and arguments as in `DMSHN`; only the second network can carry the focus head.
    """

    def __init__(self, width: int = PAPER_WIDTH, focus_head: bool = False) -> None:
        super().__init__()
        self.net1 = DMSHN(width)
        self.net2 = DMSHN(width, focus_head)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net2(self.net1(x))
        return out


def build(architecture: str, focus_head: bool) -> DMSHN | StackedDMSHN:
    """The network of an architecture named as in the weights manifest: lite, dmshn or stacked.

    Raises:
        KeyError: for any other name.
    """
    if architecture == "stacked":
        return StackedDMSHN(focus_head=focus_head)
    return DMSHN({"lite": LITE_WIDTH, "dmshn": PAPER_WIDTH}[architecture], focus_head)


def split_output(y: Tensor) -> tuple[Tensor, Tensor | None]:
    """Split a network's output into its rendering and, where it has the head, the focus logit."""
    return y[:, :3], (y[:, 3:] if y.shape[1] == 4 else None)


def parameter_count(network: nn.Module) -> int:
    return sum(torch.numel(p) for p in network.parameters())
