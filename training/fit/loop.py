"""The loop of a run: batches in, steps, reports and checkpoints out."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from training.data.batches import Source, batches, check_shares, share_of, workers_for
from training.fit.device import summed
from training.fit.progress import Length, Pace, duration, stage_of
from training.fit.trainer import Trainer

SAVED_EVERY = 240.0  # seconds
REPORTED_EVERY = 100  # steps


@dataclass(frozen=True)
class Session:
    """What one call of the command does of a run.

    length: of the whole run.
    clips: batches hold clips of two frames.
    pictures_every: steps from one samples.jpg to the next.
    until: the moment of `time.monotonic` at which to end.
    say: tells the user a sentence; called in the first process only.
    """

    length: Length
    clips: bool = False
    pictures_every: int = 500
    until: float = float("inf")
    say: Callable[[str], None] = print


class StopRequest:
    """Whether SIGTERM or Ctrl-C came."""

    received = False


@contextmanager
def _stop_on_signals() -> Iterator[StopRequest]:
    stop = StopRequest()

    def receive(*_: object) -> None:
        stop.received = True

    before = {name: signal.signal(name, receive) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def fit(trainer: Trainer, source: Source, session: Session) -> float:
    """Train until the run is complete, a signal comes or the session's time is up; then save.

    Returns:
        How many seconds the last step took.

    Raises:
        BokehError: when a file cannot be read or written, or training diverges.
    """
    fabric, preset, length = trainer.fabric, trainer.preset, session.length
    first = fabric.is_global_zero
    check_shares(preset, fabric.world_size, session.clips)
    share = partial(share_of, preset, rank=fabric.global_rank, world=fabric.world_size,
                    clips=session.clips)  # fmt: skip

    def done() -> float:
        return length.done(trainer.step, trainer.seconds)

    wanted = batches(source, share, lambda _: stage_of(preset, done()), trainer.step,
                     workers_for(preset, fabric.device, fabric.world_size))  # fmt: skip
    pace = Pace(preset, length, trainer.step, trainer.samples, trainer.seconds)
    begun, took = trainer.step, 0.0
    with _stop_on_signals() as stop, _bar(first) as bar:
        task = bar.add_task(trainer.name, total=1.0)
        saved = mark = time.monotonic()
        for stage, examples in wanted:
            now = done()
            output = trainer.update(examples, stage, now)
            moment = time.monotonic()
            mark, took = moment, moment - mark
            # every process goes by the first one's clock, and stops when any is asked to
            clock = [took, float(moment > session.until)] if first else [0.0, 0.0]
            told = torch.tensor([*clock, float(stop.received)], device=fabric.device)
            seconds, late, asked = summed(fabric, told)
            trainer.seconds += seconds
            coming = stage_of(preset, done())
            ends = bool(late or asked) or coming is None
            if trainer.step == begun + 1:  # which waited for the workers to start
                pace = Pace(preset, length, trainer.step, trainer.samples, trainer.seconds)
            elif trainer.step == begun + 2 and first and not ends:
                left = duration(pace.left(trainer.step, trainer.seconds))
                session.say(f"A step takes {took:.2f} s: about {left} left. A report comes every "
                            f"{REPORTED_EVERY} steps.")  # fmt: skip
            if ends or coming != stage or trainer.step % REPORTED_EVERY == 0:
                report = trainer.report(stage, now)
                if first:
                    session.say(pace.line(report, trainer.seconds))
            if ends or trainer.step % session.pictures_every == 0:
                trainer.show(output)
            if moment - saved > SAVED_EVERY:
                saved = moment
                trainer.save()
            bar.update(task, completed=done())
            if ends:
                break
        trainer.save()
    return took


def _bar(shown: bool) -> Progress:
    """A bar on a terminal, below the reports."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        console=Console(stderr=True), disable=not (shown and sys.stderr.isatty()),
        redirect_stdout=sys.stdout.isatty(),
    )  # fmt: skip
