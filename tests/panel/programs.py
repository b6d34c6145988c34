"""A program that stands in for the real one behind the panel, and clients of it."""

from collections.abc import Callable, Mapping

import numpy as np

from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.panel import models
from realtime_bokeh.panel.program import Busy, Missing

TOKEN = "t0ken"
PORT = 7531


class FakeProgram:
    """Does what it is told to a state alone. shown: its pair."""

    def __init__(self) -> None:
        self.settings = models.Settings()
        self.phase: models.Phase = "stopped"
        self.shown: tuple[Image, Image] | None = None
        self.kept: dict[str, models.Settings] = {}
        self._told: Callable[[], None] = lambda: None

    def on_change(self, told: Callable[[], None]) -> None:
        self._told = told

    def state(self) -> models.State:
        return models.State(
            running=self.phase == "running", phase=self.phase, trouble="", settings=self.settings,
            measured=None, engine="", lesser="", camera_open=False, watched=False, output="",
            frame="", version="1",
        )  # fmt: skip

    def change(self, settings: Mapping[str, object]) -> None:
        if settings.get("model") == "none":
            raise UsageError("There is no model 'none'; choose lite")
        self.settings = self.settings.model_copy(update=dict(settings))
        self._told()

    def start(self) -> None:
        if self.phase != "stopped":
            raise Busy("A run goes on already; stop it first")
        self.phase = "running"
        self._told()

    def stop(self) -> None:
        self.phase = "stopped"
        self._told()

    def choices(self) -> models.Choices:
        demo = models.Choice(name="demo", label="Built-in scene")
        return models.Choices(cameras=[demo], models=[], engines=[], inference_sizes=[])

    def pair(self) -> tuple[Image, Image] | None:
        return self.shown

    def profiles(self) -> list[str]:
        return sorted(self.kept)

    def save_profile(self, name: str) -> bool:
        new = name not in self.kept
        self.kept[name] = self.settings
        return new

    def load_profile(self, name: str) -> None:
        if name not in self.kept:
            raise Missing(f"There is no profile {name!r}; save one first")
        self.settings = self.kept[name]

    def remove_profile(self, name: str) -> None:
        if self.kept.pop(name, None) is None:
            raise Missing(f"There is no profile {name!r}; save one first")


def pair(before: int, after: int, height: int = 720, width: int = 1280) -> tuple[Image, Image]:
    """Two images, each of one gray."""
    images = [np.full((height, width, 3), gray, np.uint8) for gray in (before, after)]
    return images[0], images[1]
