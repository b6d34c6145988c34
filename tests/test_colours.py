import numpy as np
import pytest
from av.video.frame import VideoFrame

from realtime_bokeh.colours import Colours, to_picture
from realtime_bokeh.frame import EXACT, Image

RANGES = [1, 2]


def _picture() -> Image:
    small = np.random.default_rng(0).integers(20, 235, (4, 5, 3)).astype(np.uint8)
    return np.kron(small, np.ones((32, 32, 1), np.uint8))


def _back(picture: VideoFrame, colours: Colours) -> Image:
    picture.colorspace, picture.color_range = colours.matrix, colours.range
    return np.asarray(picture.to_ndarray(format="bgr24", interpolation=EXACT))


@pytest.mark.parametrize("matrix", [1, 4, 5, 7, 9])
@pytest.mark.parametrize("full", RANGES)
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "nv12"])
def test_six_passes_do_not_change_colours(matrix: int, full: int, pix_fmt: str) -> None:
    colours = Colours(matrix, full)
    before = image = _picture()
    for _ in range(6):
        image = _back(to_picture(image, colours, pix_fmt), colours)
    shift = (image.astype(float) - before).mean((0, 1))
    assert np.abs(shift).max() < 1
    inner = np.s_[16::32, 16::32]  # away from edges, where colour has half the resolution
    assert np.abs(image[inner].astype(int) - before[inner]).max() <= 6


@pytest.mark.parametrize("matrix", [1, 9])
@pytest.mark.parametrize("full", RANGES)
def test_six_passes_do_not_change_deep_colours(matrix: int, full: int) -> None:
    colours = Colours(matrix, full)
    before = image = _picture().astype(np.uint16) << 8
    for _ in range(6):
        picture = to_picture(image, colours, "yuv420p10le")
        picture.colorspace, picture.color_range = colours.matrix, colours.range
        rgb = picture.to_ndarray(format="gbrp16le", interpolation=EXACT)
        image = np.ascontiguousarray(rgb[..., ::-1])
    difference = (image.astype(float) - before) / 64  # in steps of 10 bits
    assert np.abs(difference.mean((0, 1))).max() < 1
    assert np.abs(difference[16::32, 16::32]).max() <= 6


@pytest.mark.parametrize("full", RANGES)
@pytest.mark.parametrize(("height", "width"), [(47, 33), (48, 33), (47, 34), (2, 2), (1, 1)])
def test_odd_sides_are_made_even_in_place(full: int, height: int, width: int) -> None:
    image = _picture()[:height, :width]
    picture = to_picture(image, Colours(range=full), "yuv420p")
    assert (picture.height, picture.width) == (height + height % 2, width + width % 2)
    shown = _back(picture, Colours(range=full))[:height, :width]
    assert np.abs(shown.astype(int) - image).mean() < 12
