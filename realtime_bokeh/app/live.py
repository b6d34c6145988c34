"""Live use: from a camera into what the user chose."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from realtime_bokeh.app.display import console, counted, live_status, status_line
from realtime_bokeh.app.parts import SCENE, SCENE_FPS, Parts, engine_opener, say_passed_over
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.app.terminal import keys
from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Sink, Source, Stopped
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.live.keys import Keys
from realtime_bokeh.live.run import LiveRun, State
from realtime_bokeh.sources.camera import DEFAULT_SIZE, has_sensor, stable_name


def _is_clip(camera: str) -> bool:
    """Whether a file shall stand for the camera."""
    return not camera.isdecimal() and os.path.isfile(camera)


def _check_camera(camera: str, settings: Settings) -> None:
    """Check that there is what frames shall come from.

    Raises:
        UsageError: when there is not, or more is asked of it than it can give.
    """
    if _is_clip(camera):
        if settings.size or settings.fps:
            raise UsageError(
                f"--size and --fps are for cameras; {camera} has its own, so leave them out"
            )
    elif camera != "demo":
        from realtime_bokeh.sources.camera import find_camera

        find_camera(camera)


def _open_source(camera: str, settings: Settings) -> Source:
    if camera == "demo":
        from realtime_bokeh.sources.demo import Demo

        return Demo(settings.size or SCENE, settings.fps or SCENE_FPS)
    if _is_clip(camera):
        from realtime_bokeh.sources.loop import Loop

        return Loop(Path(camera))
    from realtime_bokeh.sources.camera import Camera

    return Camera(camera, settings.size, settings.fps)


def _check_outputs(
    output: str | None, preview: bool, pressed: list[str], audio: str | None = None
) -> list[Callable[[Source], Sink]]:
    """Check what frames shall go to, before anything slow is opened.

    Args:
        pressed: keys that are pressed in the preview's window are appended to it.
        audio: the microphone whose sound a file gets too.

    Returns:
        What opens each output for the frames of a source.

    Raises:
        UsageError, SinkError: when one cannot be opened.
    """
    openers: list[Callable[[Source], Sink]] = []
    if audio is not None and output in (None, "-", "none"):
        raise UsageError("--audio records sound into a file; give one, such as --output call.mp4")
    if preview:
        from realtime_bokeh.sinks.preview import Preview, check_screen

        check_screen()
        openers.append(lambda source: Preview(pressed.append))
    if output is None:
        from realtime_bokeh.sinks.virtual_camera import VirtualCamera
        from realtime_bokeh.sources.camera import linux_loopbacks

        # Where there is no loopback to write to (other systems list none), a trial says what fails.
        # Where there is one, a trial would set its frame size, which is not known before the camera
        # is open, under a program that reads it already: whether one is busy shows only later.
        if not any(os.access(path, os.W_OK) for path in linux_loopbacks()):
            VirtualCamera(SCENE, SCENE_FPS).close(complete=False)
        openers.append(lambda source: VirtualCamera(source.size, source.fps))
    elif output == "-":
        from realtime_bokeh.sinks.raw import RawFrames

        raw = RawFrames()
        openers.append(lambda source: raw)
    elif output == "none":
        from realtime_bokeh.sinks.discard import Discard

        openers.append(lambda source: Discard())
    else:
        from realtime_bokeh.sinks.recording import Recording
        from realtime_bokeh.sinks.video import check_video

        path = Path(output)
        check_video(path)
        if audio is None:
            openers.append(lambda source: Recording(path, source.size, source.fps))
        else:
            from realtime_bokeh.sources.microphone import Microphone, find_microphone

            find_microphone(audio)
            openers.append(
                lambda source: Recording(
                    path, source.size, source.fps, Microphone(audio), console.print
                )
            )
    return openers


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
        self._trouble = ""
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
        line = status_line(self._run.metrics, self._run.dropped, engine.reason, self._advice)
        return engine.busy or " | ".join([*words, line])

    def tell(self) -> None:
        """Print what has changed since the last call."""
        if (trouble := self._run.trouble) != self._trouble:
            self._trouble = trouble
            console.print(f"{trouble}; trying again" if trouble else "All is well again")
        if (size := self._camera.given) != self._size:
            self._size = size
            console.print(
                f"The camera now gives {size}; black bars bring it to {self._camera.size}"
            )


@contextmanager
def _blank_by_signal(run: LiveRun) -> Iterator[None]:
    """SIGUSR1 blanks the picture and shows it again, where there is such a signal."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGUSR1, lambda *_: run.set(blank=not run.state.blank))
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def run_live(settings: Settings, camera: str, output: str | None, preview: bool) -> None:
    """From a camera, or the demo scene, into what the user chose, until it is stopped."""
    # what is wrong with the command comes before what is missing on this computer
    opener = engine_opener(settings)
    if not settings.wait:
        _check_camera(camera, settings)
    pressed: list[str] = []  # in the window
    openers = _check_outputs(output, preview, pressed, settings.audio)
    with Parts() as parts:
        effect = LiveEffect(opener(), opener)
        parts.add_engine(effect)
        say_passed_over(effect.engine, settings)
        source = WatchedCamera(
            partial(_open_source, stable_name(camera), settings), has_sensor(camera), settings.wait,
            settings.size or DEFAULT_SIZE, settings.fps or SCENE_FPS,
        )  # fmt: skip
        parts.add_source(source)
        sinks = parts.open_sinks(partial(opener, source) for opener in openers)
        console.print(source.describe())
        console.print(f"output: {', '.join(sink.describe() for sink in sinks)}")
        console.print(effect.engine.reason)
        console.print("Ctrl-C stops" + (", q in the window too" if preview else ""))
        state = State(settings.strength, settings.smoothing, settings.mirror)
        run = LiveRun(source, effect, sinks, state, settings.on_error == "passthrough")
        report = _Report(run, source, effect, _advice(settings))
        bindings = Keys(run, console.print)
        begin = time.monotonic()
        try:
            with _blank_by_signal(run), keys() as typed, live_status(report.line) as show:

                def tick() -> None:
                    for key in [*typed(), *pressed]:
                        bindings.press(key)
                    pressed.clear()
                    report.tell()
                    show()

                run.run(tick)
        except (KeyboardInterrupt, Stopped):
            pass  # the way to end it
    frames = run.metrics.count("emit")
    if frames:
        seconds = time.monotonic() - begin
        console.print(f"{counted(frames, 'frame')} in {seconds:.1f} s; {report.line()}")
    else:
        console.print("Stopped before the first frame was ready")
