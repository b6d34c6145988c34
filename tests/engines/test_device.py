import numpy as np
import pytest
import torch
from torch import Tensor

from realtime_bokeh.engines import Controls
from realtime_bokeh.engines.device import DeviceLoop, find_device
from realtime_bokeh.errors import UsageError
from realtime_bokeh.sizes import Size

CPU = torch.device("cpu")


class Step:
    """Adds the strength to the frame and counts frames in the state."""

    def __init__(self) -> None:
        self.addresses: set[tuple[int, ...]] = set()

    def __call__(self, frame: Tensor, state: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        self.addresses.add((frame.data_ptr(), state.data_ptr(), controls.data_ptr()))
        state = state + 1
        return frame.half() + controls[0].half() + state[0, 0, 0, 0].half(), state


def test_state_is_carried_until_reset_and_ends_are_uint8() -> None:
    step = Step()
    loop = DeviceLoop(step, Size(4, 6), Size(16, 16), CPU)
    image = np.full((4, 6, 3), 10, np.uint8)
    values = [int(loop.begin(image, Controls(1.0, 0.0))()[0, 0, 0]) for _ in range(3)]
    assert values == [12, 13, 14]
    loop.reset()
    result = loop.begin(image, Controls(0.0, 0.0))()
    assert int(result[0, 0, 0]) == 11
    assert result.dtype == np.uint8
    assert result.shape == image.shape
    assert len(step.addresses) == 1  # what a recorded graph needs
    assert loop.seconds > 0


def test_a_rendering_does_not_change_when_the_next_is_begun() -> None:
    loop = DeviceLoop(Step(), Size(4, 6), Size(16, 16), CPU)
    finish = [loop.begin(np.full((4, 6, 3), i, np.uint8), Controls(0.0, 0.0)) for i in (0, 100)]
    assert [int(f()[0, 0, 0]) for f in finish] == [1, 102]


def test_a_device_is_one_that_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert find_device(None) == find_device("CUDA") == torch.device("cuda")
    assert find_device("cuda:1") == torch.device("cuda", 1)
    for name in ("cuda:2", "cuda:257", "cuda:x", "cuda:", "cuda.1"):
        with pytest.raises(UsageError, match=rf"finds no {name} here; use cuda:0 or cuda:1$"):
            find_device(name)
