import numpy as np
import pytest

from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.demo import Demo, images


@pytest.mark.parametrize("size", [Size(48, 64), Size(90, 40)])
def test_every_run_shows_the_same(size: Size) -> None:
    runs = [Demo(size, 24.0, total=3, live=False) for _ in range(2)]
    for index in range(3):
        one, other = (run.read() for run in runs)
        assert one is not None
        assert other is not None
        assert one.image.shape == (*size, 3)
        assert one.image.dtype == np.uint8
        assert one.pts == one.index == index
        np.testing.assert_array_equal(one.image, other.image)
    assert [run.read() for run in runs] == [None, None]


def test_it_moves() -> None:
    scene = Demo(Size(48, 64), live=False)
    first, second = scene.read(), scene.read()
    assert first is not None
    assert second is not None
    assert np.abs(first.image.astype(int) - second.image).max() > 0


def test_its_first_images_are_those_of_its_frames() -> None:
    size = Size(48, 64)
    scene = Demo(size, live=False)
    found = images(size, 3)
    assert len(found) == 3
    for image in found:
        frame = scene.read()
        assert frame is not None
        np.testing.assert_array_equal(image, frame.image)


def test_live_frames_have_no_time_stamps() -> None:
    scene = Demo(Size(48, 64), fps=240.0)
    assert scene.time_base is None
    frame = scene.read()
    assert frame is not None
    assert frame.pts is None
