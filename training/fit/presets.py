"""What can be trained, in one table, and how a run's rate and shapes follow from its progress.

The presets named `paper-` train on EBB! as Dutta et al. 2021 do: Adam, batches of two, the rate
from 1e-4 down to 1e-6; L1 + 0.1 (1 - SSIM), then 1 - MS-SSIM; and their ablations. How long, and
that the rate falls geometrically, is ours. The others are ours altogether: they learn focus as
well. From nothing the picture grows as they go; weights that are there already learn focus on its
own first, then the whole, with Muon.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from realtime_bokeh.architectures import FINER
from realtime_bokeh.sizes import Size

FOCUS = "focus"
"""The loss of a stage on focus alone, whose rendering is held to that of a reference."""


@dataclass(frozen=True)
class Stage:
    """A part of a run."""

    share: float  # of the run's length
    shapes: tuple[Size, ...]  # of a batch's pictures, drawn by chance, all as likely
    batch: int  # samples of a step, over all processes
    loss: str  # of the rendering, named in losses.LOSSES; or FOCUS
    rate: tuple[float, float]  # of the optimizers, at the stage's beginning and at its end

    def __str__(self) -> str:
        shapes = " or ".join(str(shape) for shape in dict.fromkeys(self.shapes))
        first, last = self.rate
        return f"{self.batch} samples of {shapes}, loss {self.loss}, rate {first:.0e} to {last:.0e}"

    @property
    def lens(self) -> bool:
        """Whether its samples are seen through a lens; on focus alone that would be wasted."""
        return self.loss != FOCUS

    @property
    def pixels(self) -> float:
        """About how many pixels a step sees."""
        return self.batch * sum(shape.area for shape in self.shapes) / len(self.shapes)


@dataclass(frozen=True)
class Preset:
    """A network, its data and its stages."""

    description: str  # for `--help`
    network: str  # see ablations.build_network
    stages: tuple[Stage, ...]
    steps: int  # unless the user gives another length
    data: Literal["synthetic", "ebb"] = "synthetic"
    focus_head: bool = True
    warm_up: int = 200  # steps over which the rate rises from nothing
    needs: tuple[str, ...] = ()  # options without which it makes no sense
    frozen: str = ""  # the part of the network that stays as it began
    muon: bool = False  # for its kernels, see optimizers.py; else Adam for all

    @property
    def largest_batch(self) -> int:
        return max(stage.batch for stage in self.stages)

    @property
    def finer(self) -> int:
        """How many times finer than it renders, across, the network sees pictures."""
        return trained_finer(self.focus_head)

    @property
    def depth(self) -> bool:
        """Whether a picture comes with its disparity as a fourth channel."""
        return self.network == "depth"


def trained_finer(focus_head: bool) -> int:
    """How many times finer than it renders, across, a network sees pictures where it is trained."""
    return FINER if focus_head else 1


# mostly landscape; the shapes of one line have about the same area
SMALL = (Size(96, 160), Size(96, 160), Size(96, 160), Size(128, 128), Size(160, 96))
MIDDLE = (Size(192, 320), Size(192, 320), Size(192, 320), Size(256, 240), Size(320, 192))
LARGE = (Size(272, 480), Size(272, 480), Size(272, 480), Size(352, 368), Size(480, 272))
PAPER = (Size(1024, 1024),)


class Shapes(NamedTuple):
    """Of a batch's pictures, near a size that a network runs at."""

    focused: tuple[Size, ...]  # on focus alone, half as large and as large: many for their time
    whole: tuple[Size, ...]


# mostly landscape; about what lite and mini run at, and dmshn and stacked
_NEAR_256 = Shapes(
    (Size(112, 192), Size(112, 192), Size(144, 144), Size(192, 112), Size(144, 256)),
    (Size(144, 256), Size(144, 256), Size(144, 256), Size(192, 192), Size(240, 160)),
)
_NEAR_320 = Shapes(
    (Size(128, 224), Size(128, 224), Size(176, 176), Size(224, 128), Size(176, 320)),
    (Size(176, 320), Size(176, 320), Size(176, 320), Size(240, 240), Size(288, 192)),
)


