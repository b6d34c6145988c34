import cv2
import numpy as np
import pytest
import torch

from realtime_bokeh.architectures import FINER, Layout
from realtime_bokeh.network.core import BokehCore, BokehFrame, Shrink, first_state
from realtime_bokeh.network.dmshn import DMSHN


@pytest.fixture(params=[1, FINER])
def core(request: pytest.FixtureRequest) -> BokehCore:
    """One that sees what it renders, and one that sees finer."""
    torch.manual_seed(0)
    network = DMSHN(Layout((8, 16, 32)), focus_head=True, finer=request.param)
    return BokehCore(network, request.param).eval()


def test_colours_are_bgr_outside_and_rgb_inside() -> None:
    class Spy(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.seen = x
            return x

    spy = Spy()
    small = torch.zeros(1, 32, 48, 3, dtype=torch.uint8)
    small[..., 2] = 255  # red, in BGR
    bokeh, _, _ = BokehCore(spy)(small, first_state((32, 48)), torch.tensor([1.0, 0.0]))
    assert spy.seen[0, :, 0, 0].tolist() == [1, 0, 0]
    assert bokeh.dtype == torch.uint8
    assert torch.equal(bokeh, small)


def test_strength_zero_is_the_camera(core: BokehCore) -> None:
    frame = torch.randint(0, 256, (1, 90, 160, 3), dtype=torch.uint8)
    whole = BokehFrame(core, (90, 160), (48, 80))
    with torch.inference_mode():
        result, _ = whole(frame, first_state((48, 80)), torch.tensor([0.0, 0.5]))
    assert torch.equal(result, frame)


@pytest.mark.parametrize(("height", "width"), [(90, 160), (160, 90), (101, 67), (32, 32)])
def test_any_frame_size_comes_back(core: BokehCore, height: int, width: int) -> None:
    frame = torch.randint(0, 256, (1, height, width, 3), dtype=torch.uint8)
    content = (33, 59)
    with torch.inference_mode():
        result, state = BokehFrame(core, (height, width), content)(
            frame, first_state((48, 64)), torch.tensor([1.0, 0.5])
        )
    assert result.shape == frame.shape
    assert state.shape == (1, 8, 48, 64)


@pytest.mark.parametrize("small", [(72, 128), (55, 97), (144, 256)])
def test_shrink_is_opencvs_area_average(small: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (144, 256, 3), dtype=np.uint8)
    ours = Shrink((144, 256), small)(torch.from_numpy(image).permute(2, 0, 1)[None].float())
    theirs = cv2.resize(image.astype(np.float32), small[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(ours[0].permute(1, 2, 0).numpy() - theirs).max() < 0.01
