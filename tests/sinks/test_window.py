"""What the window's process does, with a person and a screen that are not there."""

import multiprocessing

import cv2
import numpy as np
import pytest

from realtime_bokeh.look import Look
from realtime_bokeh.sinks.window import READY, STOP, show
from realtime_bokeh.sizes import Size
from tests import clips
from tests.fakes import Screen

SIZE = Size(48, 64)
SHARED = np.stack([clips.solid((value,) * 3, SIZE) for value in (220, 100)])
SPLIT = Look(split=True)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    return Screen(monkeypatch)


def _told(screen: Screen, messages: list[tuple[int, Look]], *does: str | int) -> list[str]:
    """What the window says while it is sent messages, and a person then does something."""
    ours, theirs = multiprocessing.Pipe()
    for message in messages:
        ours.send(message)
    screen.does = [*[""] * (len(messages) - 1), *does]
    show(theirs, SHARED)
    told = []
    while ours.poll():
        told.append(ours.recv())
    return told


@pytest.mark.parametrize("key", ["q", "\x1b"])
def test_keys_are_told_and_two_of_them_stop(screen: Screen, key: str) -> None:
    assert _told(screen, [(1, Look())], "+", "s", key, "m") == [READY, READY, "+", "s", STOP]


def test_closing_the_window_stops(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_: int) -> int:
        screen.close()
        return -1

    monkeypatch.setattr(cv2, "waitKey", closed)
    assert _told(screen, [(1, Look())]) == [READY, READY, STOP]


def test_every_message_is_answered(screen: Screen) -> None:
    assert _told(screen, [(1, Look()), (0, Look())], "q") == [READY, READY, READY, STOP]


def test_a_look_alone_is_drawn_over_the_former_picture(screen: Screen) -> None:
    _told(screen, [(1, Look()), (0, Look(message="Saved"))], "q")
    first, second = screen.shown
    assert first.min() == 220
    assert second.min() < 220 == second[0].min()


def test_there_is_no_window_before_a_picture(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_early(_: int) -> int:
        assert screen.shown
        return ord("q")

    monkeypatch.setattr(cv2, "waitKey", too_early)
    assert _told(screen, [(0, SPLIT), (2, SPLIT)]) == [READY, READY, READY, STOP]
    assert len(screen.shown) == 1


def test_the_line_follows_the_pointer_without_a_new_picture(screen: Screen) -> None:
    _told(screen, [(2, SPLIT)], 16, 48, 48, 900, "", "q")
    before = [int((image[5, :, 0] == 100).sum()) for image in screen.shown]
    assert before == [30, 14, 46, 62]  # pixels; the line takes two on its left


def test_a_larger_window_gets_larger_pictures(screen: Screen) -> None:
    screen.size = Size(500, 192)
    _told(screen, [(2, SPLIT)], 48, "", "q")
    assert [image.shape for image in screen.shown] == [(144, 192, 3)] * 2
    assert (screen.shown[1][5, :40] == 100).all()
    assert (screen.shown[1][5, 56:] == 220).all()


def test_a_pointer_draws_nothing_while_there_is_no_line(screen: Screen) -> None:
    _told(screen, [(2, Look())], 16, 48, "q")
    assert len(screen.shown) == 1


def test_it_ends_with_the_run(screen: Screen) -> None:
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    with pytest.raises((EOFError, OSError)):
        show(theirs, SHARED)
