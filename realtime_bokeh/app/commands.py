"""What the commands do with frames: the parts are put together here."""

import itertools
import os
import time
from pathlib import Path
from typing import Any

from realtime_bokeh.app.card import holding_card
from realtime_bokeh.app.display import console, frame_progress, live_status, status_line
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.files import check_output
from realtime_bokeh.frame import Stopped
from realtime_bokeh.metrics import Metrics
from realtime_bokeh.pipeline import Effect, Pipeline
from realtime_bokeh.sizes import Size


def open_effect(settings: Settings, photos: bool = False) -> tuple[Effect, Any, str]:
    """The effect, the engine in it, and the line that describes it; `photos`: see `open_engine`."""
    from realtime_bokeh import weights
    from realtime_bokeh.engines import Controls, open_engine

    model = weights.find(settings.model)
    engine = open_engine(
        model, settings.engine, settings.inference_size, settings.device, settings.precision, photos
    )
    controls = Controls(settings.strength, settings.smoothing)

    def effect(image: Any) -> Any:
        if settings.mirror:
            image = image[:, ::-1].copy()
        return engine.begin(image, controls)

    return effect, engine, engine.reason


def _open_source(camera: str, settings: Settings) -> Any:
    if camera == "demo":
        from realtime_bokeh.sources.demo import Demo

        return Demo(settings.size or Size(480, 640), settings.fps or 30.0)
    from realtime_bokeh.sources.camera import Camera

    return Camera(camera, settings.size, settings.fps)


def _open_sinks(output: str | None, preview: bool, source: Any) -> list[Any]:
    opened: list[Any] = []
    if preview:
        from realtime_bokeh.sinks.preview import Preview

        opened.append(Preview())
    if output is None:
        from realtime_bokeh.sinks.virtual_camera import VirtualCamera

        opened.append(VirtualCamera(source.size, source.fps))
    elif output == "-":
        from realtime_bokeh.sinks.raw import RawFrames

        opened.append(RawFrames())
    elif output == "none":
        from realtime_bokeh.sinks.discard import Discard

        opened.append(Discard())
    else:
        from realtime_bokeh.sinks.video import VideoWriter

        opened.append(VideoWriter(Path(output), source.size, source.fps))
    return opened


def run_live(settings: Settings, camera: str, output: str | None, preview: bool) -> None:
    """From a camera, or the demo scene, into what the user chose, until it is stopped."""
    effect, engine, reason = open_effect(settings)
    source = _open_source(camera, settings)
    try:
        sinks = _open_sinks(output, preview, source)
    except BaseException:
        source.close()
        raise
    metrics = Metrics()
    begin = time.monotonic()
    try:
        console.print(source.describe())
        console.print(f"to {', '.join(sink.describe() for sink in sinks)}")
        console.print(reason)
        card = holding_card(source.size, "Realtime Bokeh: no picture yet")
        pipeline = Pipeline(source, effect, sinks, metrics, card, engine.in_flight)
        with live_status(
            lambda: engine.busy or status_line(metrics, pipeline.dropped, reason)
        ) as tick:
            pipeline.run(tick)
    except (KeyboardInterrupt, Stopped):
        pass  # the way to end it
    finally:
        _close(sinks)
    seconds = time.monotonic() - begin
    console.print(
        f"{metrics.count('emit')} frames in {seconds:.1f} s; "
        + status_line(metrics, pipeline.dropped, reason)
    )


def _close(sinks: list[Any]) -> None:
    """For an interruption before the pipeline, which otherwise has closed them, was under way."""
    for sink in sinks:
        sink.close(complete=False)


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
    from realtime_bokeh.stills import photos_in

    photos = photos_in(source)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{target} cannot be made a folder ({error.strerror})") from error
    _render_stills(settings, [(photo, target / photo.name) for photo in photos])


def _render_stills(settings: Settings, photos: list[tuple[Path, Path]]) -> None:
    from realtime_bokeh.stills import FORMATS, read_still, write_still

    for _, target in photos:
        check_output(target, "a photo", FORMATS)
    effect, engine, reason = open_effect(settings, photos=True)
    console.print(reason)
    failures = 0
    with frame_progress(lambda: engine.busy or "Rendering", len(photos)) as tick:
        for source, target in photos:
            try:
                still = read_still(source)
                engine.reset()  # photos have no past
                write_still(target, effect(still.image)(), still)
            except BokehError as error:
                if len(photos) == 1:
                    raise
                console.print(f"{error}")
                failures += 1
            tick()
    if failures:
        raise BokehError(f"{failures} of {len(photos)} photos could not be rendered")


def _render_video(settings: Settings, path: Path, target: Path) -> None:
    from realtime_bokeh.sinks.video import FORMATS, VideoWriter
    from realtime_bokeh.sources.video import VideoReader

    check_output(target, "a video", FORMATS)
    source = VideoReader(path)
    try:
        effect, engine, reason = open_effect(settings)
        console.print(source.describe())
        console.print(reason)
        writer = VideoWriter(target, source.size, source.fps, source.time_base, source)
    except BaseException:
        source.close()
        raise
    _run_file(source, effect, engine, writer, f"Rendering {target.name}")


def _run_file(source: Any, effect: Effect, engine: Any, writer: Any, title: str) -> None:
    metrics = Metrics()
    begin = time.monotonic()
    try:
        with frame_progress(lambda: engine.busy or title, source.total) as tick:
            Pipeline(source, effect, [writer], metrics, in_flight=engine.in_flight).run(tick)
    finally:
        _close([writer])
    seconds = time.monotonic() - begin
    frames = metrics.count("emit")
    console.print(f"{writer.describe()}: {frames} frames, {frames / seconds:.1f} fps")


def render_demo(settings: Settings, target: Path, seconds: float) -> None:
    """The built-in scene before | after, as a clip and a picture beside it."""
    import numpy as np

    from realtime_bokeh.sinks.video import FORMATS, VideoWriter
    from realtime_bokeh.sources.demo import Demo
    from realtime_bokeh.stills import Still, write_still

    check_output(target, "a video", FORMATS)
    size = settings.size or Size(480, 640)
    rate = settings.fps or 30.0
    total = max(1, round(seconds * rate))
    source = Demo(size, rate, total, live=False)
    effect, engine, reason = open_effect(settings)
    console.print(reason)
    index = itertools.count()
    middle: list[Any] = []

    def before_after(image: Any) -> Any:
        rendering = effect(image)

        def finish() -> Any:
            both = np.hstack([image, rendering()])
            if next(index) == total // 2:
                middle.append(both)
            return both

        return finish

    writer = VideoWriter(target, Size(size.height, 2 * size.width), rate, source.time_base)
    _run_file(source, before_after, engine, writer, f"Rendering {target.name}")
    picture = target.with_suffix(".png")
    write_still(picture, middle[0], Still(middle[0], None, b"", None))
    console.print(f"{picture}: before | after")
