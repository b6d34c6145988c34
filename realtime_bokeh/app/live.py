"""Live use: from a camera into what the user chose."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from realtime_bokeh import weights
from realtime_bokeh.app.card import holding_card
from realtime_bokeh.app.display import console, counted, live_status, status_line
from realtime_bokeh.app.letterbox import letterbox
from realtime_bokeh.app.parts import SCENE, SCENE_FPS, Parts, open_effect
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Image, Sink, Source, Stopped
from realtime_bokeh.metrics import Metrics
from realtime_bokeh.pipeline import Effect, Pipeline
from realtime_bokeh.sizes import Size


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


def _check_outputs(output: str | None, preview: bool) -> list[Callable[[Source], Sink]]:
    """Check what frames shall go to, before anything slow is opened.

    Returns:
        What opens each output for the frames of a source.

    Raises:
        UsageError, SinkError: when one cannot be opened.
    """
    openers: list[Callable[[Source], Sink]] = []
    if preview:
        from realtime_bokeh.sinks.preview import Preview, check_screen

        check_screen()
        openers.append(lambda source: Preview())
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
        openers.append(lambda source: Recording(path, source.size, source.fps))
    return openers


def _fitted(effect: Effect, size: Size) -> Effect:
    """An effect whose renderings have the size that the outputs were opened with.

    A camera may change its size while it runs: a phone is turned, another program asks for another.
    """
    told = False

    def fitted(image: Image) -> Callable[[], Image]:
        nonlocal told
        given = Size.of(image)
        if given != size and not told:
            told = True
            console.print(f"The camera now gives {given}; black bars bring it to {size}")
        finish = effect(image)
        return lambda: letterbox(finish(), size)

    return fitted


def _advice(settings: Settings) -> str:
    """What makes a run faster."""
    smaller = "a smaller --inference-size"
    remedy = smaller if settings.model == "lite" else f"--model lite or {smaller}"
    return f"too slow for this camera, try {remedy}"


def run_live(settings: Settings, camera: str, output: str | None, preview: bool) -> None:
    """From a camera, or the demo scene, into what the user chose, until it is stopped."""
    # what is wrong with the command comes before what is missing on this computer
    weights.find(settings.model)
    _check_camera(camera, settings)
    openers = _check_outputs(output, preview)
    with Parts() as parts:
        effect, engine, name = open_effect(settings)
        parts.add_engine(engine)
        source = _open_source(camera, settings)
        parts.add_source(source)
        sinks = parts.open_sinks(partial(opener, source) for opener in openers)
        console.print(source.describe())
        console.print(f"output: {', '.join(sink.describe() for sink in sinks)}")
        console.print(name)
        console.print("Ctrl-C stops" + (", q in the window too" if preview else ""))
        card = holding_card(source.size, "Realtime Bokeh: no picture yet")
        metrics = Metrics()
        effect = _fitted(effect, source.size)
        pipeline = Pipeline(source, effect, sinks, metrics, card, engine.in_flight)

        def line() -> str:
            return status_line(metrics, pipeline.dropped, name, _advice(settings))

        begin = time.monotonic()
        try:
            with live_status(lambda: engine.busy or line()) as tick:
                pipeline.run(tick)
        except (KeyboardInterrupt, Stopped):
            pass  # the way to end it
    frames = metrics.count("emit")
    if frames:
        seconds = time.monotonic() - begin
        console.print(f"{counted(frames, 'frame')} in {seconds:.1f} s; {line()}")
    else:
        console.print("Stopped before the first frame was ready")
