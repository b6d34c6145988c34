"""The photographs that synthetic pairs are made of, in memory.

Folder layout: `people/` (whole figures, exact masks), `people_auto/` (head and shoulders, masks
made by a network), `calls/` (people as the camera of a call sees them, soft masks) and
`backgrounds/` hold NAME.jpg, NAME.disparity.png (8-bit, any size, bright is near) and, for people,
NAME.mask.png (8-bit, or 0 and 1); `cutouts/` holds pictures with alpha (NAME.webp). The part of a
NAME before its first underscore is its source. Missing folders are skipped, except that there must
be people and backgrounds. Backgrounds that are named in scenes_with_people.txt beside this module
are left out: people near the camera, without a mask, would be taught as background.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

from realtime_bokeh.errors import UsageError
from training.data.hands import cut_hands
from training.data.pictures import Pixels
from training.data.subjects import MASKED, Subject, bounding_box

LONG_SIDE = 640  # photos are kept at this size
_FEWEST = 500  # pixels of a mask in which there is somebody to see
_HANDS = "hands"  # source of webcam frames with raised hands
_Read = TypeVar("_Read")
_PEOPLE = {"people": False, "people_auto": True, "calls": True}  # folders: head and shoulders?


@cache
def _with_people() -> frozenset[str]:
    names = Path(__file__).with_name("scenes_with_people.txt").read_text(encoding="utf-8")
    return frozenset(names.split())


class Pool:
    """The photographs of a folder (see the module's docstring).

    `sources` hold people by their source, `people` all of them, `objects` things; `scenes` hold
    what stands behind them: uint8 [4, h, w], RGB and disparity.

    Args:
        folder: the photographs.

    Raises:
        UsageError: when there are no people or no backgrounds, or a file cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.sources: dict[str, list[Subject]] = {}
        self.counts: dict[str, int] = {}
        """How many photographs each folder gave."""
        for name, close in _PEOPLE.items():
            self.counts[name] = self._read_people(folder / name, close)
        self.people = [subject for source in self.sources.values() for subject in source]
        self.objects = _each(folder / "cutouts", "*.webp", self._cutout)
        self.scenes = _each(folder / "backgrounds", "*.jpg", _scene)
        if not self.people or not self.scenes:
            raise UsageError(
                f"{folder} needs photographs in {'/, '.join(_PEOPLE)}/ (one of them is enough) and "
                "in backgrounds/; training/README.md describes the layout"
            )
        self.counts |= {"backgrounds": len(self.scenes), "cutouts": len(self.objects)}

    @cached_property
    def hands(self) -> list[Subject]:
        """Raised hands, cut from the webcam frames."""
        frames = self.sources.get(_HANDS, [])
        return [hand for frame in frames for hand in cut_hands(frame.pixels)]

    def _subject(
        self, image: Pixels, mask: Pixels, disparity: Pixels, close: bool
    ) -> Subject | None:
        if np.count_nonzero(mask > MASKED) < _FEWEST:
            return None
        return Subject(_tensor(image, mask, disparity), bounding_box(mask), close)

    def _read_people(self, folder: Path, close: bool) -> int:
        """Sort a folder's people into their sources; return how many there are."""
        people = _each(folder, "*.jpg", lambda path: self._person(path, close))
        for source, subject in people:
            self.sources.setdefault(source, []).append(subject)
        return len(people)

    def _person(self, path: Path, close: bool) -> tuple[str, Subject] | None:
        """The source and the subject of a photo, if somebody is to be seen."""
        image = _photo(path)
        mask, disparity = (_plane(path, s, image) for s in (".mask.png", ".disparity.png"))
        subject = self._subject(image, mask, disparity, close)
        return (path.stem.split("_")[0], subject) if subject else None

    def _cutout(self, path: Path) -> Subject | None:
        image = shrunk(_read(path, cv2.IMREAD_UNCHANGED))
        if image.ndim != 3 or image.shape[2] != 4:
            raise UsageError(f"{path} has no alpha channel; cutouts need one")
        return self._subject(image[..., 2::-1], image[..., 3], image[..., 3], False)


def _each(folder: Path, pattern: str, read: Callable[[Path], _Read | None]) -> list[_Read]:
    """What is read from a folder's files, in their order, on all processor cores."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(read, sorted(folder.glob(pattern)))
        return [part for part in found if part is not None]


def _scene(path: Path) -> Tensor | None:
    if path.stem in _with_people():
        return None
    image = _photo(path)
    return _tensor(image, _plane(path, ".disparity.png", image))


def _tensor(image: Pixels, *planes: Pixels) -> Tensor:
    """Uint8 [h, w, 3] and planes [h, w] as [3 + planes, h, w]."""
    return torch.from_numpy(np.concatenate([image.transpose(2, 0, 1), np.stack(planes)]))


def _read(path: Path, flag: int) -> Pixels:
    image = cv2.imread(str(path), flag)
    if image is None:
        raise UsageError(f"{path} is missing or not a picture")
    return np.asarray(image)


def shrunk(image: Pixels) -> Pixels:
    """A photo no larger than it is kept: itself, or a smaller one."""
    scale = LONG_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _photo(path: Path) -> Pixels:
    return shrunk(_read(path, cv2.IMREAD_COLOR)[..., ::-1])


def _plane(photo: Path, suffix: str, image: Pixels) -> Pixels:
    """The mask or disparity that belongs to a photo, at the size of `image`."""
    plane = _read(photo.with_name(photo.stem + suffix), cv2.IMREAD_GRAYSCALE)
    if plane.max() == 1:  # a mask of 0 and 1
        plane = plane * 255
    size = (image.shape[1], image.shape[0])
    smaller = plane.shape[1] > size[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size, interpolation=how))
