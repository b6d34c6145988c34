"""What a rendering of several files reads, and what it writes."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime_bokeh.errors import UsageError
from realtime_bokeh.sinks.encoders import CLEAR as CLEAR_VIDEOS
from realtime_bokeh.sinks.encoders import FORMATS as VIDEOS_WRITTEN
from realtime_bokeh.stills import CLEAR, is_still, name_of_rendering
from realtime_bokeh.stills import READ as PHOTOS

VIDEOS = (
    *VIDEOS_WRITTEN, ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob", ".wmv", ".asf",
    ".flv", ".3gp", ".3g2", ".ogv", ".dv", ".mxf",
)  # fmt: skip
"""Endings of the videos that are taken from a folder; by their names, any are."""
_NAMED = 5  # names of files that a sentence lists


@dataclass(frozen=True)
class Batch:
    """Files to render, each with the file that it becomes.

    skipped: a sentence on what was found and is neither.
    """

    photos: Sequence[tuple[Path, Path]]
    videos: Sequence[tuple[Path, Path]]
    skipped: Sequence[str]


def gather(sources: Iterable[Path], target: Path, alpha: bool = False) -> Batch:
    """The photos and videos of files and folders, and what they become in the folder `target`,
    which is made.

    Hidden files of a folder are left out: macOS leaves notes beside photos on memory sticks, with
    a photo's ending behind `._`.

    Args:
        alpha: whether they become files that hold transparency.

    Raises:
        UsageError: when a folder has none, or `target` is no folder or cannot be made one.
    """
    if not target.is_dir() and (is_still(target) or target.suffix.lower() in VIDEOS_WRITTEN):
        raise UsageError(f"{target} is a file's name, but IN needs a folder: name one")
    files: list[Path] = []
    others: list[str] = []
    output = Path(os.path.realpath(target))  # it may lie in a folder that is read
    for source in sources:
        if source.is_dir():
            found, rest = _listed(source, {output, *output.parents})
            files += found
            others += rest
        else:
            files.append(source)
    pairs = _named(files, target, alpha)
    for source, rendering in pairs:
        if rendering.exists() and source.samefile(rendering):
            raise UsageError(f"IN and OUT are the same ({source}); give another folder for OUT")
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{target} cannot be made a folder ({error.strerror})") from error
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    skipped = (
        [f"{', '.join(others[:_NAMED])}{more} (no photo or video that is read)"] if others else []
    )
    return Batch(
        [pair for pair in pairs if is_still(pair[0])],
        [pair for pair in pairs if not is_still(pair[0])], skipped,
    )  # fmt: skip


def _listed(folder: Path, known: set[Path]) -> tuple[list[Path], list[str]]:
    """The photos and videos of a folder by name, and what else is in it."""
    try:
        content = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise UsageError(f"{folder} cannot be read ({error.strerror})") from error
    files = [p for p in content if p.suffix.lower() in (*PHOTOS, *VIDEOS) and p.is_file()]
    if not files:
        raise UsageError(
            f"There are no photos ({', '.join(PHOTOS)}) or videos ({', '.join(VIDEOS)}) in {folder}"
        )
    rest = [p for p in content if p not in files and Path(os.path.realpath(p)) not in known]
    return files, [path.name for path in rest]


def _named(files: Sequence[Path], target: Path, alpha: bool) -> list[tuple[Path, Path]]:
    """Files with what they become, no two the same."""
    names = [_name(file, alpha) for file in files]
    # many file systems take IMG.jpg and IMG.JPG for one
    count = Counter(name.lower() for name in names)
    pairs: list[tuple[Path, Path]] = []
    taken: set[str] = set()
    for file, name in zip(files, names, strict=True):
        if name != file.name and count[name.lower()] > 1:  # another's rendering is called so
            name = file.name + Path(name).suffix
        if name.lower() in taken:
            raise UsageError(
                f"Two files would become {target / name}; render one of them by itself"
            )
        taken.add(name.lower())
        pairs.append((file, target / name))
    return pairs


def _name(file: Path, alpha: bool) -> str:
    if is_still(file):
        name = name_of_rendering(file)
        return f"{file.stem}.png" if alpha and not name.lower().endswith(CLEAR) else name
    kept = CLEAR_VIDEOS if alpha else VIDEOS_WRITTEN
    usual = ".mov" if alpha else ".mp4"
    return file.name if file.suffix.lower() in kept else f"{file.stem}{usual}"
