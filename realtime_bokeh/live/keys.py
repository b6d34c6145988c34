"""What keys do in a live run, on a terminal and in the preview's window."""

from collections.abc import Callable

from realtime_bokeh.frame import Stopped
from realtime_bokeh.live.run import LiveRun

STRENGTH_STEP = 0.05
SMOOTHING_STEP = 0.1

HELP = (
    "keys: + and - strength, [ and ] smoothing, b blank, f freeze, m mirror, o blur off and on, "
    "q stop, ? this line"
)
_ASK = "Without the blur everybody sees your room; press y to switch it off"


class Keys:
    """Turns keys into what a run is told.

    Args:
        run: that is told.
        say: shows a sentence to the user.
    """

    def __init__(self, run: LiveRun, say: Callable[[str], None]) -> None:
        self._run, self._say = run, say
        self._asked = False  # whether the blur shall be switched off, if that is confirmed

    def press(self, key: str) -> None:
        """Do what a key, one character, stands for; nothing for others.

        Raises:
            Stopped: for the key that ends the run.
        """
        asked, self._asked = self._asked, False
        state = self._run.state
        if key == "q":
            raise Stopped
        if key == "?":
            self._say(HELP)
        elif key in "+=-":
            by = -STRENGTH_STEP if key == "-" else STRENGTH_STEP
            self._say(f"strength {self._run.set(strength=_moved(state.strength, by)).strength:.2f}")
        elif key in "[]":
            by = -SMOOTHING_STEP if key == "[" else SMOOTHING_STEP
            moved = _moved(state.smoothing, by)
            self._say(f"smoothing {self._run.set(smoothing=moved).smoothing:.1f}")
        elif key == "b":
            self._say(_switched("blank", self._run.set(blank=not state.blank).blank))
        elif key == "f":
            self._say(_switched("frozen", self._run.set(frozen=not state.frozen).frozen))
        elif key == "m":
            self._say(_switched("mirror", self._run.set(mirror=not state.mirror).mirror))
        elif key == "o" and state.off:
            self._run.set(off=False)
            self._say("The blur is on")
        elif key == "o":
            self._asked = True
            self._say(_ASK)
        elif key == "y" and asked:
            self._run.set(off=True)
            self._say("The blur is off; o switches it on")


def _moved(value: float, by: float) -> float:
    """A value from 0 to 1, moved by a step."""
    return min(1.0, max(0.0, round(value + by, 2)))


def _switched(what: str, on: bool) -> str:
    return f"{what} {'on' if on else 'off'}"
