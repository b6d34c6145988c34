import numpy as np
import pytest

from realtime_bokeh.app.card import holding_card
from realtime_bokeh.sizes import Size


@pytest.mark.parametrize(
    "size", [Size(480, 640), Size(720, 1280), Size(1280, 720), Size(16, 16), Size(31, 333)]
)
def test_the_card_has_the_size_and_its_text_stays_inside(size: Size) -> None:
    card = holding_card(size, "Realtime Bokeh: no picture yet")
    assert card.shape == (*size, 3)
    assert card.dtype == np.uint8
    edge = np.concatenate([card[0], card[-1], card[:, 0], card[:, -1]])
    assert (edge == card[0, 0]).all()
    assert card.min() < 100


def test_the_text_can_be_seen() -> None:
    card = holding_card(Size(480, 640), "Hello")
    assert (card.max(2) > 180).mean() > 0.005
