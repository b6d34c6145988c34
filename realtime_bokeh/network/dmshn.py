"""Deep Multi-Scale Hierarchical Network (DMSHN) and its stacked form.

Dutta, Das, Shah and Tiwari, "Stacked Deep Multi-Scale Hierarchical Network for Fast Bokeh Effect
Rendering from a Single Image", CVPR Workshops 2021. Parameter names are those of the authors'
code (saikatdutta/Stacked_DMSHN_bokeh), so that their published checkpoints load strictly.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_bokeh.architectures import (
    ARCHITECTURES,
    FINER,
    PAPER,
    Layer,
    Layout,
    decoder_layers,
    encoder_layers,
)

STRIDE = 16  # sides must be multiples of it: two halvings of the pyramid, two in each encoder


class Chain(nn.Module):
    """Named layers in a row; a residual block (an `nn.Sequential`) adds its input to its output."""

    def __init__(self, layers: Iterable[tuple[str, nn.Module]]) -> None:
        super().__init__()
        for name, layer in layers:
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return _through(self.children(), x)


class FineEncoder(Chain):
    """An encoder that sees the picture finer than what is added to it.

    Forward: RGB [n, 3, FINER h, FINER w] and what is added [n, 3, h, w] to features.
    """

    def forward(self, x: Tensor, added: Tensor) -> Tensor:  # type: ignore[override]
        coarse, fine, *others = self.children()
        return _through(others, fine(x) + coarse(added))


def _through(layers: Iterable[nn.Module], x: Tensor) -> Tensor:
    for layer in layers:
        x = x + layer(x) if isinstance(layer, nn.Sequential) else layer(x)
    return x


def _chain(layers: Iterable[Layer]) -> Chain:
    return Chain(_named(layers))


def _named(layers: Iterable[Layer]) -> Iterator[tuple[str, nn.Module]]:
    return ((layer.name, _module(layer)) for layer in layers)


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
    if kind == "blocks":
        return nn.Conv2d(inputs, outputs, 3 * FINER, stride=FINER, padding=FINER)
    return nn.Conv2d(inputs, outputs, 3, stride=2 if kind == "halving" else 1, padding=1)


def rescale(x: Tensor, factor: float) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


class DMSHN(nn.Module):
    """One DMSHN.

    finer: how many times finer than it renders, across, it sees the picture: 1 or FINER.

    Args:
        layout: its channels and blocks; all six parts have the same.
        focus_head: adds a fourth output channel to the last convolution, the logit of focus.

    Input float [n, 3, finer h, finer w], RGB in [0, 1], h and w multiples of 16. Output float
    [n, 3 or 4, h, w]: the bokeh rendering, RGB, near [0, 1] but not clamped; then the focus logit.
    """

    def __init__(self, layout: Layout = PAPER, focus_head: bool = False, finer: int = 1) -> None:
        super().__init__()
        self.finer = finer
        encoder = Chain if finer == 1 else FineEncoder
        self.encoder_lv1 = encoder(_named(encoder_layers(layout, finer)))
        self.encoder_lv2 = _chain(encoder_layers(layout))
        self.encoder_lv3 = _chain(encoder_layers(layout))
        self.decoder_lv1 = _chain(decoder_layers(layout, 4 if focus_head else 3))
        self.decoder_lv2 = _chain(decoder_layers(layout, 3))
        self.decoder_lv3 = _chain(decoder_layers(layout, 3))

    def forward(self, x: Tensor, change: Tensor | None = None) -> Tensor:
        """The output for a picture.

        Args:
            change: float [n, 3, h, w] to be added to the picture first, of a network that sees
                finer.
        """
        image = x if self.finer == 1 else F.avg_pool2d(x, self.finer)
        if change is not None:
            image = image + change
        half = rescale(image, 0.5)
        quarter = rescale(half, 0.5)
        features3 = self.encoder_lv3(quarter)
        residual3 = self.decoder_lv3(features3)
        features2 = self.encoder_lv2(half + rescale(residual3, 2))
        added = rescale(self.decoder_lv2(features2 + rescale(features3, 2)), 2)
        if self.finer == 1:
            features1 = self.encoder_lv1(image + added)
        else:
            features1 = self.encoder_lv1(x, added if change is None else added + change)
        # Equation 10 of the paper passes up features2 with features3 added; the authors' code,
        # and so every published checkpoint, passes up the encoder's output alone.
        out: Tensor = self.decoder_lv1(features1 + rescale(features2, 2))
        return out


class StackedDMSHN(nn.Module):
    """Two DMSHN in a row, the second refining the rendering of the first.

    Shapes, ranges and arguments as in `DMSHN`; only the second network can carry the focus head.
    Where they see finer than they render, the second sees the picture with what the first changed.
    """

    def __init__(self, layout: Layout = PAPER, focus_head: bool = False, finer: int = 1) -> None:
        super().__init__()
        self.finer = finer
        self.net1 = DMSHN(layout, False, finer)
        self.net2 = DMSHN(layout, focus_head, finer)

    def forward(self, x: Tensor) -> Tensor:
        return self.refine(x, self.net1(x))

    def refine(self, x: Tensor, rendering: Tensor) -> Tensor:
        """The second network's output for a picture that the first one rendered."""
        out: Tensor = (
            self.net2(rendering)
            if self.finer == 1
            else self.net2(x, rendering - F.avg_pool2d(x, self.finer))
        )
        return out


def build(architecture: str, focus_head: bool, finer: int = 1) -> DMSHN | StackedDMSHN:
    """The network of a form, see `architectures.Form`.

    Raises:
        KeyError: for a name that is not in ARCHITECTURES.
    """
    network = StackedDMSHN if architecture == "stacked" else DMSHN
    return network(ARCHITECTURES[architecture].layout, focus_head, finer)


def split_output(y: Tensor) -> tuple[Tensor, Tensor | None]:
    """Split a network's output into its rendering and, where it has the head, the focus logit."""
    return y[:, :3], (y[:, 3:] if y.shape[1] == 4 else None)


def parameter_count(network: nn.Module) -> int:
    return sum(torch.numel(p) for p in network.parameters())
