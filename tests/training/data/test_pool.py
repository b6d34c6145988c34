import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from realtime_bokeh.errors import UsageError
from training.data.pool import Pool


def test_photographs_are_kept_as_they_are(photos: Path) -> None:
    pool = Pool(photos)
    assert pool.counts == {
        "people": 2, "people_auto": 2, "calls": 0, "backgrounds": 2, "cutouts": 0
    }  # fmt: skip
    assert [len(part) for part in (pool.people, pool.scenes)] == [4, 2]
    subject = pool.people[0]
    assert subject.pixels.dtype == torch.uint8
    assert subject.pixels.shape == (5, 200, 300)
    assert subject.box == (100, 50, 200, 199)
    *colour, mask, disparity = subject.pixels[:, 140, 150].tolist()
    assert colour == pytest.approx([200, 120, 90], abs=4)
    assert (mask, disparity) == (255, 220)
    assert pool.scenes[0].shape == (4, 200, 300)


def test_people_are_sorted_by_source(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "backgrounds").symlink_to(photos / "backgrounds")
    for folder, name in (("people", "street_1"), ("people_auto", "call_1"), ("calls", "call_2")):
        (tmp_path / folder).mkdir()
        for suffix in (".jpg", ".mask.png", ".disparity.png"):
            picture = photos / "people" / f"photo_0{suffix}"
            (tmp_path / folder / f"{name}{suffix}").symlink_to(picture)
    sources = Pool(tmp_path).sources
    assert {name: len(people) for name, people in sources.items()} == {"street": 1, "call": 2}
    assert sources["call"][0].close
    assert not sources["street"][0].close


def test_masks_of_ones_are_masks(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("people/*.mask.png"):
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        cv2.imwrite(str(path), (mask > 0).astype(np.uint8))
    ones, levels = Pool(tmp_path).people[0], Pool(photos).people[0]
    assert ones.box == levels.box
    assert torch.equal(ones.pixels, levels.pixels)


def test_what_goes_elsewhere_has_a_tighter_mask(pool: Pool) -> None:
    subject = pool.people[0]
    before, after = subject.pixels[3] > 127, pool.alone(subject)[3] > 127
    assert 0.9 * before.sum() < after.sum() < before.sum()
    assert not (after & ~before).any()


def test_cutouts_need_alpha(photos: Path, tmp_path: Path) -> None:
    for name in ("people", "backgrounds"):
        (tmp_path / name).symlink_to(photos / name)
    (tmp_path / "cutouts").mkdir()
    cutout = np.zeros((60, 80, 4), np.uint8)
    cutout[10:50, 20:60] = 255
    cv2.imwrite(str(tmp_path / "cutouts" / "cup.webp"), cutout)
    pool = Pool(tmp_path)
    assert pool.objects[0].box == (20, 10, 59, 49)
    assert pool.counts["cutouts"] == 1
    cv2.imwrite(str(tmp_path / "cutouts" / "plate.webp"), cutout[..., :3])
    with pytest.raises(UsageError, match=r"plate.webp has no alpha"):
        Pool(tmp_path)


def test_what_is_missing_is_said(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs photographs"):
        Pool(tmp_path)
    (tmp_path / "people").mkdir()
    cv2.imwrite(str(tmp_path / "people" / "a.jpg"), np.zeros((60, 80, 3), np.uint8))
    with pytest.raises(UsageError, match=r"a.mask.png is missing or not a picture"):
        Pool(tmp_path)
