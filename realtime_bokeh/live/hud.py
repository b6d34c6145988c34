"""What a live run shows in the preview's window only."""

import time
from collections.abc import Callable

from realtime_bokeh.frame import Image
from realtime_bokeh.live.report import snapshot
from realtime_bokeh.live.run import LiveRun
from realtime_bokeh.look import Look

_SAID = 2.0  # seconds for which a message is shown
_FIGURES = 0.5  # seconds after which figures are asked for again: numbers that run cannot be read


class Hud:
    """Follows a run for the window, and is told by keys what to show.

    Args:
        keys: what each key does.

    run: that is followed; None before there is one.
    split, figures, help, mirror: whether both pictures, the run's figures and the keys are shown,
        and left and right exchanged.
    """

    def __init__(
        self, keys: tuple[tuple[str, str], ...], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys, self._clock = keys, clock
        self.run: LiveRun | None = None
        self.split = self.help = self.mirror = False
        self.figures = True
        self._pressed: list[str] = []
        self._message, self._said_at = "", 0.0
        self._lines: tuple[str, ...] = ()
        self._asked_at: float | None = None

    def press(self, key: str) -> None:
        """Remember a key that was pressed in the window."""
        self._pressed.append(key)

    def typed(self) -> list[str]:
        """The keys that were pressed since the last call."""
        pressed, self._pressed = self._pressed, []
        return pressed

    def switch(self, key: str) -> None:
        """Do what a key stands for that is for the window alone; nothing for others."""
        if key == "s":
            self.split = not self.split
            self.say("before | after" if self.split else "after")
        elif key == "h":
            self.figures = not self.figures
        elif key == "v":
            self.mirror = not self.mirror
            self.say(f"mirror of this window {'on' if self.mirror else 'off'}")
        elif key == "?":
            self.help = not self.help

    def say(self, text: str) -> None:
        """Show a message for a moment."""
        self._message, self._said_at = text, self._clock()

    def pair(self) -> tuple[Image, Image] | None:
        """The camera's picture and the run's; see `LiveRun.pair`."""
        return self.run.pair() if self.run else None

    def look(self) -> Look:
        """What the window shows now beside the picture."""
        said = self._clock() - self._said_at < _SAID
        return Look(
            self.split, self.mirror, self._measured() if self.figures else (), self._marks(),
            self._message if said else "", self._keys if self.help else (),
        )  # fmt: skip

    def _marks(self) -> tuple[str, ...]:
        if self.run is None:
            return ()
        state = self.run.state
        marks = {"PAUSED": state.blank, "FROZEN": state.frozen, "BLUR OFF": state.off}
        return tuple(mark for mark, holds in marks.items() if holds)

    def _measured(self) -> tuple[str, ...]:
        now = self._clock()
        if self.run and (self._asked_at is None or now - self._asked_at >= _FIGURES):
            self._asked_at = now
            figures = snapshot(self.run)
            rate, latency = figures["fps_out"], figures["latency_p50_ms"]
            self._lines = (
                f"{rate:.0f} fps, latency {latency:.0f} ms" if rate else "no pictures",
                figures["engine"],
                figures["output_size"],
            )
        return self._lines
