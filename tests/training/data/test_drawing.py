import numpy as np
import pytest

from training.data.drawing import Drawing, rounded


def test_paint_covers_and_mixes_at_soft_edges() -> None:
    drawing = Drawing.empty(60, 80)
    drawing.paint(drawing.ellipse((40, 30), (20, 15)), (200, 100, 50))
    painted = drawing.alpha > 0
    assert np.sum(drawing.alpha > 127) == pytest.approx(np.pi * 20 * 15, rel=0.1)
    assert bool((drawing.image[painted] == (200, 100, 50)).all())  # to the softest edge
    half = np.full((60, 80), 128, np.uint8)
    drawing.paint(half, (0, 0, 0))
    assert drawing.image[30, 40].tolist() == pytest.approx((100, 50, 25), abs=1)
    assert drawing.alpha[0, 0] == 128


def test_what_is_painted_over_is_not_changed_elsewhere_nor_the_original() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    before = image.copy()
    drawing = Drawing(image, np.full((40, 40), 255, np.uint8))
    drawing.paint(drawing.polygon([(10, 10), (20, 10), (20, 20), (10, 20)]), (1, 2, 3))
    assert np.array_equal(image, before)
    assert np.array_equal(drawing.image[25:], before[25:])
    assert drawing.image[15, 15].tolist() == [1, 2, 3]


def test_an_arc_is_a_line_and_a_rectangle_has_round_corners() -> None:
    drawing = Drawing.empty(100, 100)
    arc = drawing.ellipse((50, 50), (30, 30), 180, 360, thickness=6)
    assert arc[20, 50] == 255
    assert not arc[60:].any()
    assert not arc[50, 50]
    box = drawing.polygon(rounded(10, 20, 90, 80, 15))
    assert box[50, 50] == box[21, 50] == box[50, 11] == 255
    assert box[21, 11] == 0
