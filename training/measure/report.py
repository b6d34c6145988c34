"""Results to look at: tables on the terminal, and a page of tables and pictures."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import rich.table
from numpy.typing import NDArray

from realtime_bokeh.frame import Image
from training.cli import make_folder, write_image, write_text

_LONGEST = 1600  # pixels of a picture's longer side on the page

# how a score is headed and written
SCORES = {
    "psnr": ("PSNR, dB", "{:.2f}"),
    "ssim": ("SSIM", "{:.4f}"),
    "ssim_gaussian": ("Gaussian SSIM", "{:.4f}"),
    "lpips": ("LPIPS", "{:.4f}"),
    "in_focus_psnr": ("in-focus PSNR, dB", "{:.1f}"),
    "background_energy": ("background energy", "{:.1%}"),
    "focus_iou": ("focus IoU", "{:.3f}"),
    "exact_iou": ("focus IoU, float32", "{:.3f}"),
    "edge_iou": ("edge IoU", "{:.3f}"),
    "poor": ("IoU under 0.85", "{:.0%}"),
    "lesser_iou": ("IoU of the lesser one", "{:.3f}"),
    "nearer_iou": ("IoU of the nearer one", "{:.3f}"),
    "further_focus": ("of the further one in focus", "{:.0%}"),
    "detail_lost": ("detail lost on people", "{:.2%}"),
    "frames_lost": ("frames with over 5% lost", "{:.1%}"),
    "warping_error": ("E_warp, 1e-3", "{:.3f}"),
    "temporal_error": ("temporal error", "{:.2f}"),
    "mos": ("MOS, 0 to 4", "{:.2f}"),
    "interval": ("95% interval, ±", "{:.2f}"),
    "ratings": ("ratings", "{:.0f}"),
    "seconds": ("seconds a frame", "{:.3f}"),
}


@dataclass(frozen=True)
class Table:
    """Cells are text; the first column is what a row is about."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def rich(self) -> rich.table.Table:
        """For the terminal."""
        table = rich.table.Table(title=self.title, title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def html(self) -> str:
        """For a page."""

        def row(cells: Sequence[str], kind: str) -> str:
            parts = (f"<{kind}>{html.escape(cell)}</{kind}>" for cell in cells)
            return f"<tr>{''.join(parts)}</tr>"

        lines = [row(self.columns, "th"), *(row(cells, "td") for cells in self.rows)]
        return f"<table><caption>{html.escape(self.title)}</caption>{''.join(lines)}</table>"


def score_table(
    title: str, scores: Mapping[str, Mapping[str, float | str | None]], names: Sequence[str]
) -> Table:
    """Scores (see `SCORES`) of methods; None, and what is missing, is a dash; text stays text. A
    score that no method has gets no column."""
    names = [n for n in names if any(values.get(n) is not None for values in scores.values())]

    def cell(name: str, value: float | str | None) -> str:
        if value is None:
            return "-"
        return value if isinstance(value, str) else SCORES[name][1].format(value)

    rows = [[who, *(cell(n, values.get(n)) for n in names)] for who, values in scores.items()]
    return Table(title, ["", *(SCORES[name][0] for name in names)], rows)


def group_table(
    title: str, scores: Mapping[str, Mapping[str, Mapping[str, float | None]]], name: str
) -> Table:
    """One score (see `SCORES`) of every group, a row each; None is a dash.

    Args:
        scores: by group, then by method.
        name: of the score.
    """
    methods = list(next(iter(scores.values())))

    def cell(value: float | None) -> str:
        return "-" if value is None else SCORES[name][1].format(value)

    rows = [[g, *(cell(values[who][name]) for who in methods)] for g, values in scores.items()]
    return Table(title, ["", *methods], rows)


@dataclass
class Section:
    """A part of a page; `rows` are pictures side by side: (caption, file) under a row's title."""

    title: str
    text: str
    folder: Path
    tables: list[Table] = field(default_factory=list)
    rows: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def show(self, row: str, caption: str, image: Image) -> None:
        """Put a picture (uint8 [h, w, 3] BGR or [h, w]) at the end of a row.

        Raises:
            SinkError: when it cannot be written.
        """
        scale = _LONGEST / max(image.shape[:2])
        if scale < 1:
            size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        name = re.sub(r"\W+", "-", f"{self.title} {row} {caption}").strip("-") + ".jpg"
        write_image(self.folder / name, image, [cv2.IMWRITE_JPEG_QUALITY, 92])
        self.rows.setdefault(row, []).append((caption, f"{self.folder.name}/{name}"))

    def compare(
        self,
        row: str,
        image: Image,
        output: Image,
        focus: NDArray[np.float32],
        mask: NDArray[np.bool_],
    ) -> None:
        """Put an input, its output, the focus map (in [0, 1]) and the true mask, all of one size,
        into a row.

        Raises:
            SinkError: when one cannot be written.
        """
        self.show(row, "input", image)
        self.show(row, "output", output)
        self.show(row, "focus", (focus * 255).astype(np.uint8))
        self.show(row, "mask", mask.astype(np.uint8) * 255)

    def html(self) -> str:
        parts = [f"<h2>{html.escape(self.title)}</h2><p>{html.escape(self.text)}</p>"]
        parts += [table.html() for table in self.tables]
        for row, pictures in self.rows.items():
            figures = (
                f'<figure><a href="{file}"><img src="{file}" alt="" loading="lazy"></a>'
                f"<figcaption>{html.escape(caption)}</figcaption></figure>"
                for caption, file in pictures
            )
            parts.append(f"<h3>{html.escape(row)}</h3><div>{''.join(figures)}</div>")
        return "\n".join(parts)


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }}
body {{ max-width: 1500px; margin: 2em auto; padding: 0 1em }}
p {{ max-width: 46em }}
table {{ border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums }}
caption {{ text-align: left; font-weight: 600; padding: .3em 0 }}
th, td {{ padding: .25em .8em; border-bottom: 1px solid #8884; text-align: right }}
th:first-child, td:first-child {{ text-align: left; padding-left: 0 }}
div {{ display: flex; gap: 6px; overflow-x: auto }}
figure {{ margin: 0; flex: 1 1 0; min-width: 130px; max-width: 520px }}
img {{ width: 100%; display: block }}
h3 {{ font-size: 1em; margin: 1.2em 0 .3em }}
</style>
<h1>{title}</h1>
<p>{text}</p>
{body}
</html>
"""


class Report:
    """A folder with index.html and its pictures.

    sections: in their order. text: what stands above them.

    Raises:
        SinkError: when the folder cannot be made.
    """

    def __init__(self, folder: Path, title: str) -> None:
        self.folder, self.title = folder, title
        self.sections: list[Section] = []
        self.text = ""
        make_folder(folder / "pictures")

    def section(self, title: str, text: str) -> Section:
        """Begin another section."""
        self.sections.append(Section(title, text, self.folder / "pictures"))
        return self.sections[-1]

    def save(self) -> None:
        """Write index.html.

        Raises:
            SinkError: when it cannot be written.
        """
        body = "\n".join(section.html() for section in self.sections)
        title, text = html.escape(self.title), html.escape(self.text)
        page = _PAGE.format(title=title, text=text, body=body)
        write_text(self.folder / "index.html", page)
