"""What works on this computer and what does not, in plain sentences with the remedy."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from realtime_bokeh import weights
from realtime_bokeh.engines import ENGINES
from realtime_bokeh.engines.hardware import amd_driver, nvidia_driver, nvidia_gpus
from realtime_bokeh.errors import BokehError
from realtime_bokeh.sizes import Size


@dataclass(frozen=True)
class Finding:
    """`needed`: whether live use depends on it."""

    subject: str
    works: bool
    sentence: str
    needed: bool = True


def _camera() -> str:
    from realtime_bokeh.sources.camera import Camera, linux_cameras

    at_hand = list(linux_cameras()) if sys.platform == "linux" else ["0"]
    camera = Camera(at_hand[0] if at_hand else "0")
    try:
        return f"{camera.describe()} gives frames."
    finally:
        camera.close()


def _virtual_camera() -> str:
    from realtime_bokeh.sinks.virtual_camera import VirtualCamera

    camera = VirtualCamera(Size(480, 640), 30)
    try:
        return f"{camera.describe()} can be opened."
    finally:
        camera.close(complete=True)


def _weights() -> str:
    names = []
    for model in weights.models():
        for file in model.sha256:
            model.file(file)
        names.append(model.name)
    return f"Models {', '.join(names)} are whole."


def _check(subject: str, test: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, True, test())
    except BokehError as error:
        return Finding(subject, False, f"{error}.")


def _engines() -> list[Finding]:
    found = []
    for row in ENGINES:
        reason = row.missing()
        sentence = "It is installed." if reason is None else f"{reason[0].upper()}{reason[1:]}."
        found.append(Finding(f"engine {row.name}", reason is None, sentence, needed=False))
    usable = any(f.works for f in found)
    sentence = "There is at least one." if usable else "There is none: pip install openvino."
    return [*found, Finding("engine", usable, sentence), *_gpus()]


def _gpus() -> list[Finding]:
    """What is there, and the TensorRT that fits it."""
    found = [
        Finding("GPU", True, f"{gpu}; for TensorRT: {gpu.install_line}.", needed=False)
        for gpu in nvidia_gpus()
    ]
    if found:
        return found
    if nvidia_driver():
        sentence = "An NVIDIA driver is installed, but nvidia-smi lists no GPU."
    elif amd_driver():
        sentence = "An AMD GPU: PyTorch's build for ROCm uses it."
    else:
        sentence = "No NVIDIA or AMD driver: the CPU or Intel graphics are used."
    return [Finding("GPU", amd_driver(), sentence, needed=False)]


def examine() -> list[Finding]:
    """All findings; live use can run when every needed one works."""
    return [
        _check("weights", _weights),
        *_engines(),
        _check("camera", _camera),
        _check("virtual camera", _virtual_camera),
    ]
