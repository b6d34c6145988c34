import cv2
import numpy as np
import pytest
import torch

from realtime_bokeh.frame import Image
from realtime_bokeh.network import core
from realtime_bokeh.recompose import Recomposer, shrink
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
    share = cv2.resize(focus, (640, 360))[..., None]
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
