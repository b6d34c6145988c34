"""Which GPUs are here, which TensorRT fits them, PyTorch's precisions; PyTorch is not loaded."""

import importlib.util
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from realtime_bokeh.extras import install_hint

Capability = tuple[int, int]  # CUDA compute capability

# in which the engine pytorch computes, by kind of device; kinds and precisions fastest first
PYTORCH_PRECISIONS = {"cuda": ("f16", "f32"), "mps": ("f32",), "cpu": ("f32",)}


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU."""

    name: str
    capability: Capability

    @property
    def runs_rtx(self) -> bool:
        """Whether TensorRT-RTX supports it: GeForce and RTX of Turing and later.

        Its support table has compute capability 7.5, 8.x and 12.x.
        """
        return self.capability == (7, 5) or self.capability[0] in (8, 12)

    @property
    def install_line(self) -> str:
        """What brings the TensorRT that fits it."""
        return install_hint("rtx" if self.runs_rtx else "tensorrt")

    def __str__(self) -> str:
        return f"{self.name} (compute capability {self.capability[0]}.{self.capability[1]})"


def device_kind(device: str) -> str:
    """The kind of a device by its name in any runtime: cuda of "cuda:1", gpu of "GPU.0"."""
    return re.split("[.:]", device)[0].lower()


def nvidia_driver() -> bool:
    """Whether an NVIDIA driver is installed."""
    if Path("/proc/driver/nvidia/version").exists():
        return True
    return sys.platform != "darwin" and shutil.which("nvidia-smi") is not None


def amd_driver() -> bool:
    """Whether AMD's driver for computing (ROCm) is there."""
    return Path("/dev/kfd").exists()


def nvidia_gpus() -> list[Gpu]:
    """What the driver's own tool lists; nothing where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    lines = re.findall(r"^(.+), (\d+)\.(\d+)$", answer.stdout, re.MULTILINE)
    return [Gpu(name.strip(), (int(major), int(minor))) for name, major, minor in lines]


def installed(module: str) -> bool:
    """Whether a module can be found; it is not imported."""
    return importlib.util.find_spec(module) is not None


def tensorrt_module() -> str | None:
    """The TensorRT that is installed, by its module's name; the one for every GPU goes first."""
    return next((name for name in ("tensorrt", "tensorrt_rtx") if installed(name)), None)


def why_not_cuda() -> str | None:
    """Why PyTorch cannot compute on a GPU by CUDA or ROCm; loads it only where a driver is."""
    if not nvidia_driver() and not amd_driver():
        return "no NVIDIA or AMD driver was found"
    if not installed("torch"):
        return f"PyTorch is not installed ({install_hint('torch')})"
    import torch

    if torch.cuda.is_available():
        return None
    built = torch.version.cuda or torch.version.hip
    if built is None:
        return f"PyTorch {torch.__version__} is built for CPUs; install its build for the GPU"
    return f"PyTorch {torch.__version__} finds no GPU; its driver may be too old"


def why_not_tensorrt() -> str | None:
    """Why frames cannot be rendered by TensorRT."""
    if not nvidia_driver():
        return "no NVIDIA driver was found"
    if tensorrt_module() is None:
        here = nvidia_gpus()
        line = here[0].install_line if here else install_hint("tensorrt")
        return f"TensorRT is not installed ({line})"
    return why_not_cuda()
