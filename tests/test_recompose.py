import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from realtime_bokeh.frame import Image
from realtime_bokeh.network import core
from realtime_bokeh.recompose import Recomposer, enlarge_focus, shrink
from realtime_bokeh.sizes import Size


@pytest.mark.parametrize("content", [Size(144, 256), Size(120, 200)])
def test_opencv_and_torch_agree(portrait: Image, content: Size) -> None:
    frame = np.asarray(cv2.resize(portrait, (640, 360)))
    height, width = content
    random = np.random.default_rng(0)
    small = shrink(frame, content)
    focus = random.random(small.shape[:2], np.float32)
    bokeh = np.asarray(cv2.GaussianBlur(small, (9, 9), 0))
    ours = Recomposer()(frame, bokeh, focus, content)

    image = torch.from_numpy(frame).permute(2, 0, 1)[None].float()
    theirs_small = core.Shrink(Size(360, 640), content)(image).round()[0].permute(1, 2, 0).numpy()
    assert np.abs(small[:height, :width].astype(int) - theirs_small).max() <= 1
    theirs = core.recompose(
        image,
        torch.from_numpy(bokeh[:height, :width].copy()).permute(2, 0, 1)[None].float(),
        torch.from_numpy(focus[:height, :width].copy())[None, None],
    )[0].permute(1, 2, 0)
    assert np.abs(ours.astype(int) - theirs.round().numpy()).max() <= 2


def test_full_focus_is_the_frame_itself(portrait: Image) -> None:
    ones = np.ones((192, 192), np.float32)
    black = np.zeros((192, 192, 3), np.uint8)
    assert np.array_equal(Recomposer()(portrait, black, ones, Size(192, 192)), portrait)


@pytest.mark.parametrize("rows", [slice(0, 0), slice(0, 1), slice(13, 14), slice(60, 144)])
def test_focus_in_a_part_of_the_picture_alone(portrait: Image, rows: slice) -> None:
    """What is around its box is the rendering, and the blend's edges are in the box."""
    frame = np.asarray(cv2.resize(portrait, (640, 360)))
    focus = np.zeros((144, 256), np.float32)
    focus[rows, 31:57] = 0.7
    bokeh = np.asarray(cv2.GaussianBlur(shrink(frame, Size(144, 256)), (9, 9), 0))
    result = Recomposer()(frame, bokeh, focus, Size(144, 256))
    rendering = cv2.resize(bokeh, (640, 360)).astype(float)
    enlarged = core.enlarge_focus(torch.from_numpy(focus)[None, None], (360, 640))
    share = enlarged[0, 0].numpy().clip(0)[..., None]
    assert np.abs(result - (rendering + share * (frame - rendering))).max() <= 3
    assert np.array_equal(result[(share == 0)[..., 0]], rendering[(share == 0)[..., 0]])


def test_frames_of_several_sizes_and_results_that_stay(portrait: Image) -> None:
    recompose = Recomposer()
    ones, black = np.ones((32, 32), np.float32), np.zeros((32, 32, 3), np.uint8)
    first = recompose(portrait, black, ones, Size(32, 32))
    second = recompose(portrait[:100, :80].copy(), black, ones, Size(30, 20))
    recompose(portrait, black, 0 * ones, Size(32, 32))
    assert np.array_equal(first, portrait)
    assert np.array_equal(second, portrait[:100, :80])


def test_shrink_reflects_up_to_multiples_of_16() -> None:
    frame = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    small = shrink(frame, Size(20, 30))
    assert small.shape == (32, 32, 3)
    assert np.array_equal(small[20, :30], frame[18])
    assert np.array_equal(small[:20, 30], frame[:, 28])


def test_enlarged_focus_is_as_sharp_as_it_was() -> None:
    """At a slanting edge the error is a fraction of what it is if focus is enlarged as it is."""

    def across_the_edge(size: Size, pixel: float) -> NDArray[np.float64]:
        y, x = (np.arange(side)[:, None] * pixel + pixel / 2 for side in size)
        return 1 / (1 + np.exp(-3.5 * (0.6 * (y - 9) + 0.8 * (x.T - 16))))

    size = Size(72, 128)
    focus = across_the_edge(Size(18, 32), 1).astype(np.float32)
    truth = across_the_edge(size, 1 / 4) * 255
    ours = np.abs(enlarge_focus(focus, size) - truth)
    plain = np.abs(cv2.resize(focus, size[::-1]) * 255 - truth)
    assert ours.mean() < plain.mean() / 4


@pytest.mark.parametrize("size", [Size(10, 6), Size(5, 7), Size(40, 60)])
def test_even_focus_stays_as_it_is_at_any_size(size: Size) -> None:
    for level in (0, 1, 60, 128, 200, 254, 255):
        focus = enlarge_focus(np.full((10, 6), level / 255, np.float32), size)
        near = 0 if level in (0, 255) else 2
        assert np.abs(focus.astype(int) - level).max() <= near
        exact = core.enlarge_focus(torch.full((1, 1, 10, 6), level / 255), size)
        assert torch.allclose(exact, torch.tensor(level / 255), atol=1e-5)