def _progressive(factor: float) -> tuple[Stage, ...]:
    return (
        Stage(0.4, SMALL, 8, "l1_ssim", (4e-4 * factor, 2e-4 * factor)),
        Stage(0.35, MIDDLE, 4, "l1_ssim", (2e-4 * factor, 6e-5 * factor)),
        Stage(0.25, LARGE, 2, "l1_ssim", (6e-5 * factor, 1e-5 * factor)),
    )


def _calls(
    about: str, network: str, rate: float, batch: int = 8, frozen: str = "", warm_up: int = 200,
    near: tuple[Shapes, ...] = (_NEAR_256,), alone: float = 0.5,
) -> Preset:  # fmt: skip
    """Brings trained weights to other photographs or another renderer.

    A share of the time, `alone`, goes to focus alone, in which it sees most of its samples.
    """
    focused, whole = (sum(shapes, ()) for shapes in zip(*near, strict=True))
    stages = (
        Stage(alone, focused, batch, FOCUS, (rate, rate / 3)),
        Stage(1 - alone, whole, batch // 2, "l1_ssim", (rate / 3, rate / 60)),
    )
    return Preset(about, network, stages, 3_000, needs=("init",), warm_up=warm_up,
                  frozen=frozen, muon=True)  # fmt: skip


def _gpu(alike: str, network: str, rate: float, frozen: str = "") -> Preset:
    about = f"{alike}, near both sizes, in batches that keep a large GPU busy"
    return _calls(about, network, rate, batch=128, frozen=frozen, warm_up=50,
                  near=(_NEAR_256, _NEAR_320), alone=0.65)  # fmt: skip


def _paper(about: str, network: str = "dmshn", second: str = "ms_ssim") -> Preset:
    """Two stages at the paper's size."""
    first = Stage(0.5, PAPER, 2, "l1_ssim", (1e-4, 1e-5))
    stages = (first, Stage(0.5, PAPER, 2, second, (1e-5, 1e-6)))
    return Preset(about, network, stages, 120_000, "ebb", focus_head=False, warm_up=0)


def _paper_alone(
    about: str, network: str, stage: Stage, steps: int, needs: tuple[str, ...] = ()
) -> Preset:
    """A single stage at the paper's size."""
    return Preset(about, network, (stage,), steps, "ebb", focus_head=False, warm_up=0, needs=needs)


PRESETS: dict[str, Preset] = {
    "lite": Preset(
        "our network for CPUs and phones from nothing, on pictures that grow to 480x272",
        "lite", _progressive(1), 20_000,
    ),
    "dmshn": Preset(
        "the paper's network from nothing, with our focus head, in the same way",
        "dmshn", _progressive(1), 20_000,
    ),
    "stacked": Preset(
        "two of the paper's networks in a row, from the weights of one (--init)",
        "stacked", _progressive(0.5), 6_000, needs=("init",),
    ),
    "lite-calls": _calls(
        "trained lite weights (--init) near 256x144: focus on its own, then the whole",
        "lite", 3e-4,
    ),
    "dmshn-calls": _calls(
        "trained dmshn weights (--init) in the same way, near 320x176",
        "dmshn", 3e-4, near=(_NEAR_320,),
    ),
    "stacked-calls": _calls(
        "dmshn weights (--init) twice in a row, of which the second learns, near 320x176",
        "stacked", 2e-4, frozen="net1", near=(_NEAR_320,),
    ),
    "stacked-int8": _calls(
        "trained stacked weights (--init), behind a first network in int8",
        "rounded", 6e-5, frozen="net1", near=(_NEAR_320,), warm_up=30,
    ),
    "mini-calls": replace(
        _calls(
            "lite weights (--init), pruned, brought back by a --teacher in the same way",
            "mini", 6e-4,
        ),
        needs=("init", "teacher"),
    ),
    "lite-calls-whole": Preset(
        "ablation: lite-calls without its stage on focus alone",
        "lite", (Stage(1, _NEAR_256.whole, 4, "l1_ssim", (3e-4, 5e-6)),), 3_000,
        needs=("init",), muon=True,
    ),
    "lite-gpu": _gpu("lite-calls", "lite", 4e-4),
    "dmshn-gpu": _gpu("dmshn-calls", "dmshn", 4e-4),
    "stacked-gpu": _gpu("stacked-calls", "stacked", 4e-4, frozen="net1"),
    "lite-smoke": Preset(
        "a short run on a CPU, to see that training works",
        "lite", (Stage(1, (Size(96, 160),), 8, "l1_ssim", (1e-3, 1e-4)),), 700, warm_up=50,
    ),
    "dmshn-ebb": Preset(
        "the paper's network on EBB!, from weights (--init), its focus from a --teacher",
        "dmshn", (Stage(1, PAPER, 2, "l1_ssim", (1e-4, 1e-6)),), 20_000, "ebb",
        needs=("init", "teacher"),
    ),
    "paper-dmshn": _paper("the paper's recipe on EBB!: L1 + SSIM, then MS-SSIM"),
    "paper-stacked": _paper_alone(
        "the paper's recipe for two networks in a row, from paper-dmshn (--init)",
        "stacked", Stage(1, PAPER, 2, "ms_ssim", (1e-5, 1e-6)), 60_000, needs=("init",),
    ),
    "paper-no-residuals": _paper("ablation: without encoder residuals", "no-residuals"),
    "paper-no-stage2": _paper_alone(
        "ablation: without the second stage",
        "dmshn", Stage(1, PAPER, 2, "l1_ssim", (1e-4, 1e-6)), 120_000,
    ),
    "paper-l1-ms-ssim": _paper("ablation: L1 + MS-SSIM in the second stage", second="l1_ms_ssim"),
    "paper-depth": _paper("ablation: with disparity as a fourth channel", "depth"),
}  # fmt: skip


def at_rate(preset: Preset, factor: float) -> Preset:
    """The same with every rate times a factor."""
    stages = (
        replace(stage, rate=(stage.rate[0] * factor, stage.rate[1] * factor))
        for stage in preset.stages
    )
    return replace(preset, stages=tuple(stages))


def stage_at(preset: Preset, progress: float) -> tuple[int, float]:
    """Where a run is: the number of its stage from 0, and how much of that stage is done in [0, 1].

    Args:
        progress: of the whole run, in [0, 1].
    """
    begin = 0.0
    for number, stage in enumerate(preset.stages):
        done = (progress - begin) / stage.share
        if done < 1:
            return number, max(done, 0.0)
        begin += stage.share
    return len(preset.stages) - 1, 1.0


def rate_at(preset: Preset, progress: float, step: int) -> float:
    """The optimizers' rate: geometric from a stage's beginning to its end, after the first steps.

    Args:
        progress: of the whole run, in [0, 1].
        step: from 0.
    """
    number, done = stage_at(preset, progress)
    first, last = preset.stages[number].rate
    rate = first * math.pow(last / first, done)
    return rate * min(1.0, (step + 1) / preset.warm_up) if preset.warm_up else rate


def work(preset: Preset, begin: float, end: float) -> float:
    """What a part of a run costs, relative to its other parts: the pixels that its steps see.

    Args:
        begin, end: of the part, in [0, 1] of the run's progress.
    """
    total = stage_begin = 0.0
    for stage in preset.stages:
        stage_end = stage_begin + stage.share
        total += stage.pixels * max(0.0, min(end, stage_end) - max(begin, stage_begin))
        stage_begin = stage_end
    return total
