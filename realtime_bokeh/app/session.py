"""A program whose run can be told, started and stopped from elsewhere: the control page's side."""

import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from realtime_bokeh import __version__, weights
from realtime_bokeh.app.choices import choices, first_camera
from realtime_bokeh.app.display import console
from realtime_bokeh.app.live import blank_by_signal, check_camera, run_live
from realtime_bokeh.app.profile import (
    find_profile,
    profile_names,
    profile_path,
    remove_profile,
    save_profile,
)
from realtime_bokeh.app.settings import Settings, read_profile
from realtime_bokeh.app.terminal import keys
from realtime_bokeh.engines import check_engine
from realtime_bokeh.errors import UsageError, in_words
from realtime_bokeh.frame import Image
from realtime_bokeh.live.openers import Choice
from realtime_bokeh.live.report import snapshot
from realtime_bokeh.live.run import LiveRun
from realtime_bokeh.live.state import State as Told
from realtime_bokeh.panel import models
from realtime_bokeh.panel.program import Busy, Missing
from realtime_bokeh.sizes import parse_inference_size

_LOOK = 0.1  # seconds between looks at the keyboard while there is no run
_KEPT = ("camera", "model", "engine", "inference_size", "strength", "smoothing", "mirror")
_TOLD = tuple(field.name for field in fields(Told))


