from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from realtime_bokeh.errors import UsageError
from training.data.batches import EbbWithDisparity, Pairs, Share, Synthetic, shares
from training.data.ebb import Ebb
from training.data.optics import Lens
from training.data.pool import Pool
from training.fit.presets import PRESETS

PRESET = PRESETS["lite"]


def _shares(start: int, rank: int = 0, world: int = 1, clips: bool = False) -> list[Share]:
    return list(shares(PRESET, start, lambda step: step / 10, rank, world, clips))


def test_no_sample_comes_twice_and_a_resumed_run_goes_on() -> None:
    run = _shares(0)
    assert len(run) == 10
    assert [share.stage for share in run] == [0] * 4 + [1] * 4 + [2] * 2
    numbers = [number for share in run for number in share.numbers]
    assert len(numbers) == len(set(numbers)) == 4 * 8 + 4 * 4 + 2 * 2
    assert _shares(6) == run[6:]


def test_processes_share_what_one_would_see() -> None:
    for whole, *parts in zip(_shares(0), _shares(0, 0, 2), _shares(0, 1, 2), strict=True):
        assert sorted(n for part in parts for n in part.numbers) == list(whole.numbers)
        assert {(p.height, p.width) for p in parts} == {(whole.height, whole.width)}
    with pytest.raises(UsageError, match="3 processes cannot share a batch of 8 pictures"):
        _shares(0, 0, 3)
    with pytest.raises(UsageError, match="2 processes cannot share a batch of 1 clips"):
        _shares(0, 0, 2, clips=True)


def test_clips_are_of_two_frames(photos: Path) -> None:
    share = Share(0, 48, 80, (3, 4))
    clips = Synthetic(Pool(photos), clips=True)(share)
    assert clips.input.shape == (4, 3, 48, 80)
    samples = Synthetic(Pool(photos), clips=False)(share)
    assert torch.allclose(clips.sharp[0::2], samples.sharp, atol=1e-4)


def test_a_lens_of_the_users_choice(photos: Path) -> None:
    share, pool = Share(0, 96, 160, (3, 4)), Pool(photos)
    disc, blades = (Synthetic(pool, clips=False, lens=lens)(share) for lens in (None, Lens(5)))
    assert torch.equal(disc.input, blades.input)
    assert not torch.allclose(disc.bokeh, blades.bokeh, atol=0.02)


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
    pairs = Pairs(Ebb(ebb, "train", (32, 48)))
    epochs = []
    for epoch in range(3):
        numbers = tuple(range(5 * epoch, 5 * epoch + 5))
        levels = pairs(Share(0, 32, 48, numbers)).input.mean((1, 2, 3)) * 255
        epochs.append([round((float(v) - 20) / 40) for v in levels])
    assert all(sorted(epoch) == list(range(5)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_depth_comes_as_a_fourth_channel(ebb: Path) -> None:
    examples = Pairs(EbbWithDisparity(ebb, (32, 48)))(Share(0, 32, 48, (0, 1)))
    assert examples.input.shape == (2, 4, 32, 48)
    assert torch.allclose(examples.input[:, 3], examples.input[:, 0], atol=0.02)
    assert examples.bokeh.shape == (2, 3, 32, 48)
    (ebb / "Training" / "disparity" / "3.png").unlink()
    with pytest.raises(UsageError, match=r"3.png is missing \(1 in all\)"):
        EbbWithDisparity(ebb, (32, 48))


def test_batches_end_with_the_run() -> None:
    assert len(list(islice(shares(PRESET, 9, lambda s: s / 10, 0, 1, False), 5))) == 1
