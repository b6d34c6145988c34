"""Runs of a tiny preset, and such as end themselves at a chosen event.

    python -m tests.training.runs PHOTOS FOLDER

does for every event: a run in FOLDER/EVENT that the event ends, then the same command again. What
was found after each is printed as JSON. The events hit exactly where they are meant to, whatever
the machine's speed: the run itself sends the signal.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from realtime_bokeh.sizes import Size
from training.data.batches import Examples
from training.fit import loop
from training.fit.presets import FOCUS, PRESETS, Preset, Stage
from training.fit.progress import Report
from training.fit.trainer import StepOutput, Trainer
from training.train import parse, train

TINY = Preset(
    "for tests",
    "lite",
    (
        Stage(0.5, (Size(32, 48), Size(48, 32)), 2, FOCUS, (1e-3, 5e-4)),
        Stage(0.5, (Size(32, 64),), 2, "l1_ssim", (5e-4, 1e-4)),
    ),
    steps=4,
    warm_up=2,
)
STEPS = 4
HIT = 3  # the step at which an event comes


def arguments(photos: Path, run: Path, *more: str) -> list[str]:
    """Of a tiny run's command; the preset has to be in the table."""
    options = ["--preset", "tiny", "--threads", "1", "--data", str(photos), "--out", str(run)]
    return [*options, *more] if "--hours" in more else [*options, "--steps", str(STEPS), *more]


def _in_a_step(send: Callable[[], None]) -> None:
    update = Trainer.update

    def hit(trainer: Trainer, examples: Examples, stage: int, progress: float) -> StepOutput:
        output = update(trainer, examples, stage, progress)
        if trainer.step == HIT:
            send()
        return output

    setattr(Trainer, "update", hit)  # noqa: B010


def _before_file(name: str, send: Callable[[], None]) -> None:
    """Where the file of the third checkpoint is written, and has not got its name yet."""
    replace, count = os.replace, 0

    def hit(source: Path, target: Path) -> None:
        nonlocal count
        count += target.name == name
        if target.name == name and count == HIT:
            send()
        replace(source, target)

    setattr(os, "replace", hit)  # noqa: B010


def _in_a_report(send: Callable[[], None]) -> None:
    report = Trainer.report

    def hit(trainer: Trainer, stage: int, progress: float) -> Report:
        if trainer.step == HIT:
            with (trainer.folder / "metrics.jsonl").open("a") as log:
                log.write('{"step": 3, "sam')
            send()
        return report(trainer, stage, progress)

    setattr(Trainer, "report", hit)  # noqa: B010


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


EVENTS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "killed in a step": lambda: _in_a_step(_kill),
    "killed in a checkpoint": lambda: _before_file("checkpoint.pt", _kill),
    "killed between checkpoint and weights": lambda: _before_file("weights.safetensors", _kill),
    "killed in a report": lambda: _in_a_report(_kill),
    "terminated": lambda: _in_a_step(lambda: os.kill(os.getpid(), signal.SIGTERM)),
    # by Ctrl-C, which a terminal sends to the workers as well
    "interrupted": lambda: _in_a_step(lambda: os.killpg(0, signal.SIGINT)),
}


def _trained(options: list[str], event: str) -> int:
    """The exit status of a run in a process of its own; minus the signal that killed it."""
    child = os.fork()  # torch is imported once for all of them
    if not child:
        os.setpgid(0, 0)
        status = 1
        try:
            EVENTS[event]()
            train(parse(options))
            status = 0
        finally:
            sys.stdout.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _step(run: Path) -> int:
    return int(torch.load(run / "checkpoint.pt", weights_only=True)["step"])


def main() -> None:
    photos, folder = (Path(text) for text in sys.argv[1:])
    PRESETS["tiny"] = TINY
    loop.SAVED_EVERY, loop.REPORTED_EVERY = -1.0, 1
    setattr(os, "fsync", lambda _: None)  # noqa: B010  # slow, and only of use when a whole machine fails
    found = {}
    for event in EVENTS:
        run = folder / event
        status = _trained(arguments(photos, run), event)
        found[event] = {"status": status, "step": _step(run)}
        if event != "none":
            found[event]["again"] = _trained(arguments(photos, run), "none")
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
