import random
from collections.abc import Iterator

import pytest

from tests.training.data.test_subjects import photographed
from training.data.subjects import Subject
from training.data.windows import (
    CALL,
    FACE,
    FRAMINGS,
    HEAD_CUT,
    LEANING_OUT,
    Framing,
    Window,
    window_anywhere,
    window_at,
    window_inside,
    window_over,
)

SHAPE = 0.6


def over(subject: Subject, framing: Framing) -> Iterator[Window]:
    for seed in range(40):
        yield window_over(subject, framing, random.Random(seed), SHAPE)


@pytest.mark.parametrize("framing", FRAMINGS)
def test_windows_inside_a_photo_stay_there(framing: Framing) -> None:
    subject = photographed()
    for seed in range(20):
        x, y, width, height = window_inside(subject, framing, random.Random(seed), SHAPE, 60)
        assert min(x, y) >= 0
        assert x + width <= 240 + 1e-6
        assert y + height <= 200 + 1e-6
        assert width >= 60 - 1e-6
        assert height == pytest.approx(SHAPE * width)


def test_a_head_is_cut_by_the_upper_edge() -> None:
    subject = photographed(close=False)
    assert all(y > subject.head.top for _, y, _, _ in over(subject, HEAD_CUT))


def test_a_face_overfills_the_picture() -> None:
    head = photographed().head
    assert all(head.height / height >= 0.7 for _, _, _, height in over(photographed(), FACE))


def test_somebody_leans_out_of_the_picture() -> None:
    subject = photographed(close=False, left=40)
    head = subject.head.middle
    for x, _, width, _ in over(subject, LEANING_OUT):
        assert not 0.2 < (head - x) / width < 0.8


def test_an_edge_that_cuts_somebody_is_not_in_the_picture() -> None:
    for x, y, _, height in over(photographed(), CALL):
        assert x >= 0
        assert y + height <= 200 + 1e-6


def test_somebody_cut_below_is_not_too_low_in_the_picture() -> None:
    subject = photographed()
    _, y, _, height = window_at(subject, 0.05, 0.5, 0.1, SHAPE)
    assert (subject.head.top - y) / height <= 0.5 + 1e-6


def test_windows_anywhere_stay_in_the_photo() -> None:
    for seed in range(20):
        x, y, width, height = window_anywhere(photographed(), random.Random(seed), SHAPE, 0.6)
        assert min(x, y) >= 0
        assert x + width <= 240
        assert y + height <= 200
