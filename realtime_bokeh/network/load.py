"""The core with trained weights."""

from pathlib import Path

from safetensors.torch import load_file

from realtime_bokeh.architectures import Form
from realtime_bokeh.network.core import BokehCore
from realtime_bokeh.network.dmshn import build


def load_core(weights: Path, form: Form) -> BokehCore:
    """The core with the weights of a safetensors file, in float32 on the CPU.

    Raises:
        SafetensorError: when the file is none.
        RuntimeError: when its tensors do not fit.
    """
    network = build(*form)
    network.load_state_dict({k: v.float() for k, v in load_file(str(weights)).items()})
    return BokehCore(network, network.finer).eval()