class Session:
    """Runs with the present settings, one after the other, on the thread that calls `serve`.

    Everything else may be called from any thread; it fulfils `panel.program.Program`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = replace(settings, camera=settings.camera or first_camera())
        self._told = Told(settings.strength, settings.smoothing, settings.mirror)
        # a signal's handler may enter it while its own thread is in it
        self._lock = threading.RLock()
        self._started = threading.Event()
        self._phase: models.Phase = "stopped"
        self._trouble = ""  # why the last run ended
        self._run: LiveRun | None = None
        self._output = ""
        self._recorded = False
        self._changed: Callable[[], None] = lambda: None

    def on_change(self, told: Callable[[], None]) -> None:
        self._changed = told

    def serve(self) -> None:
        """Wait for starts and run, until the user at the terminal has enough.

        Raises:
            KeyboardInterrupt: when that was while a run was opened.
        """
        with blank_by_signal(self._toggle_blank):
            while self._wait() and self._run_once():
                pass

    def _toggle_blank(self) -> None:
        with self._lock:
            self.change({"blank": not self._present()[1].blank})

    def _wait(self) -> bool:
        """Wait for a start; False when the user wants to end the program."""
        try:
            with keys() as typed:
                while not self._started.wait(_LOOK):
                    if "q" in typed():
                        return False
        except KeyboardInterrupt:
            return False
        return True

    def _run_once(self) -> bool:
        """Run until the run ends; False when the user wants to end the program too."""
        self._started.clear()
        trouble, goes_on = "", True
        try:
            with self._lock:
                settings, told = self._settings, self._told
                goes_on = self._phase == "stopping"  # before it began
            if not goes_on:
                goes_on = self._live(settings, told)
        except Exception as error:
            goes_on, trouble = True, in_words(error, "the run")
            console.print(trouble)
            if settings.verbose:
                console.print(traceback.format_exc())
        finally:
            with self._lock:
                if self._run is not None:
                    # what shows the room, or nothing new, is not for the next run
                    self._told = replace(self._run.state, off=False, frozen=False)
                self._run, self._phase, self._trouble = None, "stopped", trouble
            self._changed()
        return goes_on

    def _live(self, settings: Settings, told: Told) -> bool:
        def begun(run: LiveRun, output: str) -> None:
            with self._lock:
                self._run, self._output = run, output
                if self._phase == "stopping":
                    run.stop()
                else:
                    self._phase = "running"
                    run.set(**vars(self._told))
                    self._exchange(run, settings)
            self._changed()

        return run_live(replace(settings, output=self._free(settings.output)), told, begun)

    def _free(self, output: str | None) -> str | None:
        """The output of the next run: what an earlier one has recorded is not written over."""
        if output in (None, "-", "none"):
            return output
        path = Path(output)
        number = 1
        while self._recorded and path.exists():
            number += 1
            path = Path(output).with_stem(f"{Path(output).stem}-{number}")
        self._recorded = True
        return str(path)

    def _exchange(self, run: LiveRun, before: Settings) -> None:
        """Have a run use what is other than it was."""
        now = self._settings
        if now.camera != before.camera and now.camera is not None:
            run.use_camera(now.camera)
        choice = Choice(now.model, now.engine, now.inference_size)
        if choice != run.choice:
            run.use_effect(choice)

    def _present(self) -> tuple[Settings, Told]:
        """What holds now: keys may have changed it."""
        told = self._run.state if self._run is not None else self._told
        settings = replace(
            self._settings, strength=told.strength, smoothing=told.smoothing, mirror=told.mirror
        )
        return settings, told

    def change(self, settings: Mapping[str, object]) -> None:
        changes: dict[str, Any] = dict(settings)
        if "inference_size" in changes:
            changes["inference_size"] = _inference_size(changes["inference_size"])
        with self._lock:
            before, told = self._present()
            switched = {k: v for k, v in changes.items() if k in _TOLD}
            now = replace(before, **{k: v for k, v in changes.items() if k in _KEPT})
            _check(now, before)
            self._settings, self._told = now, replace(told, **switched)
            if self._run is not None:
                self._run.set(**switched)
                self._exchange(self._run, before)
        self._changed()

    def start(self) -> None:
        with self._lock:
            if self._phase != "stopped":
                raise Busy(f"A run is {self._phase} already; stop it before you start another")
            self._phase, self._trouble = "starting", ""
            self._started.set()
        self._changed()

    def stop(self) -> None:
        with self._lock:
            if self._phase in ("starting", "running"):
                self._phase = "stopping"
                if self._run is not None:
                    self._run.stop()
        self._changed()

    def pair(self) -> tuple[Image, Image] | None:
        run = self._run
        return None if run is None else run.pair()

    def choices(self) -> models.Choices:
        return choices(self._settings)

    def profiles(self) -> list[str]:
        return profile_names()

    def save_profile(self, name: str) -> bool:
        with self._lock:
            settings, _ = self._present()
        values = {key: getattr(settings, key) for key in _KEPT}
        if name in profile_names():  # what the page does not know of stays as it was
            before = read_profile(profile_path(name))
            values = {key: v for key, v in before.items() if key not in _KEPT} | values
        return save_profile(name, {key: v for key, v in values.items() if v is not None})

    def load_profile(self, name: str) -> None:
        values = read_profile(_existing(name))
        changes = {key: values[key] for key in _KEPT if key in values}
        if "inference_size" in changes:
            changes["inference_size"] = str(changes["inference_size"])
        self.change(changes)

    def remove_profile(self, name: str) -> None:
        _existing(name)
        remove_profile(name)

    def state(self) -> models.State:
        with self._lock:
            (settings, told), run = self._present(), self._run
            phase, trouble = self._phase, self._trouble
        figures = None if run is None else snapshot(run)
        return models.State(
            running=phase == "running",
            phase=phase,
            trouble=trouble if run is None else run.trouble or run.refused,
            settings=models.Settings(
                camera=settings.camera or "", model=settings.model,
                engine=settings.engine,  # type: ignore[arg-type]  # the options' table checks it
                inference_size=str(settings.inference_size or "auto"), **vars(told),
            ),
            measured=None if figures is None else models.Measured(
                fps_in=figures["fps_in"], fps_out=figures["fps_out"],
                latency_p50_ms=figures["latency_p50_ms"], latency_p99_ms=figures["latency_p99_ms"],
                effect_ms=figures["effect_p50_ms"], dropped=figures["dropped"],
            ),
            engine="" if run is None else run.effect.engine.busy or run.effect.engine.reason,
            lesser="" if figures is None else figures["lesser"],
            camera_open=run is not None and run.camera.open,
            watched=run is not None and run.watched,
            output="" if run is None else self._output,
            frame="" if figures is None else figures["output_size"],
            version=__version__,
        )  # fmt: skip


def _check(settings: Settings, before: Settings) -> None:
    """Refuse what cannot be had here, as far as that is known before it is opened.

    Raises:
        BokehError: saying what to choose instead.
    """
    if settings.camera != before.camera and settings.camera is not None:
        check_camera(settings.camera, settings)
    if settings.model != before.model:
        weights.find(settings.model)
    if settings.engine != before.engine:
        check_engine(settings.engine, settings.device, settings.precision)


def _inference_size(said: object) -> object:
    return None if said == "auto" else parse_inference_size("inference_size", str(said))


def _existing(name: str) -> Path:
    try:
        return find_profile(name)
    except UsageError as error:
        profile_path(name)  # what cannot be a name is another mistake
        raise Missing(str(error)) from error
