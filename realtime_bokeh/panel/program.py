"""What the panel needs of the program that it stands for."""

from collections.abc import Callable, Mapping
from typing import Protocol

from realtime_bokeh.errors import BokehError
from realtime_bokeh.frame import Image
from realtime_bokeh.panel.models import Choices, State


class Busy(BokehError):
    """What was asked for cannot be done at the moment, as a start while a run goes on."""


class Missing(BokehError):
    """There is nothing of the name that was given."""


class Program(Protocol):
    """A program with a run that can be told, started and stopped; every method from any thread."""

    def state(self) -> State: ...

    def change(self, settings: Mapping[str, object]) -> None:
        """Change settings, by the names in `models.Settings`; the run follows at once.

        Raises:
            BokehError: when one of them cannot be had; nothing is changed then.
        """
        ...

    def start(self) -> None:
        """Begin a run soon.

        Raises:
            Busy: when there is one.
        """
        ...

    def stop(self) -> None:
        """End the run soon, if there is one."""
        ...

    def choices(self) -> Choices: ...

    def pair(self) -> tuple[Image, Image] | None:
        """As `LiveRun.pair`; None without a run."""
        ...

    def profiles(self) -> list[str]:
        """The names of profiles, sorted."""
        ...

    def save_profile(self, name: str) -> bool:
        """Save the present settings; whether there was none of the name before.

        Raises:
            BokehError: when it cannot be written.
        """
        ...

    def load_profile(self, name: str) -> None:
        """Change what a profile says; what it does not name stays.

        Raises:
            Missing: when there is none of the name.
            BokehError: when it is wrong, or as `change`.
        """
        ...

    def remove_profile(self, name: str) -> None:
        """Remove a profile.

        Raises:
            Missing: when there is none of the name.
            BokehError: when that fails.
        """
        ...

    def on_change(self, told: Callable[[], None]) -> None:
        """Call `told`, on whatever thread, whenever `state` gives something else than figures."""
        ...
