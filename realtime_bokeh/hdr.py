"""High dynamic range: what a network sees of it, and what its rendering makes of the original."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime_bokeh.frame import DeepImage, Image

PQ, HLG = 16, 18
NAMES = {PQ: "PQ", HLG: "HLG"}
"""Codes of the transfer characteristics of ITU-T H.273."""
_WHITE = 0xFF00  # what swscale makes of the signal's 1 in 16 bits
_PAPER = 203  # cd/m2 of white paper in a PQ picture (ITU-R BT.2408)
_GAMMA = 2.2  # of usual screens
_PARTS = 1024  # of a level of 8 bits: no fewer than the most numbers that become one
_KNEE = 0.6  # the share of a screen's signal above which light is compressed


@dataclass(frozen=True)
class Light:
    """What a video says about the light in it, as screens read it; each part may be missing.

    display: x and y of red, green, blue and white, then the least and the most cd/m2, of the screen
        that it was made on.
    content: the most cd/m2 of a pixel, and of a frame on average.
    """

    display: tuple[float, ...] = ()
    content: tuple[int, ...] = ()


UNKNOWN = Light()


class Curve:
    """The way from a deep image to one that looks right on a usual screen, and back.

    Every channel goes it by itself, in the original's own primaries, so that tables hold both ways.

    Args:
        transfer: a code of `NAMES`.
    """

    def __init__(self, transfer: int) -> None:
        numbers = np.arange(0x10000)
        signal = np.minimum(numbers / _WHITE, 1)
        # HLG is made to look right on usual screens as it is
        shown = _compressed(signal) if transfer == PQ else signal
        self._seen = np.rint(255 * shown).astype(np.uint8)
        ends = np.searchsorted(self._seen, np.arange(257))  # of the numbers that are one level
        first, count = ends[:-1], np.diff(ends)
        within = -((first[self._seen] - numbers) * _PARTS // count[self._seen])  # rounded up
        self._within = within.astype(np.uint16)
        back = first[:, None] + np.arange(_PARTS) * count[:, None] // _PARTS
        self._numbers = back.astype(np.uint16)

    def seen(self, deep: DeepImage) -> Image:
        """What the network is to see, uint8 [H, W, 3] BGR, of uint16 [H, W, 3] BGR."""
        return np.asarray(self._seen[deep])

    def restored(self, deep: DeepImage, rendering: Image) -> DeepImage:
        """The original changed as the network's rendering changed what was seen of it.

        Where they are the same the original passes, bit for bit. Elsewhere `seen` of the result is
        the rendering; between its levels each number lies as far as in the original, so that a
        gradient stays one.

        Args:
            deep: uint16 [H, W, 3] BGR.
            rendering: uint8 [H, W, 3] BGR, of what `seen` gave.

        Returns:
            uint16 [H, W, 3] BGR, a new array.
        """
        return np.asarray(self._numbers[rendering, self._within[deep]])


def _compressed(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """A PQ signal as that of a usual screen, both in [0, 1]: as it is to the knee, and all light
    above it in what is left, where paper gets 0.8 and no two levels become one."""
    power = signal ** (4096 / (2523 * 128))  # SMPTE ST 2084
    linear = np.maximum(power - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * power)
    light = 10_000 * linear ** (16384 / 2610)
    plain = (light / _PAPER) ** (1 / _GAMMA)
    above = np.maximum(plain - _KNEE, 0) / (1 - _KNEE)
    bent = above * (1 + above / above[-1] ** 2) / (1 + above)  # Reinhard's curve: its end is 1
    return np.asarray(np.minimum(plain, _KNEE) + (1 - _KNEE) * bent)
