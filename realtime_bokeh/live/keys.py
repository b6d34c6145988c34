"""What keys do in a live run, on a terminal and in the preview's window."""

from collections.abc import Callable
from typing import NamedTuple

from realtime_bokeh.frame import Image, Stopped
from realtime_bokeh.live.hud import Hud
from realtime_bokeh.live.run import LiveRun

STRENGTH_STEP = 0.05
SMOOTHING_STEP = 0.1


class Key(NamedTuple):
    """What a user is told of a key, or of two.

    window: whether it changes the preview's window alone.
    """

    name: str
    what: str
    window: bool = False


KEYS = (
    Key("+ and -", "strength"),
    Key("[ and ]", "smoothing"),
    Key("b", "blank"),
    Key("f", "freeze"),
    Key("m", "mirror"),
    Key("o", "blur off and on"),
    Key("p", "save the picture"),
    Key("s", "before and after", window=True),
    Key("h", "figures", window=True),
    Key("v", "mirror the window only", window=True),
    Key("?", "these keys"),
    Key("q", "stop"),
)
"""All keys, in the order in which they are listed."""
NO_PICTURE = "There is no picture to save now"
_ASK = "Without the blur everybody sees your room; press y to switch it off"


def key_list(window: bool) -> tuple[tuple[str, str], ...]:
    """Each key and what it does; `window`: whether there is one, which has keys of its own."""
    return tuple((key.name, key.what) for key in KEYS if window or not key.window)


class Keys:
    """Turns keys into what a run is told.

    Args:
        run: that is told.
        say: shows a sentence to the user.
        save: takes a picture to keep, uint8 [H, W, 3] BGR, and what is told where that was done.
        hud: of the preview's window, if there is one; it shows what is said, too.
    """

    def __init__(
        self,
        run: LiveRun,
        say: Callable[[str], None],
        save: Callable[[Image, Callable[[str], None]], None],
        hud: Hud | None = None,
    ) -> None:
        self._run, self._say, self._save, self._hud = run, say, save, hud
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
            self._help()
        elif key in "+=-":
            by = -STRENGTH_STEP if key == "-" else STRENGTH_STEP
            moved = _moved(state.strength, by)
            self._tell(f"strength {self._run.set(strength=moved).strength:.2f}")
        elif key in "[]":
            by = -SMOOTHING_STEP if key == "[" else SMOOTHING_STEP
            moved = _moved(state.smoothing, by)
            self._tell(f"smoothing {self._run.set(smoothing=moved).smoothing:.1f}")
        elif key == "b":
            self._tell(_switched("blank", self._run.set(blank=not state.blank).blank))
        elif key == "f":
            self._tell(_switched("frozen", self._run.set(frozen=not state.frozen).frozen))
        elif key == "m":
            self._tell(_switched("mirror", self._run.set(mirror=not state.mirror).mirror))
        elif key == "o" and state.off:
            self._run.set(off=False)
            self._tell("The blur is on")
        elif key == "o":
            self._asked = True
            self._tell(_ASK)
        elif key == "y" and asked:
            self._run.set(off=True)
            self._tell("The blur is off; o switches it on")
        elif key == "p":
            self._keep()
        elif self._hud:
            self._hud.switch(key)

    def _help(self) -> None:
        """List the keys, in the window until the same key is pressed again."""
        if self._hud:
            self._hud.switch("?")
        listed = ", ".join(f"{name} {what}" for name, what in key_list(self._hud is not None))
        self._say(f"keys: {listed}")

    def _keep(self) -> None:
        pair = self._run.pair()
        if pair is None:
            self._tell(NO_PICTURE)
        else:
            self._save(pair[1], self._tell)

    def _tell(self, text: str) -> None:
        self._say(text)
        if self._hud:
            self._hud.say(text)


def _moved(value: float, by: float) -> float:
    """A value from 0 to 1, moved by a step."""
    return min(1.0, max(0.0, round(value + by, 2)))


def _switched(what: str, on: bool) -> str:
    return f"{what} {'on' if on else 'off'}"
