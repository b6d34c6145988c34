from typing import Any

import numpy as np
import pytest

from realtime_bokeh.errors import UsageError
from realtime_bokeh.sizes import (
    Size,
    check_inference_size,
    check_size,
    content_size,
    padded_size,
)


@pytest.mark.parametrize(
    ("frame", "content", "padded"),
    [
        (Size(720, 1280), Size(144, 256), Size(144, 256)),
        (Size(1080, 1920), Size(144, 256), Size(144, 256)),
        (Size(1280, 720), Size(256, 144), Size(256, 144)),
        (Size(480, 640), Size(168, 224), Size(176, 224)),
        (Size(512, 512), Size(192, 192), Size(192, 192)),
        (Size(1080, 2560), Size(122, 288), Size(128, 288)),
        (Size(20, 30000), Size(16, 24000), Size(16, 24000)),
        (Size(1, 1), Size(192, 192), Size(192, 192)),
    ],
)
def test_size_follows_the_frames_shape(frame: Size, content: Size, padded: Size) -> None:
    assert content_size(frame, Size(144, 256)) == content
    assert padded_size(content) == padded


@pytest.mark.parametrize(
    "frame", [Size(480, 640), Size(1333, 750), Size(777, 1999), Size(2000, 2001)]
)
def test_shape_is_kept_within_a_pixel(frame: Size) -> None:
    height, width = content_size(frame, Size(144, 256))
    exact = width * frame[0] / frame[1]
    assert abs(height - exact) <= 1
    assert 0.8 < height * width / (144 * 256) < 1.25


def test_full_is_the_frames_own_size_padded() -> None:
    assert content_size(Size(719, 1279), "full") == Size(719, 1279)
    assert padded_size(Size(719, 1279)) == Size(720, 1280)
    assert content_size(Size(4, 8), "full") == Size(16, 32)


def test_full_is_the_papers_size_at_most() -> None:
    assert content_size(Size(1024, 1536), "full") == Size(1024, 1536)
    assert content_size(Size(2000, 3000), "full") == Size(1024, 1536)
    assert content_size(Size(1080, 1920), "full") == Size(945, 1680)


def test_a_programs_size_may_be_a_plain_tuple() -> None:
    size = check_size("frame", (720, 1280))
    assert (type(size), size) == (Size, Size(720, 1280))
    assert check_inference_size("full") == "full"
    assert check_inference_size(Size(144, 256)) == Size(144, 256)


ARRAYS = [np.array([144, 256]), np.zeros((30, 30)), np.array("full")]


@pytest.mark.parametrize(
    "value", ["full", (15, 16), (16, 16385), (16,), (16.0, 16), None, [16], *ARRAYS]
)
def test_anything_else_is_no_size(value: Any) -> None:
    with pytest.raises(UsageError, match=r"^frame .* is no size; give \(height, width\)") as caught:
        check_size("frame", value)
    assert "\n" not in str(caught.value)
    if not isinstance(value, str):
        with pytest.raises(UsageError, match=r'or "full"$'):
            check_inference_size(value)
