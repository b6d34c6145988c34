from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from realtime_bokeh.errors import UsageError
from realtime_bokeh.sizes import Size
from training.data.ebb import Ebb, gain_match, shift_match

MakeEbb = Callable[..., Path]


@pytest.fixture
def picture() -> np.ndarray:
    """Blobs of a few pixels, uint8 [60, 90, 3]."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    blobs = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.asarray(cv2.normalize(blobs, blobs, 30, 200, cv2.NORM_MINMAX))


@pytest.fixture
def ebb(tmp_path: Path, picture: np.ndarray) -> MakeEbb:
    def make(*numbers: int) -> Path:
        for name, image in (("original", picture), ("bokeh", cv2.GaussianBlur(picture, (0, 0), 3))):
            folder = tmp_path / "Training" / name
            folder.mkdir(parents=True)
            for number in numbers:
                cv2.imwrite(str(folder / f"{number}.jpg"), image)
        return tmp_path

    return make


def test_split_is_the_papers(ebb: MakeEbb) -> None:
    folder = ebb(0, 4399, 4400, 4693, 4694)
    numbers = {
        split: [int(original.stem) for original, _ in Ebb(folder, split).pairs]
        for split in ("train", "val")
    }
    assert numbers == {"train": [0, 4399, 4694], "val": [4400, 4693]}


def test_items_are_rgb_at_the_size_asked_for(ebb: MakeEbb, picture: np.ndarray) -> None:
    original, bokeh = Ebb(ebb(4400), "val", size=Size(32, 48))[0]
    assert original.shape == bokeh.shape == (3, 32, 48)
    assert original.dtype == torch.float32
    means = picture[..., ::-1].mean((0, 1)) / 255
    assert np.allclose(original.mean((1, 2)), means, atol=0.02)
    assert original.std() > bokeh.std()


def test_pairs_stay_as_they_are_without_a_size(ebb: MakeEbb) -> None:
    original, _ = Ebb(ebb(4400), "val", size=None)[0]
    assert original.shape == (3, 60, 90)


def test_flips_follow_seed_and_epoch_and_keep_pairs_together(ebb: MakeEbb) -> None:
    folder = ebb(*range(12))
    one, two, other = (Ebb(folder, "train", Size(24, 40), seed=seed) for seed in (1, 1, 2))
    plain = Ebb(ebb_val(folder), "val", Size(24, 40))[0]
    kinds = set()
    for index in range(12):
        first, second = one[index], two[index]
        assert torch.equal(first[0], second[0])
        found = [f for f in ([], [1], [2], [1, 2]) if torch.equal(first[0], plain[0].flip(f))]
        assert len(found) == 1
        assert torch.equal(first[1], plain[1].flip(found[0]))
        kinds.add(tuple(found[0]))
    assert len(kinds) == 4
    assert any(not torch.equal(one[i][0], other[i][0]) for i in range(12))
    before = [one[i][0] for i in range(12)]
    one.set_epoch(1)
    assert any(not torch.equal(one[i][0], before[i]) for i in range(12))


def ebb_val(folder: Path) -> Path:
    """The same data set with its first pair in the other split too."""
    for name in ("original", "bokeh"):
        first = folder / "Training" / name / "0.jpg"
        first.with_name("4400.jpg").write_bytes(first.read_bytes())
    return folder


def test_alignment_undoes_exposure_and_shift(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (140, 220, 3), dtype=np.uint8)
    scene = cv2.GaussianBlur(noise, (0, 0), 2)
    original, bokeh = scene[10:130, 10:210], scene[7:127, 12:212] * 0.7
    for name, image in (("original", original), ("bokeh", bokeh)):
        (tmp_path / "Training" / name).mkdir(parents=True)
        path = tmp_path / "Training" / name / "4400.jpg"
        cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
    apart = Ebb(tmp_path, "val", size=None)[0]
    together = Ebb(tmp_path, "val", size=None, align=True)[0]
    inner = (slice(None), slice(10, -10), slice(10, -10))
    assert (apart[0] - apart[1])[inner].abs().mean() > 0.05
    assert (together[0] - together[1])[inner].abs().mean() < 0.01


def test_gain_is_per_channel(picture: np.ndarray) -> None:
    gains = np.array([0.8, 1.1, 1.25])
    target = np.rint(picture * gains).clip(0, 255).astype(np.uint8)
    assert np.abs(gain_match(picture, target).astype(int) - target).max() <= 1


def test_a_wild_shift_is_not_believed(picture: np.ndarray) -> None:
    target = np.roll(picture, 30, axis=1)
    assert np.array_equal(shift_match(picture, target), picture)


def test_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Training/original does not exist; give the folder"):
        Ebb(tmp_path, "train")


@pytest.mark.parametrize("name", ["original", "bokeh"])
def test_unpaired_picture_is_named(ebb: MakeEbb, name: str) -> None:
    folder = ebb(1, 2, 3)
    other = "bokeh" if name == "original" else "original"
    for number in (2, 3):
        (folder / "Training" / name / f"{number}.jpg").unlink()
    with pytest.raises(UsageError, match=rf"{other}/2.jpg has no partner in {name}/ \(and 1 more"):
        Ebb(folder, "train")


def test_empty_split_is_said(ebb: MakeEbb) -> None:
    with pytest.raises(UsageError, match="no pairs numbered 4400 to 4693"):
        Ebb(ebb(1), "val")


def test_unreadable_picture_is_named(ebb: MakeEbb) -> None:
    folder = ebb(1)
    (folder / "Training" / "bokeh" / "1.jpg").write_text("no picture")
    with pytest.raises(UsageError, match=r"bokeh/1.jpg is not a picture"):
        Ebb(folder, "train")[0]
