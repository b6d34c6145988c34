"""Where a step's batch comes from: rendered pairs, or those of EBB!.

What a step sees follows from its number alone, so that a run that is resumed goes on where it was,
and several processes together see what one would.
"""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.sizes import Size
from realtime_bokeh.stills import read_still
from training.data.ebb import Array, Ebb
from training.data.optics import Lens
from training.data.pool import Pool
from training.data.synthesis import Renderer
from training.fit.presets import PAPER, Preset, stage_at

SEED = 1  # of training; evaluate.py renders with another
_WORKERS = {"synthetic": 1, "ebb": 4}  # a network on the CPU needs the other cores


class Examples(NamedTuple):
    """What one process sees in a step, float32 in [0, 1].

    `input` [n, 3, h, w] RGB is what the network sees, with disparity as a fourth channel where the
    preset has it; `sharp` [n, 3, h, w] the same before noise and compression; `bokeh` the truth;
    `focus` [n, 1, h, w] where it is known. Of clips, the two frames follow each other.
    """

    input: Tensor
    sharp: Tensor
    bokeh: Tensor
    focus: Tensor | None


class Share(NamedTuple):
    """What one process has to get for a step."""

    stage: int
    height: int
    width: int
    numbers: tuple[int, ...]  # of samples; those of a run never come twice


class Source(Protocol):
    """Gets the examples of a share."""

    def __call__(self, share: Share) -> Examples: ...


def shares(
    preset: Preset, start: int, progress: Callable[[int], float], rank: int, world: int, clips: bool
) -> Iterator[Share]:
    """One process's share of every step until the run is complete.

    Args:
        start: the first step.
        progress: of the run, in [0, 1], before a step.
        rank, world: of the process, and how many there are.
        clips: numbers are those of clips of two frames, half as many.

    Raises:
        UsageError: when the processes cannot share a stage's batch equally.
    """
    for stage in preset.stages:
        if (stage.batch // (1 + clips)) % world:
            what = f"{stage.batch // 2} clips" if clips else f"{stage.batch} pictures"
            raise UsageError(
                f"{world} processes cannot share a batch of {what} equally; start fewer"
            )

    def drawn() -> Iterator[Share]:
        step = start
        while (now := progress(step)) < 1:
            number, _ = stage_at(preset, now)
            stage = preset.stages[number]
            chance = np.random.default_rng((SEED, step))
            height, width = stage.shapes[chance.integers(len(stage.shapes))]
            first = step * preset.largest_batch
            numbers = range(first, first + stage.batch // (1 + clips))
            yield Share(number, height, width, tuple(numbers[rank::world]))
            step += 1

    return drawn()


class Synthetic:
    """Rendered pairs, or clips of two frames."""

    def __init__(self, pool: Pool, clips: bool, lens: Lens | None = None) -> None:
        self._renderer, self._clips = Renderer(pool, SEED, lens), clips

    def __call__(self, share: Share) -> Examples:
        size = share.height, share.width
        if self._clips:
            batches = [self._renderer.clip(number, 2, *size) for number in share.numbers]
        else:
            batches = [self._renderer.batch(share.numbers, *size)]
        input, sharp, bokeh, focus = (
            torch.cat([getattr(b, name) for b in batches]) for name in Examples._fields
        )
        return Examples(input, sharp, bokeh, focus)


class EbbWithDisparity(Ebb):
    """EBB! whose originals come with Training/disparity/N.png (8-bit, bright is near) as a fourth
    channel, and their bokeh too.

    Arguments and errors as in `Ebb`, and an error for a disparity that is missing; no alignment.
    """

    def __init__(self, folder: Path, size: Size) -> None:
        super().__init__(folder, "train", size, SEED)
        missing = [
            p for p in (_disparity(original) for original, _ in self.pairs) if not p.exists()
        ]
        if missing:
            raise UsageError(
                f"{missing[0]} is missing ({len(missing)} in all); a network that sees depth needs "
                "the disparity of every original"
            )

    def _read(self, path: Path) -> Array:
        rgb = super()._read(path)
        plane = Pillow.fromarray(read_still(_disparity(path)).image[..., 0])
        resized = plane.resize(rgb.shape[1::-1], Pillow.Resampling.LANCZOS)
        return np.dstack([rgb, np.asarray(resized)])


def _disparity(picture: Path) -> Path:
    return picture.parent.parent / "disparity" / f"{picture.stem}.png"


class Pairs:
    """The pairs of EBB!, in another order in each epoch; a number is a position in the run."""

    def __init__(self, pairs: Ebb) -> None:
        self._pairs = pairs

    def __call__(self, share: Share) -> Examples:
        drawn: list[tuple[Tensor, Tensor]] = []
        for number in share.numbers:
            epoch, position = divmod(number, len(self._pairs))
            order = np.random.default_rng((SEED, epoch)).permutation(len(self._pairs))
            self._pairs.set_epoch(epoch)
            drawn.append(self._pairs[int(order[position])])
        originals, bokeh = (torch.stack(part) for part in zip(*drawn, strict=True))
        return Examples(originals, originals[:, :3], bokeh[:, :3], None)


class _Shares(Dataset[tuple[int, Examples] | BokehError]):
    """As a `DataLoader` asks for them."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __getitem__(self, share: Share) -> tuple[int, Examples] | BokehError:
        try:
            return share.stage, self._source(share)
        except BokehError as error:
            return error  # raised in a worker, its sentence would come with a traceback


def _start_worker(_: int) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):  # the trainer ends its workers itself
        signal.signal(name, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def open_source(
    preset: Preset, data: Path, device: torch.device, clips: bool, align: bool, lens: Lens
) -> Source:
    """The source of a preset.

    Args:
        data: the folder of photographs (see pool.py) or of EBB! (see datasets.py).
        device: where pictures are rendered.
        clips: rendered ones are clips of two frames.
        align: bring EBB!'s pairs together, see `Ebb`.
        lens: of rendered ones.

    Raises:
        BokehError: when the folder is not what it should be.
    """
    if preset.data == "synthetic":
        return Synthetic(Pool(data, device), clips, lens)
    (size,) = PAPER
    if preset.depth:
        return Pairs(EbbWithDisparity(data, size))
    return Pairs(Ebb(data, "train", size, SEED, align))


def load(
    source: Source, preset: Preset, wanted: Iterator[Share], device: torch.device
) -> Iterator[tuple[int, Examples]]:
    """The stage and the examples of each share, got ahead of time by workers; what is rendered on a
    GPU is got in this process.

    Raises:
        BokehError: when a file cannot be read.
    """
    in_process = preset.data == "synthetic" and device.type != "cpu"
    workers = 0 if in_process else _WORKERS[preset.data]
    loader = DataLoader(
        _Shares(source),
        batch_size=None,
        sampler=wanted,  # any iterable of what __getitem__ takes
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_start_worker,
    )
    for item in loader:
        if isinstance(item, BokehError):
            raise item
        stage, examples = item
        yield stage, examples
