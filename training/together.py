"""Train dmshn, stacked and lite at once, on the same samples, for a large GPU.

    python -m training.together --data FOLDER --out runs/all \
        --init DMSHN --stacked STACKED --lite LITE --hours 0.15

Rendering the samples takes longer there than learning from them, so three networks learn from each.
The averaged dmshn teaches lite, and is the first half of stacked. Each network has a folder with
its weights, checkpoint and reports below --out; the same command goes on. --minutes ends only this
call.
"""

import math
import time
from pathlib import Path

import torch
from lightning_fabric import Fabric

from realtime_bokeh.errors import UsageError
from training import cli
from training.data.batches import Examples, open_source
from training.data.optics import Lens
from training.fit.device import describe_device, open_fabric
from training.fit.initial import load_as_trained
from training.fit.loop import Session, fit
from training.fit.presets import PRESETS, Preset
from training.fit.progress import Length, Report, duration
from training.fit.teacher import Teacher
from training.fit.trainer import StepOutput, Trainer

_HANDED_DOWN = 20  # steps from which to which the others go by the same dmshn


class Family(Trainer):
    """The run of dmshn, which takes those of the others along.

    Args:
        fabric: launched, of one process.
        folder: of all the runs.
        dmshn, stacked, lite: weights to begin from.
    """

    def __init__(
        self, fabric: Fabric, folder: Path, dmshn: Path, stacked: Path, lite: Path
    ) -> None:
        def arguments(network: str) -> tuple[Fabric, str, Preset, Path]:
            name = f"{network}-gpu"
            return fabric, name, PRESETS[name], folder / network

        super().__init__(*arguments("dmshn"), reference=load_as_trained(dmshn))
        self._taught = Teacher(load_as_trained(dmshn))
        self._stacked = Trainer(*arguments("stacked"), reference=load_as_trained(stacked))
        pupil = Trainer(*arguments("lite"), teacher=self._taught)
        self._others = (self._stacked, pupil)
        for run, initial in ((self, dmshn), (self._stacked, stacked), (pupil, lite)):
            cli.make_folder(run.folder)
            Trainer.start(run, initial)

    def _hand_down(self) -> None:
        self._taught.learn(self.average)
        self._stacked.adopt("net1", self.average)

    def update(self, examples: Examples, stage: int, progress: float) -> StepOutput:
        examples = self.fabric.to_device(examples)
        image = examples.input.contiguous(memory_format=torch.channels_last)
        examples = examples._replace(input=image)  # the very tensor that the teacher is asked for
        if self.step % _HANDED_DOWN == 0:
            self._hand_down()
        output = super().update(examples, stage, progress)
        for other in self._others:
            other.update(examples, stage, progress)
        return output

    def report(self, stage: int, progress: float) -> Report:
        for other in self._others:
            other.seconds = self.seconds
            other.report(stage, progress)
        return super().report(stage, progress)

    def save(self) -> None:
        self._hand_down()
        for other in self._others:
            other.save()
        super().save()


def main() -> None:
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of photographs")
    add("--out", type=Path, required=True, help="folder of these runs")
    add("--init", type=Path, required=True, help="weights of dmshn to begin from")
    add("--stacked", type=Path, required=True, help="weights of stacked to begin from")
    add("--lite", type=Path, required=True, help="weights of lite to begin from")
    add("--hours", type=float, required=True, help="of training in all")
    add("--minutes", type=float, default=math.inf, help="end after this time")
    add("--precision", choices=("f32", "bf16"), default="f32", help="(default: f32)")
    args = parser.parse_args()
    if not min(args.hours, args.minutes) > 0:
        raise UsageError("--hours and --minutes must be more than nothing")
    until = time.monotonic() + 60 * args.minutes
    fabric = open_fabric(args.precision)
    print(describe_device(fabric, args.precision), flush=True)
    family = Family(fabric, args.out, args.init, args.stacked, args.lite)
    source = open_source(family.preset, args.data, clips=False, align=False, lens=Lens(),
                         init=args.init)  # fmt: skip
    print(source.describe(), flush=True)
    fit(family, source, Session(Length(0, args.hours), until=until))
    print(f"Stopped at {duration(family.seconds)} of {duration(3600 * args.hours)}.")


if __name__ == "__main__":
    cli.run(main)
