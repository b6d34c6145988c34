import numpy as np
import pytest

from realtime_bokeh.frame import Image
from realtime_bokeh.sinks.i420 import even, to_i420
from realtime_bokeh.sizes import Size

SIZE = Size(16, 24)


def _planes(image: Image) -> tuple[Image, Image, Image]:
    height, width = even(Size.of(image))
    planes = np.empty((height * 3 // 2, width), np.uint8)
    to_i420(image, planes)
    u, v = planes[height:].reshape(2, height // 2, width // 2)
    return planes[:height], u, v


# BT.601 in limited range, by the standard's table of colour bars at full saturation
@pytest.mark.parametrize(
    ("bgr", "yuv"),
    [
        ((255, 255, 255), (235, 128, 128)), ((0, 0, 0), (16, 128, 128)),
        ((0, 255, 255), (210, 16, 146)), ((255, 255, 0), (170, 166, 16)),
        ((0, 255, 0), (145, 54, 34)), ((255, 0, 255), (106, 202, 222)),
        ((0, 0, 255), (81, 90, 240)), ((255, 0, 0), (41, 240, 110)),
    ],
)  # fmt: skip
def test_colour_bars(bgr: tuple[int, ...], yuv: tuple[int, ...]) -> None:
    planes = _planes(np.full((*SIZE, 3), bgr, np.uint8))
    for plane, value in zip(planes, yuv, strict=True):
        assert np.abs(plane.astype(int) - value).max() <= 1


def test_colour_is_the_mean_of_four_pixels() -> None:
    image = np.zeros((*SIZE, 3), np.uint8)
    image[::2, ::2] = (0, 0, 255)
    _, _, v = _planes(image)
    assert np.abs(v.astype(int) - (128 + 112 / 4)).max() <= 1


def test_an_odd_side_ends_in_a_copy() -> None:
    image = np.random.default_rng(0).integers(0, 256, (15, 23, 3), dtype=np.uint8)
    y, u, v = _planes(image)
    assert y.shape == (16, 24)
    assert u.shape == v.shape == (8, 12)
    np.testing.assert_array_equal(y[15], y[14])
    np.testing.assert_array_equal(y[:, 23], y[:, 22])
