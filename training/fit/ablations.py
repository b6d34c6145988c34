"""The networks that are only trained: the ablations of the paper, beside those that are run."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_bokeh.architectures import PAPER
from realtime_bokeh.network.dmshn import DMSHN, Chain, build, rescale
from training.fit.presets import Preset
from training.fit.rounded import BehindRounded


class WithoutResiduals(DMSHN):
    """DMSHN whose encoders do not pass their features up to the next finer decoder.

    Parameters, shapes and ranges as in `DMSHN`.
    """

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        half = rescale(x, 0.5)
        residual3 = self.decoder_lv3(self.encoder_lv3(rescale(half, 0.5)))
        residual2 = self.decoder_lv2(self.encoder_lv2(half + rescale(residual3, 2)))
        out: Tensor = self.decoder_lv1(self.encoder_lv1(x + rescale(residual2, 2)))
        return out


class _RgbOnly(Chain):
    """A decoder whose residual leaves the fourth channel of what it is added to as it is."""

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(super().forward(x), (0, 0, 0, 0, 0, 1))


class WithDepth(DMSHN):
    """DMSHN that sees depth too.

    Input float [n, 4, h, w]: RGB and disparity in [0, 1], h and w multiples of 16. Output float
    [n, 3, h, w], RGB. Parameter names as in `DMSHN`.
    """

    def __init__(self) -> None:
        super().__init__()
        for encoder in (self.encoder_lv1, self.encoder_lv2, self.encoder_lv3):
            encoder.layer1 = nn.Conv2d(4, PAPER.channels[0], 3, padding=1)
        self.decoder_lv2 = _RgbOnly(self.decoder_lv2.named_children())
        self.decoder_lv3 = _RgbOnly(self.decoder_lv3.named_children())


def build_network(preset: Preset) -> nn.Module:
    """The network of a preset, its weights drawn at random.

    They are the same each time, so that every process and every run begins alike.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if preset.network == "no-residuals":
            return WithoutResiduals()
        if preset.network == "depth":
            return WithDepth()
        if preset.network == "rounded":
            return BehindRounded(preset.focus_head, preset.finer)
        return build(preset.network, preset.focus_head, preset.finer)
