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

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from lightning_fabric import Fabric
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from torch import nn

from realtime_bokeh.errors import UsageError
from realtime_bokeh.network.dmshn import parameter_count
from training import cli
from training.data.batches import (
    Source,
    batches,
    check_shares,
    open_source,
    share_of,
    workers_for,
)
from training.data.optics import Lens
from training.fit.presets import PRESETS, Preset, stage_at
from training.fit.trainer import Trainer, summed
from training.measure.methods import load_network

_SAVED_EVERY = 240.0  # seconds
_REPORTED_EVERY = 100  # steps
_DRY_STEPS = 2  # of each stage


class Stop:
    """Whether SIGTERM or Ctrl-C came."""

    asked = False


@contextmanager
def _stoppable() -> Iterator[Stop]:
    stop = Stop()

    def ask(*_: object) -> None:
        stop.asked = True

    before = {name: signal.signal(name, ask) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _fabric(precision: str) -> Fabric:
    """For one device, or for the processes that torchrun started."""
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    world = int(os.environ.get("WORLD_SIZE", 1))
    fabric = Fabric(
        strategy="ddp" if world > 1 else "auto",
        devices=devices,
        num_nodes=world // devices,
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )
    fabric.launch()
    if fabric.device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    return fabric


def _fit(
    trainer: Trainer, source: Source, args: argparse.Namespace, stop: Stop, until: float
) -> float:
    """Train to the run's end, to a signal, or to a moment of `time.monotonic`.

    Returns:
        How many seconds the last step took.
    """
    fabric, hours = trainer.fabric, args.hours

    preset = trainer.preset

    def progress(step: int) -> float:
        return float(trainer.seconds / (3600 * hours) if hours else step / args.steps)

    def stage_of(step: int) -> int | None:
        return stage_at(preset, progress(step))[0] if progress(step) < 1 else None

    check_shares(preset, fabric.world_size, args.temporal)
    share = partial(share_of, preset, rank=fabric.global_rank, world=fabric.world_size,
                    clips=args.temporal)  # fmt: skip
    wanted = batches(source, share, stage_of, trainer.step, workers_for(preset, fabric.device))
    terminal = sys.stderr.isatty()
    took = 0.0
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), disable=not (terminal and fabric.is_global_zero),
    ) as bar:  # fmt: skip
        task = bar.add_task(trainer.name, total=1.0)
        saved = mark = time.monotonic()
        for stage, examples in wanted:
            now = progress(trainer.step)
            shown = trainer.update(examples, stage, now)
            moment = time.monotonic()
            mark, took = moment, moment - mark
            # every process goes by the first one's clock, and stops when any is asked to
            clock = [took, float(moment > until)] if fabric.is_global_zero else [0.0, 0.0]
            told = torch.tensor([*clock, float(stop.asked)], device=fabric.device)
            seconds, late, asked = summed(fabric, told)
            trainer.seconds += seconds
            if trainer.step % _REPORTED_EVERY == 0:
                line = trainer.report(stage, now)
                text = f"{trainer.name} step {line['step']} {line['psnr']} dB"
                bar.update(task, description=text)
                if fabric.is_global_zero and not terminal:
                    print(line, flush=True)
            if trainer.step % args.pictures_every == 0:
                trainer.show(shown)
            if moment - saved > _SAVED_EVERY:
                saved = moment
                trainer.save()
            bar.update(task, completed=min(progress(trainer.step), 1.0))
            if late or asked:
                break
        trainer.save()
    return took


def _dry_run(
    fabric: Fabric, preset: Preset, teacher: nn.Module | None, args: argparse.Namespace, stop: Stop
) -> None:
    """A few steps of every stage; says what would be trained, and leaves nothing behind."""
    source = open_source(preset, args.data, fabric.device, args.temporal, args.align, _lens(args))
    short = {**vars(args), "steps": _DRY_STEPS, "hours": None, "pictures_every": 1}
    lines: list[str] = []
    total = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for number, stage in enumerate(preset.stages, 1):
            alone = replace(preset, stages=(replace(stage, share=1.0),))
            own = Path(folder) / str(number)
            own.mkdir()
            trainer = Trainer(fabric, args.preset, alone, own, teacher, args.temporal)
            trainer.start(args.init)
            took = _fit(trainer, source, argparse.Namespace(**short), stop, float("inf"))
            hours = stage.share * (args.hours or args.steps * took / 3600)
            total += hours
            height, width = stage.shapes[0]
            lines.append(
                f"stage {number}: {stage.loss}, {stage.batch} samples of about {height}x{width}, "
                f"rate {stage.rate[0]:.0e} to {stage.rate[1]:.0e}, {hours * 3600 / took:.0f} steps "
                f"of {took:.2f} s, {hours:.2f} h"
            )
    if fabric.is_global_zero:
        count = parameter_count(trainer.network)
        print(f"{args.preset}: {preset.network}, {count:,} parameters, about {total:.1f} h")
        print("\n".join(lines))


