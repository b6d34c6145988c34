import cv2
import numpy as np
import pytest

from realtime_bokeh.frame import Image
from realtime_bokeh.matte import Cutout, cut_out, over
from realtime_bokeh.sizes import Size

FOCUS = np.zeros((36, 64), np.float32)
FOCUS[12:, 20:44] = 1
RED, BLUE = (20, 30, 200), (210, 60, 10)


def _noise(seed: int, size: Size = Size(144, 256)) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


def test_inside_is_the_image_and_outside_is_clear() -> None:
    image = _noise(1)
    colours, opacity = cut_out(image, FOCUS)
    assert (opacity[56:, 84:172] == 255).all()
    assert (opacity[:40] == 0).all()
    assert (opacity[:, :72] == 0).all()
    assert (colours[opacity == 255] == image[opacity == 255]).all()


def test_nothing_behind_can_be_made_out_of_a_cutout() -> None:
    person = np.s_[48:, 80:176]
    first, second = _noise(1), _noise(2)
    second[person] = first[person]
    cutouts = [cut_out(image, FOCUS) for image in (first, second)]
    clear = cutouts[0].opacity == 0
    assert (cutouts[0].colours[clear] == cutouts[1].colours[clear]).all()


def test_an_edge_has_the_persons_colour_without_that_behind() -> None:
    opacity = cut_out(_noise(1), FOCUS).opacity
    share = opacity[..., None] / 255
    image = np.rint(np.array(RED) * share + np.array(BLUE) * (1 - share)).astype(np.uint8)
    colours, opacity = cut_out(image, FOCUS)
    edge = (opacity > 0) & (opacity < 255)
    assert edge.sum() > 300
    assert np.abs(colours[edge] - np.array(RED)).mean() < 4
    assert np.abs(image[edge] - np.array(RED)).mean() > 40  # that of a mixture


def test_what_is_hardly_in_focus_is_clear_and_what_is_nearly_is_opaque() -> None:
    image = _noise(1)
    levels = [0.0, 0.09, 0.5, 0.91, 1.0]
    opacity = [cut_out(image, np.full((36, 64), level, np.float32)).opacity for level in levels]
    assert [int(each[0, 0]) for each in opacity] == [0, 0, pytest.approx(128, abs=1), 255, 255]


@pytest.mark.parametrize("size", [Size(17, 23), Size(144, 256), Size(720, 405)])
def test_every_size_is_cut_out(size: Size) -> None:
    image = _noise(1, size)
    colours, opacity = cut_out(image, FOCUS[::3, ::3])
    assert colours.shape == image.shape
    assert opacity.shape == size
    assert 0.1 < (opacity == 255).mean() < 0.4


@pytest.mark.parametrize("level", [0, 1])
def test_all_and_nothing(level: int) -> None:
    image = _noise(1)
    cutout = cut_out(image, np.full((36, 64), level, np.float32))
    background = _noise(2)
    assert (over(cutout, background) == (image if level else background)).all()


def test_over_mixes_by_opacity_alone_where_it_is_neither() -> None:
    opacity = np.array([[0, 51, 102, 255]], np.uint8)
    cutout = Cutout(np.full((1, 4, 3), 200, np.uint8), opacity)
    background = np.full((1, 4, 3), 100, np.uint8)
    assert over(cutout, background)[0, :, 0].tolist() == [100, 120, 140, 200]
    assert (background == 100).all()


def test_the_background_is_exact_beside_the_person() -> None:
    image = cv2.GaussianBlur(_noise(1), (0, 0), 3)
    background = _noise(2)
    cutout = cut_out(np.asarray(image), FOCUS)
    result = over(cutout, background)
    assert (result[cutout.opacity == 0] == background[cutout.opacity == 0]).all()
    assert (result[cutout.opacity == 255] == image[cutout.opacity == 255]).all()
