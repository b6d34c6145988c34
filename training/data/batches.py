"""Where a step's batch comes from: rendered pairs, or those of EBB!.

What a step sees follows from its number, its stage and the weights that the run began from, so that
a run that is resumed goes on where it was, and several processes together see what one would. The
stage is decided when the step's batch is asked for, never when a worker begins to get it.
"""

import itertools
import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.sizes import Size
from realtime_bokeh.stills import read_still
from realtime_bokeh.weights import file_sha256
from training.data.ebb import Ebb
from training.data.optics import Lens
from training.data.pictures import Pixels
from training.data.pool import Pool
from training.data.synthesis import Renderer
from training.fit.presets import PAPER, Preset

SEED = 1  # of a run from nothing; evaluate.py renders with another
_WORKERS = {"synthetic": 1, "ebb": 4}  # a network on the CPU needs the other cores
_AHEAD = 4  # batches that each worker gets ahead of time


class Examples(NamedTuple):
    """What one process sees in a step, float32 in [0, 1].

    `input` [n, 3, finer h, finer w] RGB is what the network sees (see `architectures.FINER`), with
    disparity as a fourth channel where the preset has it; `sharp` [n, 3, h, w] the same before
    noise and compression; `bokeh` the truth, None where the stage needs none; `focus` [n, 1, h, w]
    where it is known. Of clips, the two frames follow each other.
    """

    input: Tensor
    sharp: Tensor
    bokeh: Tensor | None
    focus: Tensor | None


class Share(NamedTuple):
    """What one process has to get for a step."""

    size: Size
    numbers: tuple[int, ...]  # of samples; those of a run never come twice
    lens: bool = True  # whether the truth is rendered, or focus alone


class Source(Protocol):
    """Gets the examples of a share."""

    def __call__(self, share: Share) -> Examples: ...

    def describe(self) -> str:
        """What there is to learn from, for a person."""
        ...


