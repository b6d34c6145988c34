import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from realtime_bokeh.errors import SinkError
from training.measure.report import Report, score_table


def test_scores_are_written_as_they_should_be_read() -> None:
    scores: dict[str, dict[str, float | str | None]] = {
        "ours": {"psnr": 24.647, "lpips": None},
        "theirs": {"psnr": "not at hand"},
    }
    table = score_table("Quality", scores, ("psnr", "lpips"))
    assert table.columns == ["", "PSNR, dB"]  # nobody has the other
    assert table.rows == [["ours", "24.65"], ["theirs", "not at hand"]]
    text = io.StringIO()
    Console(width=80, file=text).print(table.rich())
    assert "not at hand" in text.getvalue()


def test_page_shows_every_picture_and_escapes_names(tmp_path: Path) -> None:
    report = Report(tmp_path / "deep" / "out", "A <title>")
    section = report.section("people", "Text & more")
    section.tables.append(score_table("T", {"<b>": {"psnr": 1.0}}, ("psnr",)))
    section.show("one", "before", np.zeros((20, 30, 3), np.uint8))
    section.show("one", "a/b: focus", np.zeros((20, 30), np.uint8))
    section.show("two", "large", np.zeros((20, 4000, 3), np.uint8))
    report.save()
    page = (report.folder / "index.html").read_text()
    assert "A &lt;title&gt;" in page
    assert "<td>&lt;b&gt;</td>" in page
    assert "<b>" not in page
    files = re.findall(r'src="([^"]+)"', page)
    assert len(set(files)) == 3
    assert all((report.folder / file).stat().st_size for file in files)
    assert not re.search(r"https?://", page)  # nothing from elsewhere


def test_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(SinkError, match="cannot be a folder for results"):
        Report(tmp_path / "out", "title")
