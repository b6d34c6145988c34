"""What live frames go to."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from realtime_bokeh.app.display import console
from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Sink, Source
from realtime_bokeh.sinks.viewers import Demand, Viewers


def check_outputs(
    output: str | None, preview: bool, pressed: list[str], device: str | None = None,
    audio: str | None = None,
) -> list[Callable[[Source], Sink]]:  # fmt: skip
    """Check what frames shall go to, before anything slow is opened.

    Args:
        pressed: keys that are pressed in the preview's window are appended to it.
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
    if preview:
        from realtime_bokeh.sinks.preview import Preview, check_screen

        check_screen()
        openers.append(lambda source: Preview(pressed.append))
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


@contextmanager
def demand(sinks: Sequence[Sink], always: bool) -> Iterator[Callable[[], bool]]:
    """Whether anybody sees the outputs; gives the function to ask.

    Only of a virtual camera that is the one output can it be that nobody does.

    Args:
        always: whether they count as seen at any rate.
    """
    from realtime_bokeh.sinks.virtual_camera import VirtualCamera

    (first, *others) = sinks
    if always or others or not isinstance(first, VirtualCamera):
        yield lambda: True
        return
    viewers = Viewers(first.name)
    try:
        yield Demand(viewers.watched).wanted
    finally:
        viewers.close()
