import pytest

from realtime_bokeh.live.hud import Hud
from realtime_bokeh.live.run import LiveRun
from realtime_bokeh.look import Look
from tests.live.test_keys import told_run

KEYS = (("q", "stop"),)


class Clock:
    """now: seconds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def run() -> LiveRun:
    return told_run()


def test_without_a_run_there_is_nothing_to_show() -> None:
    hud = Hud(KEYS)
    assert hud.look() == Look()
    assert hud.pair() is None


def test_a_message_is_shown_for_two_seconds() -> None:
    clock = Clock()
    hud = Hud(KEYS, clock)
    hud.say("strength 0.85")
    clock.now += 1.9
    assert hud.look().message == "strength 0.85"
    clock.now += 0.2
    assert hud.look().message == ""


def test_keys_of_the_window_switch_on_and_off(run: LiveRun) -> None:
    hud = Hud(KEYS)
    hud.run = run
    for key, name, off in (("s", "split", False), ("v", "mirror", False), ("?", "keys", ())):
        assert getattr(hud.look(), name) == off
        hud.switch(key)
        assert getattr(hud.look(), name) != off
        hud.switch(key)
        assert getattr(hud.look(), name) == off
    assert hud.look().figures
    hud.switch("h")
    assert hud.look().figures == ()
    assert run.state.mirror is False


def test_figures_do_not_run_too_fast_to_be_read(run: LiveRun) -> None:
    clock = Clock()
    hud = Hud(KEYS, clock)
    hud.run = run
    assert hud.look().figures == ("no pictures", "lite, unchanged", "2x2")
    for _ in range(3):
        run.metrics.record("emit", 0.01)
        run.metrics.record("latency", 0.0412)
    assert hud.look().figures[0] == "no pictures"
    clock.now += 0.6
    assert hud.look().figures[0].endswith("fps, latency 41 ms")


@pytest.mark.parametrize(
    ("told", "marks"),
    [
        ({}, ()),
        ({"blank": True}, ("PAUSED",)),
        ({"frozen": True, "off": True}, ("FROZEN", "BLUR OFF")),
    ],
)
def test_what_must_not_be_overlooked_is_marked_with_or_without_figures(
    run: LiveRun, told: dict[str, bool], marks: tuple[str, ...]
) -> None:
    hud = Hud(KEYS)
    hud.run = run
    run.set(**told)
    assert hud.look().marks == marks
    hud.switch("h")
    assert hud.look().marks == marks


def test_keys_in_the_window_are_given_once() -> None:
    hud = Hud(KEYS)
    hud.press("+")
    hud.press("s")
    assert hud.typed() == ["+", "s"]
    assert hud.typed() == []
