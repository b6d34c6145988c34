from pathlib import Path

import numpy as np
import pytest

from realtime_bokeh.errors import UsageError
from tests.clips import make
from tests.training.measure.effects import Bright, box, draw
from training.measure.clips import clips
from training.measure.report import Report, Section

PERSON = box(slice(40, 120), slice(40, 120))
TIMES = (0, 0.1, 0.2)


@pytest.fixture
def section(tmp_path: Path) -> Section:
    return Report(tmp_path / "out", "title").section("clips", "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A person of whom the upper third is lost."""
    (tmp_path / "clips").mkdir()
    image = draw(PERSON & ~box(slice(40, 65), slice(160)))
    make(tmp_path / "clips" / "one.mkv", TIMES, image, codec="ffv1", pix_fmt="bgr0")
    return tmp_path


def _mask(folder: Path, times: tuple[float, ...]) -> None:
    (folder / "clip_masks").mkdir()
    image = np.repeat(PERSON[..., None].astype(np.uint8) * 255, 3, 2)
    make(folder / "clip_masks" / "one.mkv", times, image, codec="ffv1", pix_fmt="gray")


def test_detail_lost_and_steadiness(folder: Path, section: Section) -> None:
    _mask(folder, TIMES)
    result = clips(folder / "clips", folder / "clip_masks", [Bright()], section, 2)
    assert result["means"].keys() == {"identity", "whole-image Gaussian", "bright"}
    assert result["each"]["identity"]["one"] < 0.01
    assert 0.15 < result["people"]["bright"]["detail_lost"] < 0.35
    assert result["people"]["bright"]["frames_lost"] == 1
    assert "People in 3 frames" in [table.title for table in section.tables]
    assert any("of a person's detail lost in frame" in row for row in section.rows)


def test_clip_without_masks_is_judged_in_time_alone(folder: Path, section: Section) -> None:
    result = clips(folder / "clips", folder / "clip_masks", [Bright()], section, 2)
    assert result["means"]["bright"]["warping_error"] < 0.01
    assert result["people"] == {}


def test_masks_of_another_clip_are_said(folder: Path, section: Section) -> None:
    _mask(folder, TIMES[:2])
    with pytest.raises(UsageError, match=r"one.mkv has not its clip's size and number of frames"):
        clips(folder / "clips", folder / "clip_masks", [Bright()], section, 2)
