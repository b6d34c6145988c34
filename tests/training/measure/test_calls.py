from pathlib import Path

import numpy as np
import pytest

from realtime_bokeh.errors import UsageError
from tests.training.measure.effects import Bright, box, draw, save
from training.measure.calls import calls, read_groups
from training.measure.report import Report, Section

PERSON = box(slice(40, 120), slice(40, 120))


@pytest.fixture
def section(tmp_path: Path) -> Section:
    return Report(tmp_path / "out", "title").section("calls", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A person who is kept, one of whom a quarter is not, and one who is all of the picture."""
    path = tmp_path / "calls"
    save(path / "hands_1_a", draw(PERSON), PERSON)
    save(path / "hands_2", draw(PERSON & ~box(slice(40, 60), slice(40, 120))), PERSON)
    everything = np.ones((120, 160), bool)
    save(path / "face_1", draw(everything), everything)
    return path


def test_means_are_taken_over_all_by_source_and_by_group(folder: Path, section: Section) -> None:
    result = calls(folder, [Bright()], section, {"glasses": ["hands_2", "face_1"]})
    sources = {source: means["bright"] for source, means in result["sources"].items()}
    assert sources["hands"]["focus_iou"] == pytest.approx((1 + 0.75) / 2)
    assert sources["hands"]["poor"] == 0.5
    assert 0.5 < sources["hands"]["edge_iou"] < 0.9
    assert sources["face"]["focus_iou"] == 1
    assert sources["face"]["edge_iou"] is None  # there is no edge
    assert sources["all"]["edge_iou"] == sources["hands"]["edge_iou"]
    assert sources["all"]["exact_iou"] == 0  # float32 finds nothing
    assert result["groups"]["glasses"]["bright"]["focus_iou"] == pytest.approx((0.75 + 1) / 2)
    tables = {table.title: table for table in section.tables}
    by_source = tables["IoU of focus and mask, by source"].rows
    assert by_source == [["all (3)", "0.917"], ["face (1)", "1.000"], ["hands (2)", "0.875"]]
    assert tables["IoU of focus and mask, by group"].rows == [["glasses (2)", "0.875"]]


def test_page_begins_with_the_worst(folder: Path, section: Section) -> None:
    calls(folder, [Bright()], section, {})
    worst, pictures = next(iter(section.rows.items()))
    assert worst == "bright: hands_2, IoU 0.750"
    assert [caption for caption, _ in pictures] == ["input", "output", "focus", "mask"]


def test_mistakes_in_groups_are_said(folder: Path, section: Section, tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("hands_2,hat;glasses\nface_1,hat\n")
    groups = [("glasses", ["hands_2"]), ("hat", ["hands_2", "face_1"])]
    assert list(read_groups(path).items()) == groups
    path.write_text("hands_2,glasses\nface_1\n")
    with pytest.raises(UsageError, match="line 2: write NAME,GROUP;GROUP"):
        read_groups(path)
    with pytest.raises(UsageError, match="nowhere is no text file"):
        read_groups(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="names nobody, which"):
        calls(folder, [Bright()], section, {"hat": ["nobody"]})
