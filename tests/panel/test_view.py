"""The picture of the panel: small, before above after, and made once for all who look."""

import cv2
import numpy as np
import pytest

from realtime_bokeh.frame import Image
from realtime_bokeh.panel.view import View
from tests.panel.programs import FakeProgram, pair


def _decoded(data: bytes | None) -> Image:
    assert data is not None
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image)


@pytest.mark.parametrize(
    ("height", "width", "shown"),
    [
        (720, 1280, (576, 512, 3)), (1080, 1920, (576, 512, 3)), (48, 64, (96, 64, 3)),
        (1280, 720, (1820, 512, 3)), (2, 4000, (2, 512, 3)),
    ],
)  # fmt: skip
def test_before_above_after(height: int, width: int, shown: tuple[int, int, int]) -> None:
    image = _decoded(View(lambda: pair(40, 200, height, width)).jpeg())
    assert image.shape == shown
    if height > 2:
        assert abs(int(image[shown[0] // 4, shown[1] // 2, 0]) - 40) < 5
        assert abs(int(image[shown[0] * 3 // 4, shown[1] // 2, 0]) - 200) < 5


def test_all_who_look_at_about_the_same_time_are_given_one_picture() -> None:
    program, now = FakeProgram(), 0.0
    view = View(program.pair, lambda: now)
    program.shown = pair(40, 200)
    first = view.jpeg()
    program.shown = pair(90, 200)
    now = 0.05
    assert view.jpeg() is first
    now = 0.125  # when a page asks again
    assert abs(int(_decoded(view.jpeg())[100, 100, 0]) - 90) < 5


def test_a_picture_that_stays_is_made_once() -> None:
    program, now = FakeProgram(), 0.0
    view = View(program.pair, lambda: now)
    program.shown = pair(40, 200)
    first = view.jpeg()
    now = 100.0
    assert view.jpeg() is first


def test_nothing_is_shown_once_more_after_there_is_nothing() -> None:
    program = FakeProgram()
    view = View(program.pair, lambda: 0.0)
    program.shown = pair(40, 200)
    assert view.jpeg() is not None
    program.shown = None
    assert view.jpeg() is None
    program.shown = pair(90, 200)
    assert abs(int(_decoded(view.jpeg())[100, 100, 0]) - 90) < 5
