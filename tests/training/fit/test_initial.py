from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from realtime_bokeh.architectures import FINER, Layout
from realtime_bokeh.errors import UsageError
from realtime_bokeh.network.dmshn import DMSHN, StackedDMSHN, build
from training.fit.initial import load_initial


def test_widened_network_computes_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    narrow, wide = (DMSHN(Layout((a, 2 * a, 4 * a)), focus_head=True) for a in (8, 16))
    path = tmp_path / "narrow.safetensors"
    save_file(narrow.state_dict(), path)
    load_initial(wide, path)
    x = torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        assert torch.allclose(wide(x), narrow(x), atol=1e-4)
    # the copies differ in what they read, so that training can tell them apart
    weight = wide.encoder_lv1.state_dict()["layer5.weight"]
    assert not torch.equal(weight[:, 0::2], weight[:, 1::2])


def test_narrowed_network_has_the_channels_that_weigh_most(tmp_path: Path) -> None:
    """Those that a widened network has more of are nothing here, so it computes the same."""
    torch.manual_seed(0)
    small, large = (DMSHN(Layout((a, 2 * a, 4 * a)), focus_head=True) for a in (8, 16))
    padded = {name: torch.zeros_like(value) for name, value in large.state_dict().items()}
    for name, value in small.state_dict().items():
        # every second channel, but for those of pictures
        steps = (n // m for n, m in zip(padded[name].shape, value.shape, strict=True))
        padded[name][tuple(slice(None, None, step) for step in steps)] = value
    path = tmp_path / "large.safetensors"
    save_file(padded, path)
    again = DMSHN(Layout((8, 16, 32)), focus_head=True)
    load_initial(again, path)
    x = torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        assert torch.allclose(again(x), small(x), atol=1e-5)


def test_narrowed_network_lacks_blocks(tmp_path: Path) -> None:
    """A block that adds nothing can be left out."""
    torch.manual_seed(0)
    deep, shallow = (DMSHN(Layout((8, 16, 32), blocks)) for blocks in ((2, 2, 2), (0, 1, 2)))
    state = deep.state_dict()
    for name in state.keys() - shallow.state_dict().keys():
        state[name].zero_()
    path = tmp_path / "deep.safetensors"
    save_file(state, path)
    load_initial(shallow, path)
    x = torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        assert torch.allclose(shallow(x), deep(x), atol=1e-5)


def test_one_network_fills_both_halves_of_a_stack(tmp_path: Path) -> None:
    single, stack = build("dmshn", True), build("stacked", True)
    path = tmp_path / "dmshn.safetensors"
    save_file(single.state_dict(), path)
    load_initial(stack, path)
    x = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        assert torch.allclose(stack(x), single(single(x)[:, :3]), atol=1e-6)


@pytest.mark.parametrize("kind", [DMSHN, StackedDMSHN])
def test_one_that_sees_finer_computes_the_same_of_averages(
    kind: type[DMSHN | StackedDMSHN], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    plain, fine = (kind(Layout((8, 16, 32)), True, finer).eval() for finer in (1, FINER))
    path = tmp_path / "plain.safetensors"
    save_file(plain.state_dict(), path)
    load_initial(fine, path)
    x = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        expected = plain(torch.nn.functional.avg_pool2d(x, FINER))
        assert torch.allclose(fine(x), expected, atol=1e-5)


def test_what_does_not_fit_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(UsageError, match="other parameters"):
        load_initial(build("lite", True), path)
    save_file(build("lite", True).state_dict(), path)
    with pytest.raises(UsageError, match=r"layer24.weight: .* does not narrow"):
        load_initial(build("lite", False), path)
    path.write_bytes(b"cut")
    with pytest.raises(UsageError, match="not a safetensors file"):
        load_initial(build("lite", True), path)
    with pytest.raises(UsageError, match="does not exist"):
        load_initial(build("lite", True), tmp_path / "none.safetensors")


def test_a_stack_begins_from_one_that_only_renders(tmp_path: Path) -> None:
    path = tmp_path / "authors.pth"
    single, stack = build("dmshn", False), build("stacked", False)
    torch.save(single.state_dict(), path)
    load_initial(stack, path)
    x = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        assert torch.allclose(stack(x), single(single(x)), atol=1e-6)
