import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter  # type: ignore[import-untyped]
from torch import Tensor

from training.fit.losses import (
    SCALES,
    distillation,
    focus_losses,
    losses_with_focus,
    ms_ssim,
    ssim,
    temporal,
)


def _ssim_by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """The formula, one 7x7 window after the other."""
    values = []
    for y in range(a.shape[0] - 6):
        for x in range(a.shape[1] - 6):
            p, q = a[y : y + 7, x : x + 7], b[y : y + 7, x : x + 7]
            cov = ((p - p.mean()) * (q - q.mean())).mean()
            luminance = (2 * p.mean() * q.mean() + 1e-4) / (p.mean() ** 2 + q.mean() ** 2 + 1e-4)
            values.append(luminance * (2 * cov + 9e-4) / (p.var() + q.var() + 9e-4))
    return float(np.mean(values))


def test_ssim_is_the_formula() -> None:
    random = np.random.default_rng(0)
    a, b = random.random((16, 20)), random.random((16, 20))
    ours = ssim(torch.from_numpy(a)[None, None], torch.from_numpy(b)[None, None])
    assert abs(float(ours) - _ssim_by_hand(a, b)) < 1e-9
    assert float(ssim(torch.ones(1, 1, 8, 8), torch.ones(1, 1, 8, 8))) == 1


def test_truth_has_the_least_loss() -> None:
    torch.manual_seed(0)
    sharp, bokeh = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    focus = torch.ones(2, 1, 16, 16)
    focus[..., :3] = 0
    bokeh = torch.where(focus > 0, sharp, bokeh)
    truth = torch.cat([bokeh, (focus - 0.5) * 40], 1)

    def losses(y: Tensor) -> dict[str, float]:
        return {k: float(v) for k, v in losses_with_focus(y, sharp, bokeh, focus).items()}

    assert sum(losses(truth).values()) < 1e-5
    assert all(value > 0.1 for value in losses(-truth).values())
    inverted = losses(torch.cat([bokeh, -truth[:, 3:]], 1))
    assert inverted["rendering"] == losses(truth)["rendering"]
    assert min(inverted["picture"], inverted["focus"]) > 0.03


def _of_halves(height: int, width: int, unsure: slice) -> dict[str, float]:
    """The focus losses of a map whose left half is in focus, unsure in some columns."""
    focus = torch.zeros(1, 1, height, width)
    focus[..., : width // 2] = 1
    logit = (focus - 0.5) * 40
    logit[..., unsure] = 0
    return {name: float(value) for name, value in focus_losses(logit, focus).items()}


def test_an_error_at_the_edge_of_focus_costs_most_whatever_the_size() -> None:
    sure = _of_halves(144, 256, slice(0, 0))
    assert sum(sure.values()) < 1e-5
    far, near = (_of_halves(144, 256, slice(x, x + 4)) for x in (32, 124))
    assert near["focus"] == pytest.approx(4 * far["focus"], rel=1e-3)
    beyond = _of_halves(144, 256, slice(116, 120))
    assert beyond["focus"] == pytest.approx(far["focus"], rel=1e-3)
    twice = _of_halves(288, 512, slice(248, 256))
    assert twice["focus"] == pytest.approx(near["focus"], rel=1e-3)


def test_a_doubt_inside_costs_and_one_outside_or_at_the_edge_does_not() -> None:
    inside, edge, outside = (
        _of_halves(144, 256, slice(x, x + 4))["inside"] for x in (32, 126, 200)
    )
    assert inside == pytest.approx(0.25 * 0.5 * 4 / 256, rel=1e-3)
    assert max(edge, outside) < 1e-5


def test_the_loss_of_the_coarse_map_is_of_whole_regions() -> None:
    """Errors that cancel within a region are nothing to it; a person who is missed is much."""
    focus = torch.full((1, 1, 32, 64), 0.5)
    board = focus.clone()
    board[..., ::2], board[..., 1::2] = 0.1, 0.9
    assert focus_losses(torch.logit(board), focus)["coarse"] < 1e-6
    assert focus_losses(torch.logit(focus + 0.3), focus)["coarse"] > 0.01


def test_to_be_unsure_where_most_are_in_focus_costs_more_than_to_be_sure() -> None:
    """Cross-entropy alone is least at the share of pictures in focus, here 0.8."""
    focus = torch.ones(5, 1, 16, 16)
    focus[0] = 0

    def total(level: float) -> float:
        logit = torch.full_like(focus, level).logit()
        return float(sum(focus_losses(logit, focus).values()))

    assert total(0.9) < total(0.8) < total(0.7)


def _ms_ssim_by_hand(a: np.ndarray, b: np.ndarray) -> float:
    """By scikit-image's windows and maps, one scale after the other."""
    result = 1.0
    for scale, weight in enumerate(SCALES):
        if scale:
            a, b = (x.reshape(len(x) // 2, 2, -1, 2).mean((1, 3)) for x in (a, b))

        def mean(x: np.ndarray) -> np.ndarray:
            return np.asarray(gaussian_filter(x, 1.5, truncate=5 / 1.5)[5:-5, 5:-5])

        ma, mb = mean(a), mean(b)
        va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
        term = (2 * cov + 9e-4) / (va + vb + 9e-4)
        if scale == 4:
            term = term * (2 * ma * mb + 1e-4) / (ma**2 + mb**2 + 1e-4)
        result *= term.mean() ** weight
    return float(result)


def test_ms_ssim_is_the_formula() -> None:
    random = np.random.default_rng(0)
    a = gaussian_filter(random.random((192, 240)), 2) * 3 - 1
    b = gaussian_filter(a, 1) + 0.02 * random.random(a.shape)
    ours = ms_ssim(torch.from_numpy(a)[None, None], torch.from_numpy(b)[None, None])
    assert abs(float(ours) - _ms_ssim_by_hand(a, b)) < 1e-6


def test_ms_ssim_of_small_and_opposite_pictures_is_finite() -> None:
    a = torch.rand(2, 3, 16, 16, requires_grad=True)
    assert abs(float(ms_ssim(a, a).detach()) - 1) < 1e-5
    (slope,) = torch.autograd.grad(1 - ms_ssim(a, 1 - a.detach()), a)
    assert slope.isfinite().all()


def test_change_that_the_truth_has_not_is_a_loss() -> None:
    still = torch.full((4, 3, 8, 8), 0.5)
    assert temporal(still + 0.1, still) < 1e-6
    still[1::2] += 0.2
    assert abs(float(temporal(torch.full_like(still, 0.5), still)) - 0.2) < 1e-6


def test_a_teacher_is_matched_by_its_own_output() -> None:
    torch.manual_seed(0)
    y = torch.cat([torch.rand(1, 3, 16, 16), (torch.rand(1, 1, 16, 16) > 0.5) * 40.0 - 20], 1)
    assert distillation(y, y) < 1e-6
    assert distillation(-y, y) > 0.5
