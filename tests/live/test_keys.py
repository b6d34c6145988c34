from collections.abc import Callable
from pathlib import Path

import pytest

from realtime_bokeh.frame import Image, Stopped
from realtime_bokeh.live.camera import WatchedCamera
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.live.hud import Hud
from realtime_bokeh.live.keys import KEYS, NO_PICTURE, Keys, key_list
from realtime_bokeh.live.openers import Choice
from realtime_bokeh.live.run import LiveRun
from realtime_bokeh.live.state import State
from tests.fakes import RAW, RENDERED, CountingSource, UnchangedEngine
from tests.live.stage import OtherOpeners


def told_run() -> LiveRun:
    """A run that is told, and never started."""
    camera = WatchedCamera(lambda: CountingSource(1, live=True))
    camera.close()
    engine = UnchangedEngine()
    engine.reason = "lite, unchanged"
    effect = LiveEffect(engine, UnchangedEngine)
    return LiveRun(camera, effect, [], OtherOpeners(), Choice("lite"), State(0.97, 0.1))


@pytest.fixture
def run() -> LiveRun:
    return told_run()


class Album:
    """Keeps pictures in memory."""

    def __init__(self) -> None:
        self.kept: list[Image] = []

    def save(self, image: Image, tell: Callable[[str], None]) -> None:
        self.kept.append(image)
        tell("Saved")


def _press(
    run: LiveRun, keys: str, hud: Hud | None = None, album: Album | None = None
) -> list[str]:
    said: list[str] = []
    bindings = Keys(run, said.append, (album or Album()).save, hud)
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
        ("x\x1bshv", State(0.97, 0.1), []),
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


def test_the_window_shows_what_is_said(run: LiveRun) -> None:
    hud = Hud(())
    assert _press(run, "-", hud) == ["strength 0.92"]
    assert hud.look().message == "strength 0.92"


def test_keys_are_listed_on_the_terminal_and_in_the_window(run: LiveRun) -> None:
    hud = Hud(key_list(window=True))
    (said,) = _press(run, "?", hud)
    assert said.startswith("keys: + and - strength, [ and ] smoothing, b blank")
    assert "v mirror the window only" in said
    assert dict(hud.look().keys)["s"] == "before and after"
    _press(run, "?", hud)
    assert hud.look().keys == ()


def test_keys_of_the_window_are_not_listed_where_there_is_none(run: LiveRun) -> None:
    (said,) = _press(run, "?")
    assert "save the picture" in said
    assert "window" not in said
    assert "before and after" not in said


def test_every_listed_key_does_something(run: LiveRun) -> None:
    for key in " ".join(key.name for key in KEYS if key.name != "q").replace("and ", "").split():
        hud = Hud(())
        hud.run = run
        before = hud.look()
        assert _press(run, key, hud) or hud.look() != before, key


def test_the_rendering_is_saved(run: LiveRun, monkeypatch: pytest.MonkeyPatch) -> None:
    album, hud = Album(), Hud(())
    monkeypatch.setattr(run, "pair", lambda: (RAW, RENDERED))
    assert _press(run, "p", hud, album) == ["Saved"]
    assert album.kept == [RENDERED]
    assert hud.look().message == "Saved"


def test_a_card_is_not_saved(run: LiveRun) -> None:
    album = Album()
    assert _press(run, "p", album=album) == [NO_PICTURE]
    assert album.kept == []


def test_the_documentation_lists_the_same_keys() -> None:
    text = (Path(__file__).parents[2] / "docs" / "live.md").read_text(encoding="utf-8")
    table = text.partition("| key | what it does |\n|---|---|\n")[2].partition("\n\n")[0]
    rows = [tuple(cell.strip() for cell in line.split("|")[1:3]) for line in table.splitlines()]
    assert [name.replace("`", "") for name, _ in rows] == [key.name for key in KEYS]
    for (_, what), key in zip(rows, KEYS, strict=True):
        assert ("window of `--preview` alone" in what) == key.window
