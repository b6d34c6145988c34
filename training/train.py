"""Train a network; the same command resumes.

    python -m training.train --preset lite --data FOLDER --out runs/lite
    torchrun --nproc-per-node 4 -m training.train --preset paper-dmshn --data EBB --out runs/paper

It runs on one device: a GPU where there is one. Several GPUs, or nodes, are several processes,
started by torchrun, that share each batch. --steps or --hours, of training, give the whole run's
length and may be others when it is resumed; --minutes ends only this call. SIGTERM and Ctrl-C end
with a checkpoint.

The run's folder gets checkpoint.pt and weights.safetensors (fp16, averaged over steps) every four
minutes and at the end, metrics.jsonl, and samples.jpg (rows of input, output, truth, focus).
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric

from realtime_bokeh.architectures import FINER
from realtime_bokeh.errors import UsageError
from realtime_bokeh.network.dmshn import parameter_count
from training import cli
from training.data.batches import Source, open_source
from training.data.optics import Lens
from training.fit.device import describe_device, open_fabric
from training.fit.initial import load_as_trained
from training.fit.loop import Session, fit
from training.fit.presets import PRESETS, Preset, at_rate
from training.fit.progress import Length
from training.fit.teacher import Teacher
from training.fit.trainer import Trainer

_DRY_STEPS = 2  # of each stage


@dataclass(frozen=True)
class Options:
    """The command's options, by their names on the command line."""

    preset: str
    data: Path
    out: Path
    steps: int | None
    hours: float | None
    minutes: float | None
    rate: float
    init: Path | None
    teacher: Path | None
    temporal: bool
    align: bool
    blades: int
    cats_eye: float
    precision: str
    threads: int | None
    pictures_every: int
    dry_run: bool

    @property
    def lens(self) -> Lens:
        return Lens(blades=self.blades, cats_eye=self.cats_eye)

    @property
    def length(self) -> Length:
        return Length(self.steps or PRESETS[self.preset].steps, self.hours)


def _check(preset: Preset, options: Options) -> None:
    def refuse(if_: bool, why: str) -> None:
        if if_:
            raise UsageError(why)

    for name in ("steps", "hours", "minutes", "rate", "threads", "pictures_every"):
        value = getattr(options, name)
        option = name.replace("_", "-")
        refuse(value is not None and not value > 0, f"--{option} must be more than nothing")
    for name in preset.needs:
        refuse(getattr(options, name) is None, f"the preset {options.preset} needs --{name}")
    for name in ("teacher", "temporal"):
        given = bool(getattr(options, name)) and not preset.focus_head
        refuse(given, f"the preset {options.preset} has no focus head; leave --{name} out")
    refuse(options.temporal and preset.data == "ebb", "EBB! has no clips; leave --temporal out")
    refuse(options.align and preset.data != "ebb", "--align is for presets that train on EBB!")
    lens = options.lens
    refuse(lens != Lens() and preset.data == "ebb", "EBB! has a lens of its own; leave --blades "
           "and --cats-eye out")  # fmt: skip
    refuse(lens.blades not in (0, *range(5, 21)), "--blades must be 0, a disc, or from 5 to 20")
    refuse(not 0 <= lens.cats_eye <= 0.6, "--cats-eye must be from 0 to 0.6")
    refuse(options.align and preset.depth, "--align does not move disparity; leave it out")


def _teacher(path: Path) -> Teacher:
    network = load_as_trained(path)
    with torch.no_grad():
        outputs = network(torch.zeros(1, 3, 16 * FINER, 16 * FINER)).shape[1]
    if outputs != 4:
        raise UsageError(f"{path} has no focus head, so it cannot teach; give other weights")
    return Teacher(network)


def _trainer(fabric: Fabric, preset: Preset, folder: Path, options: Options) -> Trainer:
    """A run in its folder, begun or resumed."""
    teacher = _teacher(options.teacher) if options.teacher else None
    lensless = not all(stage.lens for stage in preset.stages)
    reference = None
    if options.init and lensless and not teacher:
        reference = load_as_trained(options.init)
    trainer = Trainer(fabric, options.preset, preset, folder, teacher, reference, options.temporal)
    trainer.start(options.init)
    return trainer


def _source(preset: Preset, options: Options) -> Source:
    return open_source(preset, options.data, options.temporal, options.align, options.lens,
                       options.init)  # fmt: skip


def train(options: Options) -> None:
    """Train as the command's options say.

    Raises:
        BokehError: when that cannot be done, saying why.
    """
    preset = at_rate(PRESETS[options.preset], options.rate)
    _check(preset, options)
    until = time.monotonic() + 60 * (options.minutes or float("inf"))
    if options.threads:
        torch.set_num_threads(options.threads)
    fabric = open_fabric(options.precision)

    def say(label: str, text: str) -> None:
        if fabric.is_global_zero:
            print(f"{label:10}{text}", flush=True)

    say("preset", f"{options.preset}: {preset.description}")
    say("device", describe_device(fabric, options.precision))
    if options.dry_run:
        _dry_run(fabric, preset, options)
        return
    trainer = _trainer(fabric, preset, options.out, options)
    say("network", f"{preset.network}, {parameter_count(trainer.network):,} parameters")
    for number, stage in enumerate(preset.stages, 1):
        say(f"stage {number}", f"{stage.share:.0%} of the run: {stage}")
    say("length", str(options.length))
    say("folder", f"{options.out}, {_position(trainer, options)}")
    say("data", f"reading {options.data} ...")
    source = _source(preset, options)
    say("", source.describe())
    if fabric.is_global_zero:
        cli.make_folder(options.out)
    session = Session(
        options.length, options.temporal, options.pictures_every, until,
        say=lambda sentence: print(sentence, flush=True),
    )  # fmt: skip
    fit(trainer, source, session)
    if fabric.is_global_zero:
        print(_ending(trainer, options), flush=True)


