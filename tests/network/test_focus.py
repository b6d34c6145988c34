import torch
from torch.nn import functional as F

from realtime_bokeh.network.focus import focus_map, regressed_focus


def test_regression_tells_kept_detail_from_blurred() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 48, 96)
    blurred = F.avg_pool2d(image, 9, 1, 4, count_include_pad=False)
    bokeh = torch.cat([image[..., :48], blurred[..., 48:]], 3)
    focus = regressed_focus(image, bokeh)
    assert focus.shape == (1, 1, 48, 96)
    assert focus[..., :36].min() > 0.95
    assert focus[..., 60:].max() < 0.3


def test_flat_regions_are_defined() -> None:
    flat = torch.full((1, 3, 32, 32), 0.5)
    assert torch.isfinite(regressed_focus(flat, flat)).all()


def test_head_is_preferred() -> None:
    image = torch.rand(1, 3, 16, 16)
    focus = focus_map(image, image, torch.full((1, 1, 16, 16), -20.0))
    assert focus.max() < 1e-6
