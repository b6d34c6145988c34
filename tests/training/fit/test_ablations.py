import torch

from realtime_bokeh.network.dmshn import build
from training.fit.ablations import build_network
from training.fit.presets import PRESETS


def test_without_residuals_the_parameters_are_the_same_and_the_function_is_not() -> None:
    network, whole = build_network(PRESETS["paper-no-residuals"]), build("dmshn", False)
    network.load_state_dict(whole.state_dict())
    x = torch.rand(1, 3, 16, 32)
    with torch.inference_mode():
        assert network(x).shape == (1, 3, 16, 32)
        assert not torch.allclose(network(x), whole(x), atol=1e-3)


def test_depth_is_seen_at_every_scale_and_kept_as_it_is() -> None:
    network = build_network(PRESETS["paper-depth"]).double()
    whole = build("dmshn", False).double()
    state = dict(whole.state_dict())
    own = network.state_dict()
    for level in (1, 2, 3):
        name = f"encoder_lv{level}.layer1.weight"
        state[name] = torch.cat([state[name], torch.zeros_like(own[name][:, 3:])], 1)
    network.load_state_dict(state)
    x = torch.rand(1, 4, 16, 32, dtype=torch.float64)
    with torch.inference_mode():
        # blind to depth it is DMSHN
        assert torch.allclose(network(x), whole(x[:, :3]))
        for level in (1, 2, 3):
            seeing = {k: v.clone() for k, v in state.items()}
            seeing[f"encoder_lv{level}.layer1.weight"][:, 3] = 0.1
            network.load_state_dict(seeing)
            assert not torch.allclose(network(x), whole(x[:, :3]), atol=1e-4)


def test_every_run_begins_alike() -> None:
    one, two = (build_network(PRESETS["lite"]).state_dict() for _ in range(2))
    assert all(torch.equal(one[k], two[k]) for k in one)
