import torch

from realtime_bokeh.network.dmshn import DMSHN, StackedDMSHN
from training.release import refocused


def test_focus_is_surer_and_the_rendering_as_it_was() -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 3, 32, 48)
    for network in (DMSHN(8, focus_head=True), StackedDMSHN(8, focus_head=True)):
        network.eval()
        with torch.no_grad():
            before = network(x)
            network.load_state_dict(refocused(network.state_dict(), 1.5, 0.5))
            after = network(x)
        assert torch.equal(after[:, :3], before[:, :3])
        assert torch.allclose(after[:, 3], 1.5 * before[:, 3] + 0.5, atol=1e-6)
