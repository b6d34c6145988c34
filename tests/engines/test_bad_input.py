"""What a program gives by mistake is one sentence of ours, before a runtime sees it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from realtime_bokeh import weights
from realtime_bokeh.engines import Controls, Engine, open_engine
from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Image

LITE = weights.find("lite")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return open_engine(LITE, "openvino")


def _noise(*shape: int) -> Image:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (None, "no NumPy array but None; give uint8"),
        ("photo.jpg", "no NumPy array but a str"),
        (_noise(32, 32, 3).tolist(), "but a list"),
        (_noise(32, 32, 3).astype(np.float32), "is float32; convert it to whole numbers"),
        (_noise(32, 32, 3).astype(np.uint16), "is uint16; convert"),
        (_noise(32, 32, 3) > 9, "is bool; convert"),
        (_noise(32, 32), r"of shape \(32, 32\), is gray; .*COLOR_GRAY2BGR"),
        (_noise(32, 32, 1), "is of 1 channels"),
        (_noise(32, 32, 4), r"of four channels; .*image\[:, :, :3\]"),
        (_noise(1, 32, 32, 3), "is a batch; give one"),
        (_noise(3, 32, 48), r"channels first; .*transpose\(1, 2, 0\)"),
        (_noise(0, 0, 3), "is empty"),
        (_noise(0, 32, 3), "is empty"),
        (_noise(32), "an array of 1 dimensions"),
    ],
)
def test_what_is_no_image(engine: Engine, image: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        engine(image)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["openvino", "pytorch"])
@pytest.mark.parametrize(
    "view",
    [
        lambda image: image[::2, ::2],
        lambda image: image[:, ::-1],
        lambda image: image[..., ::-1],
        lambda image: image.transpose(1, 0, 2),
        lambda image: np.lib.stride_tricks.as_strided(image, writeable=False),
    ],
)
@pytest.mark.filterwarnings("error")
def test_views_are_taken_as_their_copies(name: str, view: Callable[[Image], Image]) -> None:
    image = view(_noise(64, 64, 3))
    with open_engine(LITE, name, (32, 32)) as engine:
        expected = engine(image.copy())
        engine.reset()
        assert np.array_equal(engine(image), expected)


@pytest.mark.parametrize("name", ["strength", "smoothing"])
@pytest.mark.parametrize("value", [2, -1, -0.001, 1.001, float("nan"), None, "1", True, 1j, [1]])
def test_controls_are_numbers_from_0_to_1(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"{name} is .*; give a number from 0 to 1"):
        Controls(**{name: value})


def test_numbers_of_every_kind_are_controls(engine: Engine) -> None:
    image = _noise(32, 32, 3)
    for value in (1, np.float32(0.5), np.int64(1), 0.0):
        engine(image, Controls(value, value))  # type: ignore[arg-type]


def test_controls_are_controls(engine: Engine) -> None:
    with pytest.raises(UsageError, match=r"controls is 0\.5; give Controls"):
        engine(_noise(32, 32, 3), 0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"model": "large"}, "no model 'large'"),
        ({"model": None}, "no model None"),
        ({"model": ["lite"]}, "no model"),
        ({"engine": "foo"}, "no engine 'foo'; choose auto, tensorrt, pytorch or openvino"),
        ({"engine": None}, "no engine None"),
        ({"inference": "256x144"}, r"'256x144' is no size; give \(height, width\).* or \"full\""),
        ({"inference": (0, 0)}, r"\(0, 0\) is no size"),
        ({"inference": (144, 256, 3)}, "is no size"),
        ({"inference": (144.0, 256.0)}, "is no size"),
        ({"inference": 144}, "144 is no size"),
        ({"inference": [144, 256]}, "is no size"),
        ({"inference": (144, 100_000)}, "is no size"),
        ({"device": 0}, "device is 0; give its name"),
        ({"precision": 16}, "precision is 16; give its name"),
        ({"device": ""}, "device is ''; give its name"),
        ({"threads": 0}, "threads is 0; give a whole number from 1"),
        ({"threads": 1.0}, r"threads is 1\.0; give a whole number"),
        ({"threads": True}, "threads is True; give a whole number"),
    ],
)
def test_what_cannot_be_opened(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        open_engine(**({"model": LITE} | arguments))


def test_a_name_and_a_plain_tuple_are_enough() -> None:
    image = _noise(64, 96, 3)
    with open_engine("lite", inference=(np.int64(32), 48)) as engine:  # type: ignore[arg-type]
        engine(image)
        focus = engine.focus_map()
        assert focus is not None
        assert focus.shape == (32, 48)
