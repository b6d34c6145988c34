"""EBB!, the data set of the paper (Ignatov, Patel and Timofte, CVPR Workshops 2020).

Its owners give it on request: https://competitions.codalab.org/competitions/24716.
"""

import math
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.utils.data import Dataset

from realtime_bokeh.errors import UsageError
from realtime_bokeh.sizes import Size
from realtime_bokeh.stills import read_still
from training.data.pictures import Pixels

Split = Literal["train", "val"]

VAL294 = range(4400, 4694)  # the numbers of the pairs that the paper reports on
_FARTHEST = 0.02  # of the width: a shift beyond it is a failed estimate, not a shaken hand


class Ebb(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of EBB!, split as in the paper: 4400 to 4693 are val, all others train.

    An item is (original, bokeh), float32 [3, h, w] RGB in [0, 1]. Pairs of train are flipped left
    and right, and up and down, each by chance; which are depends on the seed, the epoch and the
    index alone, not on the number of workers.

    Args:
        folder: holds Training/original/N.jpg and Training/bokeh/N.jpg.
        split: train or val.
        size: (height, width) to which both pictures are resized (Lanczos), as the paper trains;
            None keeps them as they are, so that they fit into no batch.
        seed: of the flips.
        align: bring a pair's exposure and framing together, see `gain_match` and `shift_match`; the
            paper does not.

    Raises:
        UsageError: for a missing folder, a picture without its partner, a split without pairs; from
            an item, for a picture that cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        split: Split,
        size: Size | None = Size(1024, 1024),
        seed: int = 0,
        align: bool = False,
    ) -> None:
        originals, bokeh = (_numbered(folder / "Training" / n) for n in ("original", "bokeh"))
        for have, other in ((originals, bokeh), (bokeh, originals)):
            alone = [have[n] for n in sorted(have.keys() - other.keys())]
            if alone:
                partner = "bokeh" if other is bokeh else "original"
                more = f" (and {len(alone) - 1} more)" if len(alone) > 1 else ""
                raise UsageError(
                    f"{alone[0]} has no partner in {partner}/{more}; unpack EBB! again or remove it"
                )
        self.split = split
        self.pairs = [
            (originals[n], bokeh[n]) for n in sorted(originals) if (n in VAL294) == (split == "val")
        ]
        """The paths of each item: original, bokeh."""
        if not self.pairs:
            numbers = f"{VAL294[0]} to {VAL294[-1]}"
            which = f"numbered {numbers}" if split == "val" else f"but {numbers}"
            raise UsageError(f"{folder} has no pairs {which}; unpack the whole of EBB! there")
        self._size, self._seed, self._align = size, seed, align
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draw other flips; to be called before the epoch's `DataLoader` is iterated."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        original, bokeh = (self._read(path) for path in self.pairs[index])
        if self._align:
            original = gain_match(original, bokeh)
            bokeh = shift_match(bokeh, original)
        pair = torch.from_numpy(np.stack([original, bokeh])).permute(0, 3, 1, 2).float() / 255
        if self.split == "train":
            words = np.random.SeedSequence((self._seed, self._epoch, index)).generate_state(1)
            generator = torch.Generator().manual_seed(int(words[0]))
            flips = torch.rand(2, generator=generator) < 0.5
            pair = pair.flip([axis for axis, flip in zip((2, 3), flips, strict=True) if flip])
        return pair[0], pair[1]

    def _read(self, path: Path) -> Pixels:
        rgb = read_still(path).image[..., ::-1]
        if self._size is None:
            return rgb
        height, width = self._size
        return np.asarray(Pillow.fromarray(rgb).resize((width, height), Pillow.Resampling.LANCZOS))


def _numbered(folder: Path) -> dict[int, Path]:
    if not folder.is_dir():
        raise UsageError(
            f"The folder {folder} does not exist; give the folder into which EBB! was unpacked, "
            "the one with Training/original and Training/bokeh in it"
        )
    return {int(p.stem): p for p in folder.glob("*.jpg") if p.stem.isdecimal()}


def gain_match(source: Pixels, target: Pixels) -> Pixels:
    """Bring a picture's exposure and white balance to another's: one gain per channel, by least
    squares.

    Gains are fitted to the pictures as they are coded, where a change of exposure is a gain too as
    far as the coding is a power law.

    Args:
        source, target: uint8 [h, w, 3], in the same colour order.

    Returns:
        The source with its gains, uint8 [h, w, 3].
    """
    values = source.astype(np.float64)
    gain = (values * target).sum((0, 1)) / np.maximum((values**2).sum((0, 1)), 1)
    return np.asarray(np.clip(np.rint(values * gain), 0, 255).astype(np.uint8))


def shift_match(source: Pixels, target: Pixels) -> Pixels:
    """Shift a picture by whole pixels onto another, by phase correlation of their luminance (RGB).

    Whole pixels, so that nothing is softened; what comes in at an edge repeats it. A shift by more
    than a fiftieth of the width is taken for a failed estimate, and the picture left as it is.

    Args:
        source, target: uint8 [h, w, 3] RGB.

    Returns:
        uint8 [h, w, 3].
    """
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32) for p in (source, target)]
    height, width = grey[0].shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(grey[0], grey[1], window)
    if math.hypot(x, y) > _FARTHEST * width:
        return source
    matrix = np.array([[1, 0, round(x)], [0, 1, round(y)]], np.float64)
    return np.asarray(
        cv2.warpAffine(source, matrix, (width, height), flags=cv2.INTER_NEAREST,
                       borderMode=cv2.BORDER_REPLICATE)
    )  # fmt: skip
