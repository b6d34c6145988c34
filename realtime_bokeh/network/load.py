"""The core with trained weights."""

from pathlib import Path

from safetensors.torch import load_file

from realtime_bokeh.network.core import BokehCore
from realtime_bokeh.network.dmshn import build


def load_core(weights: Path, architecture: str, focus_head: bool) -> BokehCore:
    """The core with the weights of a safetensors file, in float32 on the CPU.

    Raises:
        SafetensorError: when the file is none.
        RuntimeError: when its tensors do not fit.
    """
    network = build(architecture, focus_head)
    network.load_state_dict({k: v.float() for k, v in load_file(str(weights)).items()})
    return BokehCore(network).eval()
