"""What the commands do with frames: the parts are put together here."""

import itertools
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from realtime_bokeh import weights
from realtime_bokeh.app.card import holding_card
from realtime_bokeh.app.display import (
    console,
    count_progress,
    counted,
    live_status,
    rate,
    status_line,
)
from realtime_bokeh.app.letterbox import letterbox
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.engines import Controls, Engine, open_engine
from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.files import check_output
from realtime_bokeh.frame import Image, Sink, Source, Stopped
from realtime_bokeh.interrupts import held
from realtime_bokeh.metrics import Metrics
from realtime_bokeh.pipeline import Effect, Pipeline
from realtime_bokeh.sizes import Size

_SCENE = Size(480, 640)
_SCENE_FPS = 30.0
_NAMED = 5  # names of files that a sentence lists


def _open_effect(settings: Settings, photos: bool = False) -> tuple[Effect, Engine, str]:
    """The effect, the engine in it, and the line about it; `photos`: see `open_engine`."""
    model = weights.find(settings.model)
    engine = open_engine(
        model, settings.engine, settings.inference_size, settings.device, settings.precision, photos
    )
    if settings.verbose:
        for sentence in engine.passed_over:
            console.print(sentence)
    controls = Controls(settings.strength, settings.smoothing)

    def effect(image: Image) -> Callable[[], Image]:
        if settings.mirror:
            image = image[:, ::-1].copy()
        return engine.begin(image, controls)

    return effect, engine, engine.reason


def _open_source(camera: str, settings: Settings) -> Source:
    if camera == "demo":
        from realtime_bokeh.sources.demo import Demo

        return Demo(settings.size or _SCENE, settings.fps or _SCENE_FPS)
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

        if not linux_loopbacks():  # other systems do not list theirs: try it
            VirtualCamera(_SCENE, _SCENE_FPS).close(complete=False)
        openers.append(lambda source: VirtualCamera(source.size, source.fps))
    elif output == "-":
        from realtime_bokeh.sinks.raw import RawFrames

        raw = RawFrames()
        openers.append(lambda source: raw)
    elif output == "none":
        from realtime_bokeh.sinks.discard import Discard

        openers.append(lambda source: Discard())
    else:
        from realtime_bokeh.sinks.video import FORMATS, VideoWriter

        path = Path(output)
        check_output(path, "a video", FORMATS)
        openers.append(lambda source: VideoWriter(path, source.size, source.fps))
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


def _close(sinks: Sequence[Sink]) -> None:
    """For an interruption before the pipeline was under way, which otherwise has closed them."""
    for sink in sinks:
        sink.close(complete=False)


def run_live(settings: Settings, camera: str, output: str | None, preview: bool) -> None:
    """From a camera, or the demo scene, into what the user chose, until it is stopped."""
    # what is wrong with the command comes before what is missing on this computer
    weights.find(settings.model)
    if camera != "demo":
        from realtime_bokeh.sources.camera import find_camera

        find_camera(camera)
    openers = _check_outputs(output, preview)
    sinks: list[Sink] = []
    with ExitStack() as at_end:
        at_end.callback(_close, sinks)
        until_run = at_end.enter_context(ExitStack())
        effect, engine, name = _open_effect(settings)
        source = _open_source(camera, settings)
        until_run.callback(source.close)
        with held:  # each is in the list when an interruption strikes
            for opener in openers:
                sinks.append(opener(source))
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
                until_run.pop_all()  # from here the pipeline closes the source
                pipeline.run(tick)
        except (KeyboardInterrupt, Stopped):
            pass  # the way to end it
    frames = metrics.count("emit")
    if frames:
        seconds = time.monotonic() - begin
        console.print(f"{counted(frames, 'frame')} in {seconds:.1f} s; {line()}")
    else:
        console.print("Stopped before the first frame was ready")


def render(settings: Settings, source: Path, target: Path) -> None:
    """A video, a photo or a folder of photos."""
    from realtime_bokeh.stills import is_still

    # not Path.exists: it raises for a name that is too long
    if not os.path.exists(source):
        raise UsageError(f"{source} does not exist")
    if os.path.exists(target) and source.samefile(target):
        raise UsageError(f"IN and OUT are the same ({source}); give another name for OUT")
    if source.is_dir():
        _render_folder(settings, source, target)
    elif is_still(source):
        _render_stills(settings, [(source, target)])
    else:
        _render_video(settings, source, target)


