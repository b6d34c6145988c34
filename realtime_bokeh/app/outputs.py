"""What live frames go to."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from realtime_bokeh.app.display import console
from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.frame import Sink, Source
from realtime_bokeh.live.hud import Hud
from realtime_bokeh.sinks.viewers import Demand, Viewers


def check_outputs(
    output: str | None, hud: Hud | None, device: str | None = None,
    audio: str | None = None,
) -> list[Callable[[Source], Sink]]:  # fmt: skip
    """Check what frames shall go to, before anything slow is opened.

    Args:
        hud: of the preview's window, if one is wanted. Where there is another output, a window that
            cannot be opened is only told of.
        device: the virtual camera's path or label, if one is chosen.
        audio: the microphone whose sound a file gets too.

    Returns:
        What opens each output for the frames of a source.

    Raises:
        UsageError, SinkError: when one cannot be opened.
    """
    openers: list[Callable[[Source], Sink]] = []
    if audio is not None and output in (None, "-", "none"):
        raise UsageError("--audio records sound into a file; give one, such as --output call.mp4")
    if hud is not None:
        openers += _previews(hud, alone=output == "none")
    if output is None:
        from realtime_bokeh.sinks.virtual_camera import VirtualCamera, check_virtual_camera

        check_virtual_camera(device)
        openers.append(lambda source: VirtualCamera(source.size, source.fps, device))
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


def _previews(hud: Hud, alone: bool) -> list[Callable[[Source], Sink]]:
    """What opens the preview's window; nothing where that cannot be, and it is not alone.

    Raises:
        SinkError: when it is, and cannot be opened.
    """
    from realtime_bokeh.sinks.preview import Preview, check_screen

    def give_up(sentence: str) -> None:
        if alone:
            raise SinkError(f"{sentence}; leave --preview out, or run in a desktop session")
        console.print(f"{sentence}; the run goes on without a window")

    try:
        check_screen()
    except SinkError as error:
        give_up(str(error))
        return []
    return [lambda source: Preview(source.size, hud.look, hud.pair, hud.press, give_up)]


@contextmanager
def demand(sinks: Sequence[Sink], always: bool) -> Iterator[Callable[[], bool]]:
    """Whether anybody sees the outputs; gives the function to ask.

    Only of a virtual camera can it be that nobody does, and not while the preview's window is there
    beside it.

    Args:
        always: whether they count as seen at any rate.
    """
    from realtime_bokeh.sinks.preview import Preview
    from realtime_bokeh.sinks.virtual_camera import VirtualCamera

    windows = [sink for sink in sinks if isinstance(sink, Preview)]
    output = sinks[-1]
    if always or not isinstance(output, VirtualCamera):
        yield lambda: True
        return
    viewers = Viewers(output.name)
    wanted = Demand(viewers.watched).wanted
    try:
        # asked in any case: when the window goes, it is known whether somebody else watches
        yield lambda: wanted() or any(window.seen for window in windows)
    finally:
        viewers.close()