def _position(trainer: Trainer, options: Options) -> str:
    if not trainer.step:
        return f"a new run from {options.init}" if options.init else "a new run"
    position = options.length.position(trainer.step, trainer.seconds)
    if options.length.done(trainer.step, trainer.seconds) >= 1:
        return f"complete at {position}; give a greater length to go on"
    return f"goes on from {position}"


_WRITTEN = {
    "weights.safetensors": "the network, averaged over steps, fp16",
    "checkpoint.pt": "the run's state, from which the same command goes on",
    "metrics.jsonl": "the reports; python -m training.curves draws them",
    "samples.jpg": "what the network makes of some samples",
}


def _ending(trainer: Trainer, options: Options) -> str:
    """What was written, and the next command."""
    position = options.length.position(trainer.step, trainer.seconds)
    complete = options.length.done(trainer.step, trainer.seconds) >= 1
    lines = [f"Complete at {position}." if complete else
             f"Stopped at {position}; the same command goes on from there."]  # fmt: skip
    lines.append(f"{options.out} holds:")
    lines += [f"  {name:20} {what}" for name, what in _WRITTEN.items()
              if (options.out / name).exists()]  # fmt: skip
    weights = options.out / "weights.safetensors"
    if trainer.preset.data == "ebb":
        command = f"paper quality --ebb {options.data} --weights {options.preset}={weights}"
    else:
        command = f"evaluate --model {weights} --data HELD_OUT --out out/eval"
    return "\n".join([*lines, "To see how good it is:", f"  python -m training.{command}"])


def _dry_run(fabric: Fabric, preset: Preset, options: Options) -> None:
    """A few steps of every stage; says what would be trained, and leaves nothing behind."""
    source = _source(preset, options)
    session = Session(Length(_DRY_STEPS), options.temporal, pictures_every=1, say=lambda _: None)
    lines: list[str] = []
    total = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number, stage in enumerate(preset.stages, 1):
            alone = replace(preset, stages=(replace(stage, share=1.0),))
            own = Path(folder) / str(number)
            own.mkdir()
            trainer = _trainer(fabric, alone, own, options)
            took = fit(trainer, source, session)
            hours = stage.share * (options.hours or options.length.steps * took / 3600)
            total += hours
            lines.append(
                f"stage {number}   {stage}, {hours * 3600 / took:.0f} steps of {took:.2f} s, "
                f"{hours:.2f} h"
            )
    if fabric.is_global_zero:
        count = parameter_count(trainer.network)
        print(f"network   {preset.network}, {count:,} parameters")
        print(f"data      {source.describe()}")
        print("\n".join(lines))
        print(f"length    {options.length}, about {total:.1f} h; nothing was kept of this dry run")


def parse(arguments: Sequence[str] | None = None) -> Options:
    """The options of a command line; by default of this process's."""
    parser = cli.parser(__doc__)
    width = max(map(len, PRESETS))
    table = "\n".join(f"  {name:{width}}  {p.description}" for name, p in PRESETS.items())
    parser.epilog = f"presets:\n{table}"
    add = parser.add_argument
    add("--preset", choices=PRESETS, required=True, metavar="PRESET", help="see below")
    add("--data", type=Path, required=True, help="folder of photographs, or EBB!")
    add("--out", type=Path, required=True, help="folder of this run")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="steps in all (default: the preset's)")
    length.add_argument("--hours", type=float, help="hours of training in all, instead of steps")
    add("--minutes", type=float, help="end after this time; the same command goes on")
    add("--rate", type=float, default=1.0, metavar="X",
        help="times the preset's rate; less for weights that are good (default: 1)")  # fmt: skip
    add("--init", type=Path, help="weights to begin from")
    add("--teacher", type=Path, help="weights of a network with the focus head to learn from")
    add("--temporal", action="store_true", help="train on clips of two frames, for steadiness")
    add("--align", action="store_true", help="bring EBB!'s pairs together in exposure and place")
    add("--blades", type=int, default=0, help="of the rendered lens's diaphragm (default: a disc)")
    add("--cats-eye", type=float, default=0.0, metavar="X",
        help="how far its barrel clips the corners, 0 to 0.6 (default: 0)")  # fmt: skip
    add("--precision", choices=("f32", "bf16"), default="f32",
        help="bf16 is slower on processors without it (default: f32)")  # fmt: skip
    add("--threads", type=int, help="of PyTorch (default: all)")
    add("--pictures-every", type=int, default=500, metavar="N", help="steps (default: 500)")
    add("--dry-run", action="store_true", help="two steps of every stage; says what it would take")
    return Options(**vars(parser.parse_args(arguments)))


def main() -> None:
    train(parse())


if __name__ == "__main__":
    cli.run(main)
