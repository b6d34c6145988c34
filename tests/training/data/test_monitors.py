import random

from training.data.layers import Composer
from training.data.monitors import draw_monitor
from training.data.pool import Pool
from training.data.subjects import MASKED


def test_monitors_are_solid_slabs_and_differ() -> None:
    drawn = [draw_monitor(random.Random(seed)) for seed in range(8)]
    for monitor in drawn:
        left, top, right, bottom = monitor.box
        inside = monitor.pixels[3, top : bottom + 1, left : right + 1] > MASKED
        assert inside.float().mean() > 0.5
        middle = monitor.pixels[3, (top + bottom) // 2, (left + right) // 2]
        assert int(middle) == 255
    assert len({tuple(monitor.pixels.shape) for monitor in drawn}) > 4


def test_they_stand_at_a_side_out_of_focus(pool: Pool) -> None:
    for seed in range(20):
        layer = Composer(pool, random.Random(seed), 9 / 16).monitor()
        assert abs(layer.coc) > 0.1
        left, _, width, _ = layer.shot.window
        columns = (layer.shot.pixels[3] > MASKED).any(0).nonzero()
        middle = (float(columns.float().mean()) - left) / width
        assert not 0.25 < middle < 0.75