def _render_folder(settings: Settings, source: Path, target: Path) -> None:
    from realtime_bokeh.stills import FORMATS, photos_in

    photos = photos_in(source)
    known = {*photos, target, *target.parents}
    others = sorted(path.name for path in source.iterdir() if path not in known)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{target} cannot be made a folder ({error.strerror})") from error
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    skipped = [f"{', '.join(others[:_NAMED])}{more} (not {', '.join(FORMATS)})"] if others else []
    _render_stills(settings, [(photo, target / photo.name) for photo in photos], skipped)


def _render_stills(
    settings: Settings, photos: Sequence[tuple[Path, Path]], skipped: Sequence[str] = ()
) -> None:
    """Render each photo to a file; `skipped` is what was left out before, and why."""
    from realtime_bokeh.stills import FORMATS, read_still, write_still

    for _, target in photos:
        check_output(target, "a photo", FORMATS)
    effect, engine, name = _open_effect(settings, photos=True)
    console.print(name)
    failures: list[str] = []
    with count_progress(lambda: engine.busy or "Rendering", "photo", len(photos)) as show:
        for done, (source, target) in enumerate(photos, 1):
            try:
                still = read_still(source)
                engine.reset()  # photos have no past
                write_still(target, effect(still.image)(), still)
                console.print(f"{target}")
            except BokehError as error:
                if len(photos) == 1:
                    raise
                failures.append(f"{error}")
            show(done)
    for reason in [*skipped, *failures]:
        console.print(f"skipped: {reason}")
    if failures:
        raise BokehError(f"{len(failures)} of {len(photos)} photos could not be rendered")


def _render_video(settings: Settings, path: Path, target: Path) -> None:
    from realtime_bokeh.sinks.video import FORMATS, VideoWriter
    from realtime_bokeh.sources.video import VideoReader

    check_output(target, "a video", FORMATS)
    source = VideoReader(path)
    _render_file(
        settings, source, target,
        lambda: VideoWriter(target, source.size, source.fps, source.time_base, source),
    )  # fmt: skip


def _render_file(
    settings: Settings, source: Source, target: Path, open_writer: Callable[[], Sink],
    change: Callable[[Effect], Effect] = lambda effect: effect,
) -> None:  # fmt: skip
    """Every frame of a source into a file; `change` makes the effect that is used."""
    sinks: list[Sink] = []
    metrics = Metrics()
    with ExitStack() as at_end:
        at_end.callback(_close, sinks)
        until_run = at_end.enter_context(ExitStack())
        until_run.callback(source.close)
        effect, engine, name = _open_effect(settings)
        console.print(source.describe())
        console.print(name)
        with held:  # it is in the list when an interruption strikes
            sinks.append(open_writer())
        pipeline = Pipeline(source, change(effect), sinks, metrics, in_flight=engine.in_flight)
        title = f"Rendering {target.name}"
        begin = time.monotonic()
        with count_progress(lambda: engine.busy or title, "frame", source.total) as show:
            until_run.pop_all()  # from here the pipeline closes the source
            pipeline.run(lambda: show(metrics.count("emit")))
    frames, seconds = metrics.count("emit"), time.monotonic() - begin
    alone = 1 / max(metrics.latency("effect").p50, 1e-9)
    console.print(
        f"{target}: {counted(frames, 'frame')} in {seconds:.1f} s ({rate(frames / seconds)} with "
        f"start-up and encoding); rendering alone {rate(alone)}"
    )


def render_demo(settings: Settings, target: Path, seconds: float) -> None:
    """The built-in scene before | after, as a clip and a picture beside it."""
    from realtime_bokeh.sinks.video import FORMATS, VideoWriter
    from realtime_bokeh.sources.demo import Demo
    from realtime_bokeh.stills import Still, write_still

    check_output(target, "a video", FORMATS)
    size = settings.size or _SCENE
    fps = settings.fps or _SCENE_FPS
    total = max(1, round(seconds * fps))
    source = Demo(size, fps, total, live=False)
    index = itertools.count()
    middle: list[Image] = []

    def before_after(effect: Effect) -> Effect:
        def both(image: Image) -> Callable[[], Image]:
            rendering = effect(image)

            def finish() -> Image:
                pair = np.hstack([image, rendering()])
                if next(index) == total // 2:
                    middle.append(pair)
                return pair

            return finish

        return both

    width = 2 * size.width
    _render_file(
        settings, source, target,
        lambda: VideoWriter(target, Size(size.height, width), fps, source.time_base),
        before_after,
    )  # fmt: skip
    picture = target.with_suffix(".png")
    write_still(picture, middle[0], Still(middle[0], None, b"", None))
    console.print(f"{picture}: before | after")
