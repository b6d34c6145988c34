"""What `evaluate` measures with two people in a picture, put together from photos of one.

Two at the same distance belong in focus both; somebody who stands far behind the other does not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size
from realtime_bokeh.stills import read_still
from training.measure.calls import FAIR, source_of
from training.measure.methods import Effect, Focus
from training.measure.metrics import Mask, Scores, intersection_over_union, mean_scores
from training.measure.protocols import Result, read_alpha
from training.measure.report import Section, score_table

SIZE = Size(540, 960)  # of the pictures put together
_NEAR = 0.9  # the most that a near person, cut by the lower edge, has of the picture's height
_FAR, _FEET = 0.5, 0.9  # the most of one who stands far behind, and where the feet are
_WORST = 4  # pictures of each kind that the page shows for an effect


class Person(NamedTuple):
    """Somebody cut out of a photo, of which as much is left as shows the person.

    image: uint8 [h, w, 3] BGR.
    alpha: float32 [h, w] in [0, 1].
    cut: which of the photo's borders cut the person.
    """

    image: Image
    alpha: NDArray[np.float32]
    cut: frozenset[str]


class Picture(NamedTuple):
    """Two people in a picture, uint8 [h, w, 3] BGR, and what is seen of each."""

    image: Image
    one: Mask
    two: Mask


def several(folder: Path, effects: Sequence[Effect], section: Section) -> Result:
    """Means over pictures of two people before the rooms of backgrounds/.

    Side by side: two of calls/, of one source, each as large as a half of the picture allows.
    `lesser_iou` is the lesser of the halves' intersections over union of focus and mask, and `poor`
    how often it is under 0.85. One behind: somebody of people/ far behind somebody of calls/.
    `nearer_iou` is taken where the further one is not, and `further_focus` is the share of the
    further one that is in focus.

    Raises:
        UsageError: for a photo or a mask that is missing or cannot be read.
    """
    rooms = cycle([_room(path) for path in sorted((folder / "backgrounds").glob("*.jpg"))])
    close = _people(folder / "calls")
    standing = [person for person in _people(folder / "people").values() if not person.cut]
    uncut = [person for person in close.values() if person.cut == {"bottom"}]
    both = zip(uncut, standing, strict=False)
    measures: dict[str, tuple[list[Picture], Callable[[Focus, Picture], Scores]]] = {
        "side by side": ([side_by_side(*p, next(rooms)) for p in _pairs(close)], _lesser),
        "one behind": ([one_behind(*p, next(rooms)) for p in both], _further),
    }
    result: Result = {}
    for kind, (pictures, score) in measures.items():
        if pictures:
            means = {e.name: _measure(e, pictures, score, kind, section) for e in effects}
            title = f"Two people, {kind}: means over {len(pictures)} pictures"
            section.tables.append(score_table(title, means, list(means[effects[0].name])))
            result[kind] = {"pictures": len(pictures), "means": means}
    return result


def side_by_side(left: Person, right: Person, room: Image) -> Picture:
    """Two people, each in a half of a room, who end at its lower edge."""
    height, width = SIZE
    image, one = _put(room, left, _fit(left, _NEAR, 1 / 2), width // 4, height)
    image, two = _put(image, right, _fit(right, _NEAR, 1 / 2), 3 * width // 4, height)
    return Picture(image, one > 0.5, two > 0.5)


def one_behind(near: Person, far: Person, room: Image) -> Picture:
    """Somebody at the left of a room, and somebody who stands far behind at the right."""
    height, width = SIZE
    image, two = _put(room, far, _fit(far, _FAR, 1 / 3), 4 * width // 5, round(_FEET * height))
    image, one = _put(image, near, _fit(near, _NEAR, 1 / 2), width // 3, height)
    return Picture(image, one > 0.5, two * (1 - one) > 0.5)


def _fit(person: Person, tall: float, wide: float) -> float:
    """The scale at which somebody is at most so tall and so wide, as parts of the picture."""
    height, width = Size.of(person.alpha)
    return min(tall * SIZE.height / height, wide * SIZE.width / width)


def _put(
    image: Image, person: Person, scale: float, center: int, bottom: int
) -> tuple[Image, NDArray[np.float32]]:
    """A picture with somebody in it, and the alpha of that.

    Args:
        scale: by which the person is resized.
        center, bottom: the columns and rows at which the person's middle is, and ends.
    """
    colours, alpha = (
        cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for part in (person.image, person.alpha)
    )
    rows, columns = alpha.shape
    left = center - columns // 2
    place = np.s_[bottom - rows : bottom, left : left + columns]
    result, everywhere = image.copy(), np.zeros(image.shape[:2], np.float32)
    result[place] = cv2.blendLinear(colours, result[place].copy(), alpha, 1 - alpha)
    everywhere[place] = alpha
    return result, everywhere


def _lesser(focus: Focus, picture: Picture) -> Scores:
    found, mask = focus > 0.5, picture.one | picture.two
    middle = focus.shape[1] // 2
    halves = np.s_[:, :middle], np.s_[:, middle:]
    lesser = min(intersection_over_union(found[half], mask[half]) for half in halves)
    return {"lesser_iou": lesser, "poor": float(lesser < FAIR)}


def _further(focus: Focus, picture: Picture) -> Scores:
    found, elsewhere = focus > 0.5, ~picture.two
    return {
        "nearer_iou": intersection_over_union(found & elsewhere, picture.one & elsewhere),
        "further_focus": float(found[picture.two].mean()),
    }


def _measure(
    effect: Effect,
    pictures: Sequence[Picture],
    score: Callable[[Focus, Picture], Scores],
    kind: str,
    section: Section,
) -> Scores:
    """The means of an effect; the page gets the pictures with the lowest IoU."""
    scores = [score(effect.focus(picture.image), picture) for picture in pictures]
    values = [next(iter(each.values())) or 0.0 for each in scores]
    for number in sorted(range(len(pictures)), key=values.__getitem__)[:_WORST]:
        image, one, two = pictures[number]
        row = f"{effect.name}, {kind}: picture {number + 1}, IoU {values[number]:.3f}"
        section.compare(row, image, effect.photo(image), effect.focus(image), one | two)
    return mean_scores(scores)


def _room(path: Path) -> Image:
    """A background, resized and cut to the size of the pictures."""
    image = read_still(path).image
    scale = max(SIZE.height / image.shape[0], SIZE.width / image.shape[1])
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = (large.shape[0] - SIZE.height) // 2, (large.shape[1] - SIZE.width) // 2
    return np.ascontiguousarray(large[top : top + SIZE.height, left : left + SIZE.width])


def _people(folder: Path) -> dict[str, Person]:
    """Of every photo in a folder, by its name."""
    people = {}
    for path in sorted(folder.glob("*.jpg")):
        image = read_still(path).image
        alpha = read_alpha(path.with_suffix(".mask.png"), image)
        seen = alpha > 0.5
        borders = {"top": seen[0], "bottom": seen[-1], "left": seen[:, 0], "right": seen[:, -1]}
        if seen.any():
            ys, xs = np.nonzero(seen)
            box = np.s_[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
            cut = frozenset(name for name, border in borders.items() if border.any())
            people[path.stem] = Person(image[box], alpha[box], cut)
    return people


def _pairs(people: Mapping[str, Person]) -> Iterator[tuple[Person, Person]]:
    """One after the other, of one source, who look well side by side: the head is not cut, and
    whose shoulders are cut fills a half."""
    sources: dict[str, list[Person]] = {}
    for name, person in people.items():
        height, width = person.alpha.shape
        fills = width / height > (SIZE.width / 2) / (_NEAR * SIZE.height)
        if person.cut == {"bottom"} or (fills and person.cut == {"bottom", "left", "right"}):
            sources.setdefault(source_of(name), []).append(person)
    for members in sources.values():
        yield from zip(members[::2], members[1::2], strict=False)
