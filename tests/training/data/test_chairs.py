import random

import numpy as np
import torch

from training.data.chairs import draw_chair
from training.data.subjects import MASKED, bounding_box


def test_a_chair_stands_on_the_lower_edge_and_is_cut_nowhere_else() -> None:
    for number in range(40):
        chair = draw_chair(random.Random(number))
        mask = chair.pixels[3].numpy()
        assert chair.pixels.dtype == torch.uint8
        assert chair.box == bounding_box(mask)
        assert chair.box[3] == mask.shape[0] - 1
        assert np.count_nonzero(mask > MASKED) > 5_000
        assert not mask[0].any()
        assert not mask[:, 0].any()
        assert not mask[:, -1].any()


def test_chairs_differ_and_some_let_the_room_through() -> None:
    masks = [draw_chair(random.Random(number)).pixels[3].numpy() for number in range(40)]
    tops = {int(np.nonzero(mask.any(1))[0][0]) for mask in masks}
    assert len(tops) > 15
    mesh = [np.mean((mask > 20) & (mask < 240)) > 0.1 for mask in masks]
    wood = [np.mean(mask[-60:, 140 - 60 : 140 + 60] == 0) > 0.2 for mask in masks]
    assert 3 < sum(mesh) < 25
    assert 3 < sum(wood) < 25


def test_a_chair_follows_from_its_chance_alone() -> None:
    one, same, other = (draw_chair(random.Random(n)).pixels for n in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
