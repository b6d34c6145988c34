"""Renderings of files: a video, photos, the built-in scene."""

import itertools
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from realtime_bokeh.app.display import console, count_progress, counted, rate
from realtime_bokeh.app.parts import SCENE, SCENE_FPS, Effect, Parts, open_effect
from realtime_bokeh.app.settings import Settings
from realtime_bokeh.errors import BokehError, SinkError, UsageError
from realtime_bokeh.files import STANDARD, check_output
from realtime_bokeh.frame import Image, Sink, Source, Stopped
from realtime_bokeh.metrics import Metrics
from realtime_bokeh.pipeline import Pipeline
from realtime_bokeh.sizes import Size


def render(settings: Settings, sources: Sequence[Path], target: Path) -> None:
    """Videos, photos and folders of both; `files.STANDARD` is standard input and output."""
    for source in sources:
        # not Path.exists: it raises for a name that is too long
        if source != STANDARD and not os.path.exists(source):
            raise UsageError(f"{source} does not exist")
        if os.path.exists(target) and os.path.exists(source) and source.samefile(target):
            raise UsageError(f"IN and OUT are the same ({source}); give another name for OUT")
    if len(sources) > 1 or sources[0].is_dir() or target.is_dir():
        if STANDARD in (*sources, target):
            raise UsageError("Standard input and output (-) take one video, not several files")
        _render_several(settings, sources, target)
    else:
        _render_one(settings, sources[0], target)


def _render_one(settings: Settings, source: Path, target: Path) -> None:
    from realtime_bokeh.sinks.video import check_video
    from realtime_bokeh.stills import FORMATS, READ, is_still

    if is_still(source):
        for name in ("start", "end", "codec", "crf"):
            if getattr(settings, name) is not None:
                raise UsageError(f"--{name} is for videos, and {source} is a photo; leave it out")
        _render_stills(settings, [(source, target)])
    elif target.suffix.lower() in FORMATS:
        raise UsageError(
            f"{target} cannot hold a video, and {source} is no photo that is read "
            f"({', '.join(READ)}); end OUT's name in .mp4, or save IN as one of these"
        )
    else:
        check_video(target, settings.codec, settings.crf, settings.alpha)
        _render_video(settings, source, target)


def _render_several(settings: Settings, sources: Sequence[Path], target: Path) -> None:
    """Photos first, with one engine; what fails does not keep the others from being rendered."""
    from realtime_bokeh.app.batch import gather
    from realtime_bokeh.sinks.video import check_video

    batch = gather(sources, target, settings.alpha)
    for _, rendering in batch.videos:
        check_video(rendering, settings.codec, settings.crf, settings.alpha)
    failures = _render_stills(settings, batch.photos, several=True) if batch.photos else []
    for source, rendering in batch.videos:
        try:
            _render_video(settings, source, rendering)
        except BokehError as error:
            failures.append(f"{error}")
    for reason in [*batch.skipped, *failures]:
        console.print(f"skipped: {reason}")
    if failures:
        count = counted(len(batch.photos) + len(batch.videos), "file")
        raise BokehError(f"{len(failures)} of {count} could not be rendered")


def _render_stills(
    settings: Settings, photos: Sequence[tuple[Path, Path]], several: bool = False
) -> list[str]:
    """Render each photo to a file; what failed of several, each in a sentence."""
    from realtime_bokeh.stills import CLEAR, FORMATS, read_still, write_still

    for _, target in photos:
        check_output(target, "a photo", FORMATS)
        if settings.alpha:
            check_output(target, "transparency", CLEAR)
    effect, engine, name = open_effect(settings, photos=True)
    console.print(name)
    failures: list[str] = []
    with engine, count_progress(lambda: engine.busy or "Rendering", "photo", len(photos)) as show:
        for done, (source, target) in enumerate(photos, 1):
            try:
                still = read_still(source)
                engine.reset()  # photos have no past
                rendering = effect(still.image)()
                if settings.mirror and still.alpha is not None:
                    still = replace(still, alpha=still.alpha[:, ::-1])
                if settings.alpha:
                    still = still.seen_through(rendering[..., 3])
                write_still(target, rendering[..., :3], still)
                console.print(f"{target}")
            except BokehError as error:
                if not several:
                    raise
                failures.append(f"{error}")
            show(done)
    return failures


def _render_video(settings: Settings, path: Path, target: Path) -> None:
    """A video into a file that `check_video` has passed."""
    from realtime_bokeh.sinks.encoders import choose_hdr
    from realtime_bokeh.sinks.video import VideoWriter
    from realtime_bokeh.sources.video import VideoReader

    # what changes more than the focus would have to change deep images too
    changed = settings.mirror or settings.alpha or settings.background is not None
    keep_hdr = choose_hdr(target, settings.codec) is not None and not changed
    source = VideoReader(path, settings.start or 0, settings.end, tracks=True, keep_hdr=keep_hdr)
    writers: list[VideoWriter] = []

    def open_writer() -> VideoWriter:
        writers.append(
            VideoWriter(
                target, source.size, source.fps, source.time_base, source, settings.codec,
                settings.crf, settings.alpha,
            )
        )  # fmt: skip
        return writers[0]

    _render_file(settings, source, target, open_writer)
    for remark in [*source.remarks, *writers[0].remarks]:
        console.print(f"{source.name}: {remark}")


def _render_file(
    settings: Settings, source: Source, target: Path, open_writer: Callable[[], Sink],
    change: Callable[[Effect], Effect] = lambda effect: effect,
) -> None:  # fmt: skip
    """Every frame of a source into a file; `change` makes the effect that is used."""
    metrics = Metrics()
    with Parts() as parts:
        parts.add_source(source)
        effect, engine, name = open_effect(settings, fps=source.fps)
        parts.add_engine(engine)
        console.print(source.describe())
        console.print(name)
        sinks = parts.open_sinks([open_writer])
        pipeline = Pipeline(source, change(effect), sinks, metrics, in_flight=engine.in_flight)
        title = f"Rendering {target.name}"
        begin = time.monotonic()
        try:
            with count_progress(lambda: engine.busy or title, "frame", source.total) as show:
                pipeline.run(lambda: show(metrics.count("emit")))
        except Stopped:
            raise SinkError("The program that reads standard output has closed it") from None
    frames, seconds = metrics.count("emit"), time.monotonic() - begin
    alone = 1 / max(metrics.latency("effect").p50, 1e-9)
    console.print(
        f"{sinks[0].describe()}: {counted(frames, 'frame')} in {seconds:.1f} s "
        f"({rate(frames / seconds)} with start-up and encoding); rendering alone {rate(alone)}"
    )


def render_demo(settings: Settings, target: Path, seconds: float) -> None:
    """The built-in scene before | after, as a clip and a picture beside it."""
    from realtime_bokeh.sinks.video import VideoWriter, check_video
    from realtime_bokeh.sources.demo import Demo
    from realtime_bokeh.stills import Still, write_still

    if target == STANDARD:
        raise UsageError("demo writes a file and a picture beside it; name one, such as demo.mp4")
    check_video(target)
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

    pair_size, time_base = Size(size.height, 2 * size.width), source.time_base
    assert time_base is not None, "a scene that is not live has one"
    _render_file(
        settings, source, target, lambda: VideoWriter(target, pair_size, fps, time_base),
        before_after,
    )  # fmt: skip
    picture = target.with_suffix(".png")
    write_still(picture, middle[0], Still(middle[0]))
    console.print(f"{picture}: before | after")
