"""The state of one run and one step of it."""

import functools
import io
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import torch
from lightning_fabric import Fabric
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.files import write_atomically
from realtime_bokeh.network.dmshn import split_output
from training.data.batches import Examples
from training.fit.ablations import build_network
from training.fit.device import summed
from training.fit.initial import load_initial
from training.fit.losses import (
    LOSSES,
    distillation,
    focus_losses,
    losses_with_focus,
    recompose,
    temporal,
)
from training.fit.optimizers import optimizers_for
from training.fit.presets import Preset, rate_at
from training.fit.progress import Report, append_report, trim_reports
from training.fit.samples import labelled_sheet
from training.fit.teacher import Teacher

_SHOWN = 4  # columns of samples.jpg
_TEMPORAL = 0.5  # weight of the loss in time
_HELD = 4  # one in so many samples holds the rendering: a forward pass costs a third of a step
_DECAY = 0.999  # of the averaged weights at each step, once there were many


class StepOutput(NamedTuple):
    """A step's examples and what the network made of them, for a picture."""

    examples: Examples
    picture: Tensor  # [n, 3, h, w]
    focus: Tensor | None  # [n, 1, h, w]


class Trainer:
    """One run: its network and optimizers, the average of its weights, and how far it has come.

    step, samples: how many it has had, of all calls and processes.
    seconds: of training, of all calls.
    network: what is trained.
    average: its weights, averaged over the last steps.

    Args:
        fabric: launched.
        name: of the preset.
        preset: itself.
        folder: of the run.
        teacher: of a network with the focus head, to learn from: focus where the truth has none,
            else the rendering too.
        reference: a network that the rendering is held to where the examples have no bokeh; a
            teacher does that itself.
        clips: batches hold clips of two frames, whose change is learnt as well.
    """

    def __init__(
        self,
        fabric: Fabric,
        name: str,
        preset: Preset,
        folder: Path,
        teacher: Teacher | None = None,
        reference: nn.Module | None = None,
        clips: bool = False,
    ) -> None:
        self.fabric, self.name, self.preset, self.folder = fabric, name, preset, folder
        # before the set-up: DDP keeps gradients in the layout that parameters have there
        self.network: nn.Module = _channels_last(build_network(preset))
        if preset.frozen:
            self.network.get_submodule(preset.frozen).requires_grad_(False)
        optimizers = optimizers_for(preset, self.network)
        self._model, *self._optimizers = fabric.setup(self.network, *optimizers)
        self._teacher, self._reference, self._clips = teacher, reference, clips
        for other in (teacher, reference):
            if other:
                _channels_last(fabric.to_device(other)).requires_grad_(False)
        self.average = self._weights()
        self.step = self.samples = 0
        self.seconds = 0.0
        self._sums: dict[str, Tensor] = {}  # since the last report

    def _weights(self) -> dict[str, Tensor]:
        return {k: v.detach().clone() for k, v in self.network.state_dict().items()}

    def start(self, initial: Path | None) -> None:
        """Go on from the run's checkpoint, or begin from the initial weights, if any.

        Raises:
            UsageError: for a checkpoint that is damaged or another preset's, or weights that do not
                fit.
        """
        path = self.folder / "checkpoint.pt"
        if path.exists():
            self._resume(path)
        elif initial:
            load_initial(self.network, initial)
            self.average = self._weights()
        reports = self.folder / "metrics.jsonl"
        if self.fabric.is_global_zero and reports.exists():
            trim_reports(reports, self.step)

    def _resume(self, path: Path) -> None:
        damaged = f"{path} is damaged or not a checkpoint of training; remove it to begin anew"
        try:
            state = torch.load(path, map_location=self.fabric.device, weights_only=True)
            name = state["preset"]
        except (RuntimeError, OSError, EOFError, BadZipFile, pickle.UnpicklingError,
                KeyError, TypeError) as error:  # fmt: skip
            raise UsageError(damaged) from error
        if name != self.name:
            raise UsageError(
                f"{self.folder} holds a run of the preset {name}; go on with --preset {name}, or "
                "give another folder with --out"
            )
        try:
            self.network.load_state_dict(state["network"])
            for optimizer, own in zip(self._optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(own)
            self.average = state["average"]
            self.step, self.samples, self.seconds = (
                state[k] for k in ("step", "samples", "seconds")
            )
        except (RuntimeError, KeyError, ValueError) as error:
            raise UsageError(damaged) from error

    def adopt(self, part: str, state: Mapping[str, Tensor]) -> None:
        """Take a part of the network, and of its average, from elsewhere.

        Args:
            part: its name, such as "net1".
            state: its parameters; of more outputs than it has, it takes the first.
        """
        for own in (self.network.state_dict(), self.average):
            for name, value in own.items():
                if name.startswith(f"{part}."):
                    value.copy_(state[name.removeprefix(f"{part}.")][: len(value)])

    def save(self) -> None:
        """Write checkpoint.pt and weights.safetensors (fp16, averaged over steps).

        Raises:
            SinkError: when they cannot be written.
        """
        if not self.fabric.is_global_zero:
            return
        state = {
            "preset": self.name,
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "average": self.average,
            "step": self.step,
            "samples": self.samples,
            "seconds": self.seconds,
        }
        content = io.BytesIO()
        torch.save(state, content)
        write_atomically(self.folder / "checkpoint.pt", content.getvalue())
        half = {k: v.half().contiguous().cpu() for k, v in self.average.items()}
        write_atomically(self.folder / "weights.safetensors", save(half))

    def update(self, examples: Examples, stage: int, progress: float) -> StepOutput:
        """Take one step.

        Args:
            examples: this process's share of the batch.
            stage: in which the run is, its number from 0.
            progress: of the whole run before the step, in [0, 1].

        Raises:
            BokehError: when the gradient is not finite.
        """
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate_at(self.preset, progress, self.step)
            optimizer.zero_grad(set_to_none=True)
        examples = self.fabric.to_device(examples)
        examples = examples._replace(
            input=examples.input.contiguous(memory_format=torch.channels_last)
        )
        y = self._model(examples.input).float()
        parts, picture = self._losses(y, examples, self.preset.stages[stage].loss)
        loss = functools.reduce(torch.add, parts.values())
        self.fabric.backward(loss)
        norm = self.fabric.clip_gradients(
            self._model, self._optimizers[0], max_norm=1.0, error_if_nonfinite=False
        )
        if norm is None or not torch.isfinite(norm):
            raise BokehError(
                f"the gradient of step {self.step + 1} is not finite, so training stopped; the "
                "last checkpoint is kept"
            )
        for optimizer in self._optimizers:
            optimizer.step()
        self.step += 1
        self.samples += len(y) * self.fabric.world_size
        keep = min(_DECAY, self.step / (self.step + 50))
        with torch.no_grad():
            values = list(self.network.state_dict().values())
            torch._foreach_lerp_(list(self.average.values()), values, 1 - keep)
            measured = {"steps": torch.ones_like(loss), "loss": loss, **parts}
            if examples.bokeh is not None:
                measured |= {"mse": F.mse_loss(picture, examples.bokeh),
                             "identity": F.mse_loss(examples.sharp, examples.bokeh)}  # fmt: skip
            self._sums = {k: self._sums.get(k, 0) + v.detach() for k, v in measured.items()}
        logit = split_output(y)[1]
        focus = None if logit is None else torch.sigmoid(logit.detach())
        return StepOutput(examples, picture.detach(), focus)

    def _losses(
        self, y: Tensor, examples: Examples, rendering_loss: str
    ) -> tuple[dict[str, Tensor], Tensor]:
        """The losses by name, and the picture that a viewer would get."""
        rendering, logit = split_output(y)
        image, sharp, bokeh, focus = examples
        if logit is None:
            assert bokeh is not None, "what only renders is trained on renderings"
            return {"rendering": LOSSES[rendering_loss](rendering, bokeh)}, rendering
        parts: dict[str, Tensor] = {}
        if self._teacher:
            taught = self._output_of(self._teacher, image)
            if focus is None:
                focus = torch.sigmoid(taught[:, 3:])
            else:
                parts["teacher"] = distillation(y, taught)
        elif self._reference and bokeh is None:
            some = slice(math.ceil(len(y) / _HELD))
            held = self._output_of(self._reference, image[some])
            parts["rendering"] = F.l1_loss(rendering[some], held[:, :3])
        assert focus is not None, "a preset whose data has no focus needs a teacher"
        found = torch.sigmoid(logit)
        picture = recompose(rendering, found, sharp)
        if bokeh is None:
            parts |= focus_losses(logit, focus)
        else:
            parts |= losses_with_focus(y, sharp, bokeh, focus, rendering_loss)
        if self._clips:
            change = temporal(found, focus) if bokeh is None else temporal(picture, bokeh)
            parts["motion"] = _TEMPORAL * change
        return parts, picture

    @torch.no_grad()
    def _output_of(self, network: nn.Module, image: Tensor) -> Tensor:
        """What a network that is not trained makes of the input, in float32."""
        with self.fabric.autocast():
            output: Tensor = network(image).float()
        return output

    def report(self, stage: int, progress: float) -> Report:
        """What was measured since the last report, over all processes; a line of metrics.jsonl.

        A report is of one stage, since another measures other things.

        Args:
            stage: of the last step, its number from 0.
            progress: of the whole run before that step, in [0, 1].
        """
        values = summed(self.fabric, torch.stack(list(self._sums.values())))
        sums = dict(zip(self._sums, values, strict=True))
        self._sums = {}
        steps = sums.pop("steps")
        means = {name: value / steps for name, value in sums.items()}
        loss, mse, identity = (means.pop(name, None) for name in ("loss", "mse", "identity"))
        assert loss is not None
        report = Report(
            step=self.step,
            samples=self.samples,
            hours=round(self.seconds / 3600, 3),
            loss=round(loss, 4),
            parts={name: round(part, 4) for name, part in means.items()},
            psnr=None if mse is None else _decibels(mse),
            psnr_identity=None if identity is None else _decibels(identity),
            stage=stage + 1,
            rate=float(f"{rate_at(self.preset, progress, self.step - 1):.3g}"),
        )
        if self.fabric.is_global_zero:
            append_report(self.folder / "metrics.jsonl", report)
        return report

    def show(self, shown: StepOutput) -> None:
        """Write samples.jpg: rows of input, output, truth (where there is one) and focus.

        Raises:
            SinkError: when it cannot be written.
        """
        if not self.fabric.is_global_zero:
            return
        height, width = shown.picture.shape[2:]
        seen = F.adaptive_avg_pool2d(shown.examples.input[:, :3], (height, width))
        rows = {"input": seen, "output": shown.picture}
        if shown.examples.bokeh is not None:
            rows["truth"] = shown.examples.bokeh
        if shown.focus is not None:
            rows["focus"] = shown.focus
        count = min(_SHOWN, len(shown.picture))
        columns = [
            f"clip {n // 2 + 1}, frame {n % 2 + 1}" if self._clips else f"sample {n + 1}"
            for n in range(count)
        ]
        write_atomically(self.folder / "samples.jpg", labelled_sheet(rows, columns))


def _channels_last(network: nn.Module) -> nn.Module:
    result: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return result


def _decibels(mse: float) -> float:
    return round(-10 * math.log10(max(mse, 1e-10)), 2)
