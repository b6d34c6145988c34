import numpy as np
import torch

from training.losses import ssim, total


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
    focus = (torch.rand(2, 1, 16, 16) > 0.5).float()
    bokeh = torch.where(focus > 0, sharp, bokeh)
    truth = torch.cat([bokeh, (focus - 0.5) * 40], 1)
    least = float(total(truth, sharp, bokeh, focus))
    assert least < 1e-5
    assert float(total(-truth, sharp, bokeh, focus)) > 1
    inverted = torch.cat([bokeh, -truth[:, 3:]], 1)
    assert float(total(inverted, sharp, bokeh, focus)) > 1
