"""What a live run is told."""

from dataclasses import dataclass

from realtime_bokeh.engines import Controls


@dataclass(frozen=True)
class State:
    """What a run is told; strength and smoothing as in `engines.Controls`.

    mirror: whether left and right are exchanged.
    off: whether the camera's own picture is shown, without blur.
    blank: whether the card is shown, and the camera released.
    frozen: whether the latest picture stays, and the camera is released.
    """

    strength: float = 1.0
    smoothing: float = 0.5
    mirror: bool = False
    off: bool = False
    blank: bool = False
    frozen: bool = False

    @property
    def controls(self) -> Controls:
        """What the engine is told.

        Raises:
            UsageError: when one of them is out of its range.
        """
        return Controls(self.strength, self.smoothing)
