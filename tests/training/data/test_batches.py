import multiprocessing
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from realtime_bokeh.errors import UsageError
from realtime_bokeh.sizes import Size
from training.data.batches import (
    EbbWithDisparity,
    Examples,
    Pairs,
    Share,
    Synthetic,
    batches,
    check_shares,
    open_source,
    share_of,
)
from training.data.ebb import Ebb
from training.data.optics import Lens
from training.data.pool import Pool
from training.fit.presets import PRESETS

PRESET = PRESETS["lite"]
SIZE = Size(32, 48)  # of EBB!'s pairs
SHAPES = Size(16, 32), Size(32, 16), Size(32, 32)
TINY = replace(
    PRESET,
    stages=tuple(
        replace(stage, shapes=(shape,), batch=2)
        for stage, shape in zip(PRESET.stages, SHAPES, strict=True)
    ),
)


def _run(rank: int = 0, world: int = 1) -> list[Share]:
    """The shares of a run of ten steps."""
    stages = [0] * 4 + [1] * 4 + [2] * 2
    return [share_of(PRESET, stage, step, rank, world) for step, stage in enumerate(stages)]


def test_no_sample_comes_twice() -> None:
    numbers = [number for share in _run() for number in share.numbers]
    assert len(numbers) == len(set(numbers)) == 4 * 8 + 4 * 4 + 2 * 2


def test_processes_share_what_one_would_see() -> None:
    for alone, *parts in zip(_run(), _run(0, 2), _run(1, 2), strict=True):
        assert sorted(n for part in parts for n in part.numbers) == list(alone.numbers)
        assert {part.size for part in parts} == {alone.size}
    check_shares(PRESET, 2, clips=False)
    with pytest.raises(UsageError, match="3 processes cannot share a batch of 8 pictures"):
        check_shares(PRESET, 3, clips=False)
    with pytest.raises(UsageError, match="2 processes cannot share a batch of 1 clips"):
        check_shares(PRESET, 2, clips=True)


class Clocked:
    """A run whose stages go by the time trained, as its trainer and its batches see it.

    Its steps last three seconds each, whatever the machine takes; the three stages end 7, 13 and 20
    seconds after it began.
    """

    def __init__(self, pool: Pool, workers: int) -> None:
        self._source, self._workers = Synthetic(pool, clips=False), workers
        self.step = 0

    def _stage_of(self, _: int) -> int | None:
        seconds = 3 * self.step
        return next((stage for stage, end in enumerate((7, 13, 20)) if seconds < end), None)

    def train(self, steps: int | None = None) -> list[tuple[int, Examples]]:
        """What it sees in some steps, or to its end; the next call resumes it."""
        seen = []
        wanted = batches(self._source, partial(share_of, TINY), self._stage_of, self.step,
                         self._workers)  # fmt: skip
        for found in islice(wanted, steps):
            seen.append(found)
            self.step += 1
        return seen


def _same(one: list[tuple[int, Examples]], two: list[tuple[int, Examples]]) -> bool:
    pairs = zip(one, two, strict=True)
    return all(a == b and torch.equal(x.input, y.input) and torch.equal(x.sharp, y.sharp)
               for (a, x), (b, y) in pairs)  # fmt: skip


def test_a_step_sees_the_same_however_many_workers_get_it_and_after_a_resume(pool: Pool) -> None:
    alone = Clocked(pool, workers=0).train()
    assert [stage for stage, _ in alone] == [0, 0, 0, 1, 1, 2, 2]
    assert {Size.of(seen.input[0, 0]) for _, seen in alone} == set(SHAPES)
    for workers in (1, 2):
        assert _same(Clocked(pool, workers).train(), alone)
    for workers in (0, 2):
        resumed = Clocked(pool, workers)
        assert _same(resumed.train(4) + resumed.train(), alone)
    assert not multiprocessing.active_children()


def test_a_run_from_anothers_weights_sees_other_samples(photos: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"some weights")
    second.write_bytes(b"others")

    def seen(init: Path | None) -> torch.Tensor:
        source = open_source(TINY, photos, clips=False, align=False, lens=Lens(), init=init)
        return source(Share(Size(48, 80), (0,))).sharp

    assert torch.equal(seen(first), seen(first))
    assert not torch.equal(seen(first), seen(second))
    assert not torch.equal(seen(first), seen(None))
    first.unlink()
    with pytest.raises(UsageError, match=r"first cannot be read .* that the run began from"):
        seen(first)


def test_clips_are_of_two_frames(pool: Pool) -> None:
    share = Share(Size(48, 80), (3, 4))
    clips = Synthetic(pool, clips=True)(share)
    assert clips.input.shape == (4, 3, 48, 80)
    samples = Synthetic(pool, clips=False)(share)
    assert torch.allclose(clips.sharp[0::2], samples.sharp, atol=1e-4)


def test_a_lens_of_the_users_choice(pool: Pool) -> None:
    share = Share(Size(96, 160), (3, 4))
    disc, blades = (Synthetic(pool, clips=False, lens=lens)(share) for lens in (None, Lens(5)))
    assert torch.equal(disc.input, blades.input)
    assert disc.bokeh is not None
    assert blades.bokeh is not None
    assert not torch.allclose(disc.bokeh, blades.bokeh, atol=0.02)


@pytest.mark.parametrize("clips", [False, True])
def test_on_focus_alone_nothing_is_blurred_and_all_else_is_the_same(
    pool: Pool, clips: bool
) -> None:
    source, share = Synthetic(pool, clips), Share(Size(48, 80), (3, 4))
    blurred, alone = source(share), source(share._replace(lens=False))
    assert blurred.bokeh is not None
    assert blurred.bokeh.shape == blurred.input.shape
    assert alone.bokeh is None
    for name in ("input", "sharp", "focus"):
        assert torch.allclose(getattr(alone, name), getattr(blurred, name), atol=1e-4)
    stages = [share_of(PRESETS["lite-calls"], stage, 0) for stage in (0, 1)]
    assert [of.lens for of in stages] == [False, True]


@pytest.fixture
def ebb(tmp_path: Path) -> Path:
    for name in ("original", "bokeh", "disparity"):
        folder = tmp_path / "Training" / name
        folder.mkdir(parents=True)
        for number in range(5):
            image = np.full((32, 48, 3), 40 * number + 20, np.uint8)
            ending = "png" if name == "disparity" else "jpg"
            cv2.imwrite(str(folder / f"{number}.{ending}"), image)
    return tmp_path


def test_each_epoch_sees_every_pair_in_another_order(ebb: Path) -> None:
    pairs = Pairs(Ebb(ebb, "train", SIZE))
    epochs = []
    for epoch in range(3):
        numbers = tuple(range(5 * epoch, 5 * epoch + 5))
        levels = pairs(Share(SIZE, numbers)).input.mean((1, 2, 3)) * 255
        epochs.append([round((float(v) - 20) / 40) for v in levels])
    assert all(sorted(epoch) == list(range(5)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_depth_comes_as_a_fourth_channel(ebb: Path) -> None:
    examples = Pairs(EbbWithDisparity(ebb, SIZE))(Share(SIZE, (0, 1)))
    assert examples.input.shape == (2, 4, 32, 48)
    assert torch.allclose(examples.input[:, 3], examples.input[:, 0], atol=0.02)
    assert examples.bokeh is not None
    assert examples.bokeh.shape == (2, 3, 32, 48)
    (ebb / "Training" / "disparity" / "3.png").unlink()
    with pytest.raises(UsageError, match=r"3.png is missing \(1 in all\)"):
        EbbWithDisparity(ebb, SIZE)
