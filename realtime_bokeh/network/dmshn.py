"""Deep Multi-Scale Hierarchical Network (DMSHN) and its stacked form.

Dutta, Das, Shah and Tiwari, "Stacked Deep Multi-Scale Hierarchical Network for Fast Bokeh Effect
Rendering from a Single Image", CVPR Workshops 2021. Parameter names are those of the authors'
code (saikatdutta/Stacked_DMSHN_bokeh), so that their published checkpoints load strictly.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_bokeh.architectures import (
    ARCHITECTURES,
    PAPER,
    Layer,
    Layout,
    decoder_layers,
    encoder_layers,
)

STRIDE = 16  # height and width must be multiples: two halvings of the pyramid, two in each encoder


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


def _chain(layers: Iterable[Layer]) -> Chain:
    return Chain((layer.name, _module(layer)) for layer in layers)


def _module(layer: Layer) -> nn.Module:
    _, kind, inputs, outputs = layer
    if kind == "residual":
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
        )
    if kind == "doubling":
        return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
    return nn.Conv2d(inputs, outputs, 3, stride=2 if kind == "halving" else 1, padding=1)


def rescale(x: Tensor, factor: float) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


class DMSHN(nn.Module):
    """One DMSHN.

    Args:
        layout: its channels and blocks; all six parts have the same.
        focus_head: adds a fourth output channel to the last convolution, the logit of focus.

    Input float [n, 3, h, w], RGB in [0, 1], h and w multiples of 16. Output float
    [n, 3 or 4, h, w]: the bokeh rendering, RGB, near [0, 1] but not clamped; then the focus logit.
    """

    def __init__(self, layout: Layout = PAPER, focus_head: bool = False) -> None:
        super().__init__()
        self.encoder_lv1 = _chain(encoder_layers(layout))
        self.encoder_lv2 = _chain(encoder_layers(layout))
        self.encoder_lv3 = _chain(encoder_layers(layout))
        self.decoder_lv1 = _chain(decoder_layers(layout, 4 if focus_head else 3))
        self.decoder_lv2 = _chain(decoder_layers(layout, 3))
        self.decoder_lv3 = _chain(decoder_layers(layout, 3))

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

    def __init__(self, layout: Layout = PAPER, focus_head: bool = False) -> None:
        super().__init__()
        self.net1 = DMSHN(layout)
        self.net2 = DMSHN(layout, focus_head)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net2(self.net1(x))
        return out


def build(architecture: str, focus_head: bool) -> DMSHN | StackedDMSHN:
    """The network of an architecture named as in the weights manifest.

    Raises:
        KeyError: for a name that is not in ARCHITECTURES.
    """
    network = StackedDMSHN if architecture == "stacked" else DMSHN
    return network(ARCHITECTURES[architecture].layout, focus_head)


def split_output(y: Tensor) -> tuple[Tensor, Tensor | None]:
    """Split a network's output into its rendering and, where it has the head, the focus logit."""
    return y[:, :3], (y[:, 3:] if y.shape[1] == 4 else None)


def parameter_count(network: nn.Module) -> int:
    return sum(torch.numel(p) for p in network.parameters())
