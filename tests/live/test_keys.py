import pytest

from realtime_bokeh.frame import Stopped
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.live.keys import HELP, Keys
from realtime_bokeh.live.run import LiveRun, State
from tests.fakes import CountingSource, UnchangedEngine
from tests.live.stage import OtherOpeners


@pytest.fixture
def run() -> LiveRun:
    """One that is told, and never started."""
    camera = WatchedCamera(lambda: CountingSource(1, live=True))
    camera.close()
    effect = LiveEffect(UnchangedEngine(), UnchangedEngine)
    return LiveRun(camera, effect, [], OtherOpeners(), "lite", State(0.97, 0.1))


def _press(run: LiveRun, keys: str) -> list[str]:
    said: list[str] = []
    bindings = Keys(run, said.append)
    for key in keys:
        bindings.press(key)
    return said


@pytest.mark.parametrize(
    ("keys", "expected", "said"),
    [
        ("+", State(1.0, 0.1), ["strength 1.00"]),
        ("=-", State(0.95, 0.1), ["strength 1.00", "strength 0.95"]),
        ("[[", State(0.97, 0.0), ["smoothing 0.0", "smoothing 0.0"]),
        ("]", State(0.97, 0.2), ["smoothing 0.2"]),
        ("b", State(0.97, 0.1, blank=True), ["blank on"]),
        ("bb", State(0.97, 0.1), ["blank on", "blank off"]),
        ("f", State(0.97, 0.1, frozen=True), ["frozen on"]),
        ("m", State(0.97, 0.1, mirror=True), ["mirror on"]),
        ("?", State(0.97, 0.1), [HELP]),
        ("x\x1b", State(0.97, 0.1), []),
    ],
)
def test_what_keys_do(run: LiveRun, keys: str, expected: State, said: list[str]) -> None:
    assert _press(run, keys) == said
    assert run.state == expected


@pytest.mark.parametrize(
    ("keys", "off"),
    [("o", False), ("oy", True), ("on", False), ("omy", False), ("y", False), ("oyo", False)],
)
def test_the_blur_goes_only_off_when_that_is_confirmed(run: LiveRun, keys: str, off: bool) -> None:
    said = _press(run, keys)
    assert run.state.off == off
    if keys.startswith("o"):
        assert "everybody sees your room" in said[0]


def test_q_stops(run: LiveRun) -> None:
    with pytest.raises(Stopped):
        _press(run, "q")
