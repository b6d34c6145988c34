"""Renderings of files: a video, photos, the built-in scene."""

import itertools
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from realtime_bokeh.app.display import console, count_progress, counted, rate
from realtime_bokeh.app.parts import SCENE, SCENE_FPS, Parts, open_effect
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.files import check_output
from realtime_bokeh.frame import Image, Sink, Source
from realtime_bokeh.metrics import Metrics
from realtime_bokeh.pipeline import Effect, Pipeline
from realtime_bokeh.sizes import Size

_NAMED = 5  # names of files that a sentence lists


def render(settings: Settings, source: Path, target: Path) -> None:
    """A video, a photo or a folder of photos."""
    from realtime_bokeh.stills import FORMATS, READ, is_still

    # not Path.exists: it raises for a name that is too long
    if not os.path.exists(source):
        raise UsageError(f"{source} does not exist")
    if os.path.exists(target) and source.samefile(target):
        raise UsageError(f"IN and OUT are the same ({source}); give another name for OUT")
    if source.is_dir():
        _render_folder(settings, source, target)
    elif is_still(source):
        _render_stills(settings, [(source, target)])
    elif target.suffix.lower() in FORMATS:
        raise UsageError(
            f"{target} cannot hold a video, and {source} is no photo that is read "
            f"({', '.join(READ)}); end OUT's name in .mp4, or save IN as one of these"
        )
    else:
        _render_video(settings, source, target)


def _render_folder(settings: Settings, source: Path, target: Path) -> None:
    from realtime_bokeh.stills import READ, is_still, name_of_rendering, photos_in

    if is_still(target) and not target.is_dir():
        raise UsageError(f"{target} is a photo's name, but {source} is a folder: name a folder")
    photos = photos_in(source)
    output = Path(os.path.realpath(target))  # it may lie in the folder of the photos
    known = {output, *output.parents}
    others = sorted(
        path.name for path in source.iterdir()
        if path not in photos and not path.name.startswith(".")  # as in photos_in
        and Path(os.path.realpath(path)) not in known
    )  # fmt: skip
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{target} cannot be made a folder ({error.strerror})") from error
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    skipped = [f"{', '.join(others[:_NAMED])}{more} (not {', '.join(READ)})"] if others else []
    # many file systems take IMG.jpg and IMG.JPG for one
    named = Counter(name_of_rendering(photo).lower() for photo in photos)
    pairs = []
    for photo in photos:
        name = name_of_rendering(photo)
        if name != photo.name and named[name.lower()] > 1:  # another's rendering is called so
            name = photo.name + Path(name).suffix
        pairs.append((photo, target / name))
    _render_stills(settings, pairs, skipped)


def _render_stills(
    settings: Settings, photos: Sequence[tuple[Path, Path]], skipped: Sequence[str] = ()
) -> None:
    """Render each photo to a file; `skipped` is what was left out before, and why."""
    from realtime_bokeh.stills import FORMATS, read_still, write_still

    for _, target in photos:
        check_output(target, "a photo", FORMATS)
    effect, engine, name = open_effect(settings, photos=True)
    console.print(name)
    failures: list[str] = []
    with engine, count_progress(lambda: engine.busy or "Rendering", "photo", len(photos)) as show:
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
    metrics = Metrics()
    with Parts() as parts:
        parts.add_source(source)
        effect, engine, name = open_effect(settings)
        parts.add_engine(engine)
        console.print(source.describe())
        console.print(name)
        sinks = parts.open_sinks([open_writer])
        pipeline = Pipeline(source, change(effect), sinks, metrics, in_flight=engine.in_flight)
        title = f"Rendering {target.name}"
        begin = time.monotonic()
        with count_progress(lambda: engine.busy or title, "frame", source.total) as show:
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
    size = settings.size or SCENE
    fps = settings.fps or SCENE_FPS
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
    write_still(picture, middle[0], Still(middle[0]))
    console.print(f"{picture}: before | after")