def _lens(args: argparse.Namespace) -> Lens:
    return Lens(blades=args.blades, cats_eye=args.cats_eye)


def _check(preset: Preset, args: argparse.Namespace) -> None:
    def refuse(if_: bool, why: str) -> None:
        if if_:
            raise UsageError(why)

    for name in ("steps", "hours", "minutes", "threads", "pictures_every"):
        value = getattr(args, name)
        option = name.replace("_", "-")
        refuse(value is not None and not value > 0, f"--{option} must be more than nothing")
    for name in preset.needs:
        refuse(getattr(args, name) is None, f"the preset {args.preset} needs --{name}")
    for name in ("teacher", "temporal"):
        given = bool(getattr(args, name)) and not preset.focus_head
        refuse(given, f"the preset {args.preset} has no focus head; leave --{name} out")
    refuse(args.temporal and preset.data == "ebb", "EBB! has no clips; leave --temporal out")
    refuse(args.align and preset.data != "ebb", "--align is for presets that train on EBB!")
    lens = _lens(args)
    refuse(lens != Lens() and preset.data == "ebb", "EBB! has a lens of its own; leave --blades "
           "and --cats-eye out")  # fmt: skip
    refuse(lens.blades not in (0, *range(5, 21)), "--blades must be 0, a disc, or from 5 to 20")
    refuse(not 0 <= lens.cats_eye <= 0.6, "--cats-eye must be from 0 to 0.6")
    refuse(args.align and preset.depth, "--align does not move disparity; leave it out")


def _teacher(path: Path) -> nn.Module:
    teacher = load_network(path)
    with torch.no_grad():
        outputs = teacher(torch.zeros(1, 3, 16, 16)).shape[1]
    if outputs != 4:
        raise UsageError(f"{path} has no focus head, so it cannot teach; give other weights")
    return teacher


def train(args: argparse.Namespace) -> None:
    """Train as the command's options say.

    Raises:
        BokehError: when that cannot be done, saying why.
    """
    preset = PRESETS[args.preset]
    _check(preset, args)
    args.steps = args.steps or preset.steps
    until = time.monotonic() + 60 * (args.minutes or float("inf"))
    if args.threads:
        torch.set_num_threads(args.threads)
    teacher = _teacher(args.teacher) if args.teacher else None
    fabric = _fabric(args.precision)
    with _stoppable() as stop:
        if args.dry_run:
            _dry_run(fabric, preset, teacher, args, stop)
            return
        if fabric.is_global_zero:
            cli.make_folder(args.out)
        trainer = Trainer(fabric, args.preset, preset, args.out, teacher, args.temporal)
        trainer.start(args.init)
        source = open_source(
            preset, args.data, fabric.device, args.temporal, args.align, _lens(args)
        )
        _fit(trainer, source, args, stop, until)


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    result = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = result.add_argument
    add("--preset", choices=PRESETS, required=True)
    add("--data", type=Path, required=True, help="folder of photographs, or EBB!")
    add("--out", type=Path, required=True, help="folder of this run")
    length = result.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="steps in all (default: the preset's)")
    length.add_argument("--hours", type=float, help="hours of training in all, instead of steps")
    add("--minutes", type=float, help="end after this time; the same command goes on")
    add("--init", type=Path, help="weights to begin from")
    add("--teacher", type=Path, help="weights of a network with the focus head to learn from")
    add("--temporal", action="store_true", help="train on clips of two frames, for steadiness")
    add("--align", action="store_true", help="bring EBB!'s pairs together in exposure and place")
    add("--blades", type=int, default=0, help="of the rendered lens's diaphragm (default: a disc)")
    add("--cats-eye", type=float, default=0.0, metavar="X",
        help="how far its barrel clips the corners, 0 to 0.6 (default: 0)")  # fmt: skip
    add("--precision", choices=("f32", "bf16"), default="f32")
    add("--threads", type=int, help="of PyTorch (default: all)")
    add("--pictures-every", type=int, default=500, metavar="N", help="steps (default: 500)")
    add("--dry-run", action="store_true", help="two steps of every stage; says what it would take")
    return result


def main() -> None:
    train(parser().parse_args())


if __name__ == "__main__":
    cli.run(main)
