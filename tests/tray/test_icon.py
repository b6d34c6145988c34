import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import realtime_bokeh.panel
from realtime_bokeh.tray.icon import draw
from realtime_bokeh.tray.menu import Look


@pytest.mark.parametrize("size", [16, 22, 64])
def test_it_has_the_size_and_clear_corners(size: int) -> None:
    image = draw(Look.RUNNING, size)
    assert (image.size, image.mode) == ((size, size), "RGBA")
    alpha = np.asarray(image)[..., 3]
    assert alpha[0, 0] < 64
    assert alpha[size // 2, size // 2] == 255


@pytest.mark.parametrize("pair", list(combinations(Look, 2)), ids=str)
def test_looks_are_told_apart_without_color_in_a_small_tray(pair: tuple[Look, Look]) -> None:
    first, second = (np.asarray(draw(look, 22).convert("L"), float) for look in pair)
    assert np.abs(first - second).max() > 40


def test_it_is_the_page_s_icon() -> None:
    """Its shapes lie where those of icon.svg do, in their colors."""
    svg = (Path(realtime_bokeh.panel.__file__).parent / "static/icon.svg").read_text("utf-8")
    circles = re.findall(
        r'cx="(\d+)" cy="(\d+)" r="(\d+)" fill="#(\w+)" fill-opacity="([\d.]+)"', svg
    )
    assert len(circles) == 4
    ground = np.array([0x1F, 0x2E, 0x34])
    image = np.asarray(draw(Look.RUNNING, 64), float)[..., :3]
    for x, y, radius, color, opacity in circles[:3]:
        light = np.array([int(color[i : i + 2], 16) for i in (0, 2, 4)])
        expected = ground + float(opacity) * (light - ground)
        # near its upper edge, where no other lies over it
        found = image[int(y) - int(radius) + 3, int(x)]
        assert np.abs(found - expected).max() < 6, (x, y)
