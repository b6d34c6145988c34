"""How long a run is, how far it has come, and how a person is told so."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from realtime_bokeh.files import write_atomically
from training.fit.presets import Preset, stage_at, work


@dataclass(frozen=True)
class Length:
    """How much training makes a whole run: so many steps, or hours if they are given."""

    steps: int
    hours: float | None = None

    def __str__(self) -> str:
        return f"{self.hours:g} h of training" if self.hours else f"{self.steps} steps"

    def done(self, step: int, seconds: float) -> float:
        """How much of the run is done, in [0, 1].

        Args:
            step: how many steps were taken.
            seconds: of training.
        """
        whole = seconds / (3600 * self.hours) if self.hours else step / self.steps
        return min(whole, 1.0)

    def position(self, step: int, seconds: float) -> str:
        """The same in words, such as "step 200 of 700"."""
        if self.hours:
            return f"step {step}, {duration(seconds)} of {duration(3600 * self.hours)}"
        return f"step {step} of {self.steps}"


def stage_of(preset: Preset, done: float) -> int | None:
    """The number of a run's stage, from 0; None when the run is complete."""
    return stage_at(preset, done)[0] if done < 1 else None


@dataclass(frozen=True)
class Report:
    """Means over the steps since the last report; a line of metrics.jsonl.

    step, samples, hours: how many of each the run has had.
    loss: what was minimised, the sum of `parts`.
    parts: its terms by name, see `Trainer`.
    psnr: in dB, of the picture that a viewer gets against the truth; None in a stage without one.
    psnr_identity: in dB, of the sharp picture against the truth.
    stage: its number, from 1.
    rate: of the optimizers, at the last step.
    """

    step: int
    samples: int
    hours: float
    loss: float
    parts: Mapping[str, float]
    psnr: float | None
    psnr_identity: float | None
    stage: int
    rate: float


def append_report(path: Path, report: Report) -> None:
    """Add a report to a run's metrics.jsonl, without what was not measured."""
    known = {name: value for name, value in asdict(report).items() if value is not None}
    with path.open("a") as log:
        log.write(json.dumps(known) + "\n")


def trim_reports(path: Path, step: int) -> None:
    """Drop the lines of metrics.jsonl beyond a checkpoint's step: their steps come again."""
    lines = path.read_text().splitlines()
    before = [line for line in lines if _step(line) <= step]
    write_atomically(path, "".join(f"{line}\n" for line in before).encode())


def _step(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except ValueError:  # cut short when the run was killed
        return math.inf


class Pace:
    """How fast a run goes, from one report to the next."""

    def __init__(self, preset: Preset, length: Length, step: int, samples: int, seconds: float):
        self._preset, self._length = preset, length
        self._samples, self._seconds = samples, seconds
        self._done = length.done(step, seconds)

    def left(self, step: int, seconds: float) -> float:
        """About how many seconds of training are left, at the pace since the last report.

        Later stages take longer for a step; what they cost goes by the pixels that they see.
        """
        if self._length.hours:
            return max(0.0, 3600 * self._length.hours - seconds)
        done = self._length.done(step, seconds)
        spent = work(self._preset, self._done, done)
        return (seconds - self._seconds) * work(self._preset, done, 1.0) / max(spent, 1e-9)

    def line(self, report: Report, seconds: float) -> str:
        """A report in one line for a person; the next one's pace is counted from here."""
        speed = (report.samples - self._samples) / max(seconds - self._seconds, 1e-9)
        stages = len(self._preset.stages)
        stage = f", stage {report.stage} of {stages}" if stages > 1 else ""
        seconds_left = self.left(report.step, seconds)
        left = f", {duration(seconds_left)} left" if seconds_left else ""
        parts = ", ".join(f"{name} {value:.4f}" for name, value in report.parts.items())
        picture = ""
        if report.psnr is not None:
            picture = f"{report.psnr:.2f} dB (sharp picture {report.psnr_identity:.2f}), "
        self._samples, self._seconds = report.samples, seconds
        self._done = self._length.done(report.step, seconds)
        return (
            f"{self._length.position(report.step, seconds)}{stage}: loss {report.loss:.4f} "
            f"({parts}), {picture}{speed:.3g} samples/s{left}"
        )


def duration(seconds: float) -> str:
    """A time for a person: 45 s, 12 min, 2 h 5 min."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
