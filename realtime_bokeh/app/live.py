"""Live use: from a camera into what the user chose."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from realtime_bokeh import weights
from realtime_bokeh.app.display import console, counted, live_status, rate, status_line
from realtime_bokeh.app.figures import ENDINGS, exported
from realtime_bokeh.app.keep import save_picture
from realtime_bokeh.app.outputs import check_outputs, demand
from realtime_bokeh.app.parts import SCENE, SCENE_FPS, Parts, engine_opener, say_passed_over
from realtime_bokeh.app.process import give_way, keep_one_heap, threads_with_room
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.app.terminal import keys
from realtime_bokeh.engines import Engine, check_engine
from realtime_bokeh.errors import UsageError
from realtime_bokeh.files import check_output
from realtime_bokeh.frame import Source, Stopped
from realtime_bokeh.live.adapt import Quality, ladder
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.live.hud import Hud
from realtime_bokeh.live.keys import Keys, key_list
from realtime_bokeh.live.openers import Choice
from realtime_bokeh.live.run import LiveRun
from realtime_bokeh.live.state import State
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.address import check_address, is_address, without_secrets
from realtime_bokeh.sources.camera import DEFAULT_SIZE, stable_name

_HOPELESS = 4.0  # seconds that a first picture may take before a faster way is named


def _is_clip(camera: str) -> bool:
    """Whether a file shall stand for the camera."""
    return not camera.isdecimal() and os.path.isfile(camera)


def check_camera(camera: str, settings: Settings) -> None:
    """Check that there is what frames shall come from.

    Raises:
        UsageError: when there is not, or more is asked of it than it can give.
    """
    address, clip = is_address(camera), _is_clip(camera)
    if (address or clip) and (settings.size or settings.fps):
        raise UsageError(
            f"--size and --fps are for cameras at this computer; {without_secrets(camera)} has its "
            "own, so leave them out"
        )
    if address:
        check_address(camera)
    elif not clip and camera != "demo":
        from realtime_bokeh.sources.camera import find_camera

        find_camera(camera)


def _open_source(camera: str, settings: Settings, clip: bool) -> Source:
    """Open a camera.

    clip: whether its name is a file's, which may be gone since.
    """
    if camera == "demo":
        from realtime_bokeh.sources.demo import Demo

        return Demo(settings.size or SCENE, settings.fps or SCENE_FPS)
    if is_address(camera):
        from realtime_bokeh.sources.stream import Stream

        return Stream(camera)
    if clip or _is_clip(camera):
        from realtime_bokeh.sources.loop import Loop

        return Loop(Path(camera))
    from realtime_bokeh.sources.camera import Camera

    return Camera(camera, settings.size, settings.fps)


class _Openers:
    """Opens other cameras and engines; everything else is as the settings say.

    frame: the size of the camera's frames.
    """

    def __init__(self, settings: Settings, frame: Size) -> None:
        self._settings, self._frame = settings, frame

    def camera(self, name: str) -> Callable[[], Source]:
        check_camera(name, self._settings)
        return _camera_opener(name, self._settings)

    def engine(self, name: str, quality: Quality) -> Callable[[], Engine]:
        return engine_opener(
            replace(self._settings, engine=name, model=quality.model, inference_size=quality.size)
        )

    def qualities(self, choice: Choice) -> Sequence[Quality]:
        check_engine(choice.engine, self._settings.device, self._settings.precision)
        return ladder(weights.find(choice.model), weights.models(), choice.size, self._frame)


def _camera_opener(name: str, settings: Settings) -> Callable[[], Source]:
    """What opens a camera."""
    stable, clip = name, _is_clip(name)

    def opened() -> Source:
        nonlocal stable
        stable = stable_name(stable)  # which one that has not come yet does not have
        return _open_source(stable, settings, clip)

    return opened


def _advice(settings: Settings) -> str:
    """What makes a run faster."""
    smaller = "a smaller --inference-size"
    remedy = smaller if settings.model == "lite" else f"--model lite or {smaller}"
    return f"too slow for this camera, try {remedy}"


class _Report:
    """What a person on the terminal is told: one line that follows the run, and what changes."""

    def __init__(
        self, run: LiveRun, camera: WatchedCamera, effect: LiveEffect, advice: str
    ) -> None:
        self._run, self._camera, self._effect, self._advice = run, camera, effect, advice
        self._trouble = self._refused = ""
        self._lesser: Quality | None = None
        self._begin = time.monotonic()
        self._advised = False
        self._size = camera.size

    def line(self) -> str:
        """What the run is told, and its rates while there are any."""
        state, engine = self._run.state, self._effect.engine
        marks = {
            "BLUR OFF": state.off, "blank": state.blank, "frozen": state.frozen,
            "camera off": not self._camera.open,
        }  # fmt: skip
        words = [word for word, holds in marks.items() if holds]
        if state.blank or state.frozen or not self._camera.open:
            return " | ".join([*words, engine.reason])
        return engine.busy or " | ".join([*words, self.rates()])

    def rates(self) -> str:
        """Frame rates, latency and what was dropped."""
        reason = self._effect.engine.reason
        return status_line(self._run.metrics, self._run.dropped, reason, self._advice)

    def tell(self) -> None:
        """Print what has changed since the last call."""
        if (trouble := self._run.trouble) != self._trouble:
            self._trouble = trouble
            console.print(f"{trouble}; trying again" if trouble else "All is well again")
        if (refused := self._run.refused) != self._refused:
            self._refused = refused
            if refused:
                console.print(refused)
        metrics = self._run.metrics
        if metrics.count("emit") or not metrics.count("capture") or self._effect.engine.busy:
            self._begin = time.monotonic()
        elif not self._advised and time.monotonic() - self._begin > _HOPELESS:
            self._advised = True
            console.print(f"No picture after {_HOPELESS:.0f} s: {self._advice}")
        if not self._advised and (limit := self._run.limit) is not None:
            self._advised = True
            console.print(
                f"Not even the least quality holds the frame rate, {rate(limit)} is the most here: "
                "lower --fps or --size, or take a smaller clip"
            )
        if (lesser := self._run.lesser) != self._lesser:
            self._lesser = lesser
            what = f"with {lesser}, to hold the frame rate" if lesser else "as it was asked to"
            console.print(f"It renders {what}")
        if (size := self._camera.given) != self._size:
            self._size = size
            console.print(
                f"The camera now gives {size}; black bars bring it to {self._camera.size}"
            )


@contextmanager
def blank_by_signal(toggle: Callable[[], object]) -> Iterator[None]:
    """SIGUSR1 blanks the picture and shows it again, where there is such a signal."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGUSR1, lambda *_: toggle())
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def run_live(
    settings: Settings,
    state: State | None = None,
    begun: Callable[[LiveRun, str], None] = lambda run, output: None,
) -> bool:
    """From a camera, or the demo scene, into what the user chose, until it is stopped.

    Args:
        settings: with a camera.
        state: what the run is told at first; None: what the settings say.
        begun: is given the run when all is open, and the outputs in words.

    Returns:
        Whether it was ended by `LiveRun.stop`, and not by the user at the terminal or the window.
    """
    camera = settings.camera
    assert camera is not None
    keep_one_heap()
    if settings.low_priority:
        give_way()
    settings = replace(settings, threads=settings.threads or threads_with_room())
    # what is wrong with the command comes before what is missing on this computer
    opener = engine_opener(settings)
    if not settings.wait:
        check_camera(camera, settings)
    figures = None if settings.metrics is None else Path(settings.metrics)
    if figures is not None:
        check_output(figures, "figures", ENDINGS)
    hud = Hud(key_list(window=True)) if settings.preview else None
    openers = check_outputs(settings.output, hud, settings.virtual_camera, settings.audio)
    if len(openers) == 1:  # no window can be opened beside the output
        hud = None
    with Parts() as parts:
        effect = LiveEffect(opener(), opener)
        parts.add_engine(effect)
        say_passed_over(effect.engine, settings)
        source = WatchedCamera(
            _camera_opener(camera, settings), settings.wait, settings.size or DEFAULT_SIZE,
            settings.fps or SCENE_FPS,
        )  # fmt: skip
        parts.add_source(source)
        sinks = parts.open_sinks(partial(opener, source) for opener in openers)
        console.print(source.describe())
        outputs = ", ".join(sink.describe() for sink in sinks)
        console.print(f"output: {outputs}")
        console.print(effect.engine.reason)
        hint = ", q in the window too" if hud else ""
        console.print(f"Ctrl-C stops{hint}" + ("; ? lists the keys" if console.is_terminal else ""))
        wanted = parts.entered(demand(sinks, settings.always_on))
        run = LiveRun(
            source, effect, sinks, _Openers(settings, source.size),
            Choice(settings.model, settings.engine, settings.inference_size),
            state or State(settings.strength, settings.smoothing, settings.mirror),
            (settings.fps or source.fps) if settings.adapt else 0.0,
            settings.on_error == "passthrough", wanted,
        )  # fmt: skip
        report = _Report(run, source, effect, _advice(settings))
        bindings = Keys(run, console.print, save_picture, hud)
        if hud:
            hud.run = run
        begin = time.monotonic()
        told_to_stop = False

        def blank() -> None:
            run.set(blank=not run.state.blank)

        try:
            begun(run, outputs)
            with (
                exported(run, figures), blank_by_signal(blank), keys() as typed,
                live_status(report.line) as show,
            ):  # fmt: skip

                def tick() -> None:
                    for key in [*typed(), *(hud.typed() if hud else "")]:
                        bindings.press(key)
                    report.tell()
                    show()

                run.run(tick)
            told_to_stop = True
        except (KeyboardInterrupt, Stopped):
            pass  # the way to end it
    frames = run.metrics.count("emit")
    if frames:
        seconds = time.monotonic() - begin
        console.print(f"{counted(frames, 'frame')} in {seconds:.1f} s; {report.rates()}")
    else:
        console.print("Stopped before the first frame was ready")
    return told_to_stop
