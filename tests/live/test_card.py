import numpy as np
import pytest

from realtime_bokeh.live.card import card
from realtime_bokeh.sizes import Size


@pytest.mark.parametrize(
    "size", [Size(480, 640), Size(720, 1280), Size(1280, 720), Size(16, 16), Size(31, 333)]
)
def test_the_card_has_the_size_and_its_text_stays_inside(size: Size) -> None:
    image = card(size, "The camera gives no pictures; trying again, with longer pauses")
    assert image.shape == (*size, 3)
    assert image.dtype == np.uint8
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert (edge == image[0, 0]).all()
    assert image.min() < 100


def test_the_text_can_be_seen() -> None:
    image = card(Size(480, 640), "Hello")
    assert (image.max(2) > 180).mean() > 0.0005