def share_of(
    preset: Preset, stage: int, step: int, rank: int = 0, world: int = 1, clips: bool = False
) -> Share:
    """One process's share of a step's batch.

    Args:
        stage, step: their numbers, from 0.
        rank, world: of the process, and how many there are.
        clips: numbers are those of clips of two frames, half as many.
    """
    current = preset.stages[stage]
    chance = np.random.default_rng((SEED, step))
    first = step * preset.largest_batch
    numbers = range(first, first + current.batch // (1 + clips))
    shape = current.shapes[chance.integers(len(current.shapes))]
    return Share(shape, tuple(numbers[rank::world]), current.lens)


def check_shares(preset: Preset, world: int, clips: bool) -> None:
    """Make sure that processes can share every batch of a preset.

    Raises:
        UsageError: when they cannot share a stage's batch equally.
    """
    for stage in preset.stages:
        if (stage.batch // (1 + clips)) % world:
            what = f"{stage.batch // 2} clips" if clips else f"{stage.batch} pictures"
            raise UsageError(
                f"{world} processes cannot share a batch of {what} equally; start fewer"
            )


class Synthetic:
    """A source of rendered pairs, or of clips of two frames.

    Args:
        pool: the photographs.
        clips: give clips.
        lens: of the renderer; by default a disc.
        seed: of what they show.
        finer: see `Renderer`.
    """

    def __init__(
        self, pool: Pool, clips: bool, lens: Lens | None = None, seed: int = SEED, finer: int = 1
    ) -> None:
        self._pool, self._renderer, self._clips = pool, Renderer(pool, seed, lens, finer), clips
        _ = pool.hands  # cut once, not by every worker

    def describe(self) -> str:
        counts = ", ".join(f"{folder}/ {count}" for folder, count in self._pool.counts.items())
        return f"{sum(self._pool.counts.values())} photographs: {counts}"

    def __call__(self, share: Share) -> Examples:
        if self._clips:
            batches = [self._renderer.clip(number, 2, *share.size, lens=share.lens)
                       for number in share.numbers]  # fmt: skip
        else:
            batches = [self._renderer.batch(share.numbers, *share.size, lens=share.lens)]
        input, sharp, focus = (
            torch.cat([getattr(b, name) for b in batches]) for name in ("input", "sharp", "focus")
        )
        rendered = [b.bokeh for b in batches if b.bokeh is not None]
        return Examples(input, sharp, torch.cat(rendered) if rendered else None, focus)


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

    def _read(self, path: Path) -> Pixels:
        rgb = super()._read(path)
        plane = Pillow.fromarray(read_still(_disparity(path)).image[..., 0])
        resized = plane.resize(rgb.shape[1::-1], Pillow.Resampling.LANCZOS)
        return np.dstack([rgb, np.asarray(resized)])


def _disparity(picture: Path) -> Path:
    return picture.parent.parent / "disparity" / f"{picture.stem}.png"


class Pairs:
    """A source of the pairs of EBB!, in another order in each epoch.

    A number is a position in the run. A network that sees finer than it renders sees a picture as
    it is, and renders it smaller.

    Args:
        pairs: the pictures.
        finer: how many times finer than it renders, across, the network sees them.
    """

    def __init__(self, pairs: Ebb, finer: int = 1) -> None:
        self._pairs, self._finer = pairs, finer

    def describe(self) -> str:
        return f"{len(self._pairs)} pairs of EBB!"

    def __call__(self, share: Share) -> Examples:
        drawn: list[tuple[Tensor, Tensor]] = []
        for number in share.numbers:
            epoch, position = divmod(number, len(self._pairs))
            order = np.random.default_rng((SEED, epoch)).permutation(len(self._pairs))
            self._pairs.set_epoch(epoch)
            drawn.append(self._pairs[int(order[position])])
        originals, bokeh = (torch.stack(part) for part in zip(*drawn, strict=True))
        sharp, truth = (F.avg_pool2d(part[:, :3], self._finer) for part in (originals, bokeh))
        return Examples(originals, sharp, truth, None)


class _Shares(Dataset[Examples | BokehError]):
    """A source as a `DataLoader` asks it."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __getitem__(self, share: Share) -> Examples | BokehError:
        try:
            return self._source(share)
        except BokehError as error:
            return error  # raised in a worker, its sentence would come with a traceback


def _start_worker(_: int) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):  # the trainer ends its workers itself
        signal.signal(name, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def open_source(
    preset: Preset, data: Path, clips: bool, align: bool, lens: Lens, init: Path | None
) -> Source:
    """The source of a preset.

    What is rendered depends on the weights that a run begins from: one that goes on from another's
    would else see again what that has seen.

    Args:
        data: the folder of photographs (see pool.py) or of EBB! (see ebb.py).
        clips: rendered ones are clips of two frames.
        align: bring EBB!'s pairs together, see `Ebb`.
        lens: of rendered ones.
        init: the weights that the run begins, or began, from.

    Raises:
        BokehError: when the folder is not what it should be.
    """
    if preset.data == "synthetic":
        seed = _seed(init) if init else SEED
        return Synthetic(Pool(data), clips, lens, seed, preset.finer)
    (size,) = PAPER
    if preset.depth:
        return Pairs(EbbWithDisparity(data, size))
    return Pairs(Ebb(data, "train", size, SEED, align), preset.finer)


def _seed(init: Path) -> int:
    try:
        return int(file_sha256(init)[:8], 16)
    except OSError as error:
        raise UsageError(
            f"{init} cannot be read ({error.strerror}); give the weights that the run began from"
        ) from error


def workers_for(preset: Preset, device: torch.device, world: int = 1) -> int:
    """How many workers get a preset's batches. Much of rendering is small steps, at which a GPU is
    slow: processors do it, all of them where the networks do not need them.

    Args:
        world: how many processes share the machine.
    """
    if preset.data == "synthetic" and device.type != "cpu":
        return max(1, (os.cpu_count() or 1) // world - 2)
    return _WORKERS[preset.data]


def batches(
    source: Source,
    share: Callable[[int, int], Share],
    stage_of: Callable[[int], int | None],
    step: int,
    workers: int,
) -> Iterator[tuple[int, Examples]]:
    """The stage and the examples of every step, got ahead of time by workers.

    Where a stage goes by the time trained, workers cannot know when it ends: they go on with the
    present one, and what they have got beyond its end is thrown away.

    Args:
        share: what this process has to get for a stage and a step.
        stage_of: the stage of a step, None when the run is complete; asked when the step's batch
            is.
        step: the first one, from 0.

    Raises:
        BokehError: when a file cannot be read.
    """
    while (stage := stage_of(step)) is not None:
        with closing(_of_stage(source, share, stage, step, workers)) as found:
            while stage_of(step) == stage:
                yield stage, next(found)
                step += 1


def _of_stage(
    source: Source, share: Callable[[int, int], Share], stage: int, step: int, workers: int
) -> Generator[Examples]:
    """The examples of a stage's steps, as if it never ended."""
    cv2.setNumThreads(1)  # a worker forked from a process with OpenCV's threads may hang
    loader = DataLoader(
        _Shares(source),
        batch_size=None,
        sampler=(share(stage, step) for step in itertools.count(step)),
        num_workers=workers,
        prefetch_factor=_AHEAD if workers else None,
        worker_init_fn=_start_worker,
        pin_memory=torch.cuda.is_available(),
    )
    for item in loader:
        if isinstance(item, BokehError):
            raise item
        yield item
