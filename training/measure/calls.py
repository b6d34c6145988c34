"""What `evaluate` measures on pictures of calls: whether all of the person is in focus."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from realtime_bokeh.errors import UsageError
from realtime_bokeh.stills import read_still
from training.measure.methods import Effect, Focus
from training.measure.metrics import EDGE, Mask, Scores, edge_iou, intersection_over_union
from training.measure.protocols import Result, read_mask
from training.measure.report import Section, group_table, score_table

FAIR = 0.85  # IoU; under it a person is not kept
SCORES = ("focus_iou", "edge_iou", "poor", "exact_iou")
ALL = "all"
_TITLES = {
    "focus_iou": "IoU of focus and mask",
    "edge_iou": f"IoU within {EDGE} pixels of the mask's edge",
    "poor": f"Share of photos whose IoU is under {FAIR}",
}
_WORST = 8  # pictures of each effect that the page shows


def calls(
    folder: Path, effects: Sequence[Effect], section: Section, groups: Mapping[str, Sequence[str]]
) -> Result:
    """The focus map of photos NAME.jpg against soft masks NAME.mask.png: means over all, by source
    (the name's part before the first `_`), and by group.

    Args:
        groups: names of photos in each.

    Raises:
        UsageError: for a photo or a mask that is missing or cannot be read.
    """
    paths = {path.stem: path for path in sorted(folder.glob("*.jpg"))}
    unknown = sorted({name for names in groups.values() for name in names} - paths.keys())
    if unknown:
        raise UsageError(f"--groups names {unknown[0]}, which {folder} has not")
    scores: dict[str, dict[str, Scores]] = {effect.name: {} for effect in effects}
    for name, path in paths.items():
        image = read_still(path).image
        mask = read_mask(path.with_suffix(".mask.png"), image)
        for effect in effects:
            focus = effect.focus(image)
            exact = focus if effect.exact else effect.exact_focus(image)
            scores[effect.name][name] = _scores(focus, exact, mask)
    sources: dict[str, list[str]] = {ALL: list(paths)}
    for name in paths:
        sources.setdefault(source_of(name), []).append(name)
    by_source = _means(scores, sources)
    title = f"Means over {len(paths)} photos"
    section.tables.append(score_table(title, by_source[ALL], SCORES))
    _add_tables("by source", by_source, sources, section)
    by_group = _means(scores, groups)
    if by_group:
        _add_tables("by group", by_group, groups, section)
    for effect in effects:
        _show_worst(effect, scores[effect.name], paths, section)
    return {"photos": len(paths), "sources": by_source, "groups": by_group, "each": scores}


def read_groups(path: Path) -> dict[str, list[str]]:
    """Groups of photos, by name, from a file of lines NAME,GROUP[;GROUP...], NAME without .jpg.

    Raises:
        UsageError: when it cannot be read, or a line is something else.
    """
    groups: dict[str, list[str]] = {}
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--groups {path} is no text file that can be read") from error
    for number, line in enumerate(lines, 1):
        if len(line) != 2:
            raise UsageError(f"--groups {path}, line {number}: write NAME,GROUP;GROUP")
        for group in line[1].split(";"):
            groups.setdefault(group, []).append(line[0])
    return dict(sorted(groups.items()))


def source_of(name: str) -> str:
    """Where a photo is from: its name up to the first underscore."""
    return name.partition("_")[0]


def _scores(focus: Focus, exact: Focus, mask: Mask) -> Scores:
    iou = intersection_over_union(focus > 0.5, mask)
    return {
        "focus_iou": iou,
        "edge_iou": edge_iou(focus > 0.5, mask),
        "poor": float(iou < FAIR),
        "exact_iou": intersection_over_union(exact > 0.5, mask),
    }


def _means(
    scores: Mapping[str, Mapping[str, Scores]], groups: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Scores]]:
    """Of the photos of every group, for every effect; edges count where there are some."""

    def mean(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    return {
        group: {
            who: {score: mean([each[name][score] for name in names]) for score in SCORES}
            for who, each in scores.items()
        }
        for group, names in groups.items()
    }


def _add_tables(
    by: str,
    means: Mapping[str, Mapping[str, Scores]],
    groups: Mapping[str, Sequence[str]],
    section: Section,
) -> None:
    counted = {f"{group} ({len(groups[group])})": values for group, values in means.items()}
    for name, title in _TITLES.items():
        section.tables.append(group_table(f"{title}, {by}", counted, name))


def _show_worst(
    effect: Effect, scores: Mapping[str, Scores], paths: Mapping[str, Path], section: Section
) -> None:
    worst = sorted(scores, key=lambda name: scores[name]["focus_iou"] or 0)[:_WORST]
    for name in worst:
        image = read_still(paths[name]).image
        mask = read_mask(paths[name].with_suffix(".mask.png"), image)
        title = f"{effect.name}: {name}, IoU {scores[name]['focus_iou']:.3f}"
        section.compare(title, image, effect.photo(image), effect.focus(image), mask)
