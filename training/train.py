"""Train a network on synthetic pairs; the same command resumes.

    python -m training.train --preset lite --data FOLDER --run runs/lite [--steps N] [--init FILE]

The learning rate is constant and falls to nothing over the last three tenths of the steps, so a
run can be lengthened or brought to its end by giving another --steps when it is resumed. SIGTERM
and Ctrl-C end with a checkpoint. The run's folder gets checkpoint.pt, metrics.jsonl, pictures of
the latest samples (input, output, truth, focus) and, at every checkpoint, weights.safetensors
(fp16, averaged over steps).
"""

import argparse
import json
import math
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from realtime_bokeh.network.dmshn import build, split_output
from training.initial import load_initial
from training.losses import recompose, total
from training.synthesis import Pool, Renderer

# (height, width) of a batch: landscape most often; every shape has about the same area
SHAPES = ((144, 256), (144, 256), (144, 256), (160, 224), (192, 192), (240, 160))


@dataclass(frozen=True)
class Preset:
    """What is trained, and how."""

    architecture: str
    steps: int
    batch: int = 4
    learning_rate: float = 4e-4
    frozen: str = ""  # parameters whose name starts so are left as they are


PRESETS = {
    "lite": Preset("lite", 20_000),
    "dmshn": Preset("dmshn", 10_000, learning_rate=3e-4),
    "stacked": Preset("stacked", 3_000, learning_rate=2e-4, frozen="net1."),
}


class Batches(IterableDataset[tuple[Tensor, ...]]):
    """Endless batches (input, sharp, bokeh [n, 3, h, w]; focus [n, 1, h, w]) of random shapes."""

    def __init__(self, pool: Pool, size: int, seed: int) -> None:
        self._pool, self._size, self._seed = pool, size, seed

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for name in (signal.SIGTERM, signal.SIGINT):  # the trainer ends its workers itself
            signal.signal(name, signal.SIG_IGN)
        renderer = Renderer(self._pool, self._seed)
        shapes = np.random.default_rng(self._seed)
        while True:
            height, width = SHAPES[shapes.integers(len(SHAPES))]
            samples = [renderer.sample(height, width) for _ in range(self._size)]
            yield tuple(
                torch.from_numpy(np.stack(part).astype(np.float32).transpose(0, 3, 1, 2).copy())
                for part in zip(*samples, strict=True)
            )


def learning_rate(preset: Preset, step: int, steps: int) -> float:
    warm = min(1.0, (step + 1) / 200)
    left = min(1.0, (steps - step) / max(1, 0.3 * steps))
    return preset.learning_rate * warm * max(left, 0.0)


def replace_file(path: Path, write: Any) -> None:
    """Write through `write(temporary path)`; the file appears whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    write(temporary)
    os.replace(temporary, path)


class Trainer:
    """The state of one run: network, optimizer, averaged weights, step."""

    def __init__(self, preset: Preset, run: Path, device: torch.device) -> None:
        self.preset, self.run, self.device = preset, run, device
        network: nn.Module = build(preset.architecture, focus_head=True)
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if preset.frozen:
            for name, parameter in self.network.named_parameters():
                parameter.requires_grad_(not name.startswith(preset.frozen))
        trained = [p for p in self.network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(trained, preset.learning_rate, betas=(0.9, 0.999))
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.step = 0
        self.seconds = 0.0

    def start(self, initial: Path | None) -> None:
        """Go on from the run's checkpoint, or begin from the initial weights, if any."""
        checkpoint = self.run / "checkpoint.pt"
        if checkpoint.exists():
            state = torch.load(checkpoint, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.average, self.step = state["average"], state["step"]
            self.seconds = state["seconds"]
        elif initial:
            load_initial(self.network, initial)
            self.average = {k: v.clone() for k, v in self.network.state_dict().items()}

    def save(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "seconds": self.seconds,
        }
        half = {k: v.half().contiguous().cpu() for k, v in self.average.items()}
        replace_file(self.run / "checkpoint.pt", lambda p: torch.save(state, p))
        replace_file(self.run / "weights.safetensors", lambda p: save_file(half, p))

    def update(self, batch: list[Tensor], steps: int, bf16: bool) -> dict[str, float]:
        """One step of Adam; returns the loss and the PSNR of the output and of the input."""
        image, sharp, bokeh, focus = (t.to(self.device, non_blocking=True) for t in batch)
        image = image.contiguous(memory_format=torch.channels_last)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.preset, self.step, steps)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            y = self.network(image)
        y = y.float()
        loss = total(y, sharp, bokeh, focus)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        keep = min(0.999, self.step / (self.step + 50))
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.average[name].lerp_(value, 1 - keep)
            rendering, logit = split_output(y)
            assert logit is not None
            picture = recompose(rendering, torch.sigmoid(logit), sharp)
            return {
                "loss": float(loss),
                "mse": float(nn.functional.mse_loss(picture, bokeh)),
                "mse_identity": float(nn.functional.mse_loss(sharp, bokeh)),
            }

    @torch.no_grad()
    def picture(self, batch: list[Tensor]) -> None:
        image, sharp, bokeh, _ = batch
        rendering, logit = split_output(self.network(image.to(self.device)).float().cpu())
        assert logit is not None
        focus = torch.sigmoid(logit)
        rows = (image, recompose(rendering, focus, sharp), bokeh, focus.expand_as(image))
        grid = torch.cat([torch.cat(list(row), 2) for row in rows], 1).clamp(0, 1)
        pixels = (grid.permute(1, 2, 0).numpy()[..., ::-1] * 255).astype(np.uint8)
        cv2.imwrite(str(self.run / "samples.jpg"), pixels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=PRESETS, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run")
    parser.add_argument("--steps", type=int, help="steps in all (default: the preset's)")
    parser.add_argument("--init", type=Path, help="safetensors to begin from")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--threads", type=int, help="of PyTorch (default: all)")
    args = parser.parse_args()
    preset: Preset = PRESETS[args.preset]
    steps = args.steps or preset.steps
    if args.threads:
        torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)  # a worker forked from a process with OpenCV's threads may hang
    args.run.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    trainer = Trainer(preset, args.run, device)
    trainer.start(args.init)
    stop = [False]
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.__setitem__(0, True))
    # another seed after each resumption, so that no sample comes twice
    data = Batches(Pool(args.data), preset.batch, seed=trainer.step + 1)
    loader = iter(DataLoader(data, batch_size=None, num_workers=1, prefetch_factor=4))
    sums: dict[str, float] = {}
    count = 0
    saved = mark = time.monotonic()
    while trainer.step < steps and not stop[0]:
        batch = next(loader)
        for key, value in trainer.update(batch, steps, args.precision == "bf16").items():
            sums[key] = sums.get(key, 0.0) + value
        count += 1
        now = time.monotonic()
        trainer.seconds, mark = trainer.seconds + now - mark, now
        if trainer.step % 100 == 0:
            line = {
                "step": trainer.step,
                "samples": trainer.step * preset.batch,
                "hours": round(trainer.seconds / 3600, 3),
                "loss": round(sums["loss"] / count, 4),
                "psnr": round(-10 * math.log10(sums["mse"] / count), 2),
                "psnr_identity": round(-10 * math.log10(sums["mse_identity"] / count), 2),
            }
            sums, count = {}, 0
            with (args.run / "metrics.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            print(line, flush=True)
        if now - saved > 240:
            saved = now
            trainer.save()
            trainer.picture(batch)
    trainer.save()


if __name__ == "__main__":
    main()
