from pathlib import Path

import numpy as np
import pytest

from tests.training.measure.effects import Bright, box, draw, save
from training.measure.report import Report, Section
from training.measure.several import SIZE, Person, one_behind, several, side_by_side

ROOM = np.zeros((*SIZE, 3), np.uint8)
UPRIGHT = box(slice(20, 120), slice(50, 110))


@pytest.fixture
def section(tmp_path: Path) -> Section:
    return Report(tmp_path / "out", "title").section("several", "")


def _person(level: int, height: int = 90, width: int = 60) -> Person:
    image = np.full((height, width, 3), level, np.uint8)
    return Person(image, np.ones((height, width), np.float32), frozenset({"bottom"}))


def test_two_side_by_side_have_a_half_each_and_end_at_the_lower_edge() -> None:
    image, one, two = side_by_side(_person(100), _person(200, width=300), ROOM)
    middle = SIZE.width // 2
    assert not one[:, middle:].any()
    assert not two[:, :middle].any()
    assert one[-1].any()
    assert two[-1, middle:].all()  # as wide as the half
    assert (image[one] == 100).all()
    assert (image[two] == 200).all()
    assert (image[~(one | two)] == 0).all()


def test_one_behind_is_smaller_and_hidden_by_the_nearer() -> None:
    image, near, far = one_behind(_person(100, width=90), _person(200, width=200), ROOM)
    assert near.sum() > 2 * far.sum() > 0
    assert not (near & far).any()
    assert (image[near] == 100).all()


def test_the_lesser_of_two_and_who_is_further_are_measured(
    tmp_path: Path, section: Section
) -> None:
    save(tmp_path / "calls" / "a_1", draw(UPRIGHT), UPRIGHT)
    save(tmp_path / "calls" / "a_2", draw(UPRIGHT & ~box(slice(20, 70), slice(160))), UPRIGHT)
    save(tmp_path / "calls" / "b_1", draw(UPRIGHT), UPRIGHT)  # nobody else is of this source
    cut = box(slice(120), slice(50, 110))
    save(tmp_path / "calls" / "a_3", draw(cut), cut)  # nobody puts a head without a top anywhere
    standing = box(slice(20, 100), slice(70, 90))
    save(tmp_path / "people" / "c_1", draw(standing), standing)
    save(tmp_path / "backgrounds" / "room", draw(~np.ones((120, 160), bool)), ~standing)
    result = several(tmp_path, [Bright()], section)
    beside = result["side by side"]
    assert beside["pictures"] == 1
    assert beside["means"]["bright"]["lesser_iou"] == pytest.approx(0.5, abs=0.02)
    assert beside["means"]["bright"]["poor"] == 1
    behind = result["one behind"]
    assert behind["pictures"] == 1
    assert behind["means"]["bright"]["nearer_iou"] > 0.97
    assert behind["means"]["bright"]["further_focus"] > 0.97
    assert len(section.tables) == 2


def test_without_two_people_there_is_nothing(tmp_path: Path, section: Section) -> None:
    save(tmp_path / "calls" / "a_1", draw(UPRIGHT), UPRIGHT)
    save(tmp_path / "backgrounds" / "room", draw(UPRIGHT), UPRIGHT)
    assert several(tmp_path, [Bright()], section) == {}
    assert not section.tables
