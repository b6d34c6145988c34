"""What can be chosen on this computer for a live run, for the control page."""

import sys

from realtime_bokeh.app.settings import Settings
from realtime_bokeh.engines import ENGINES, check_engine
from realtime_bokeh.errors import BokehError
from realtime_bokeh.panel.models import Choice, Choices
from realtime_bokeh.sources.address import without_secrets
from realtime_bokeh.video4linux import linux_cameras
from realtime_bokeh.weights import models

_DEMO = Choice(name="demo", label="Built-in scene")
_ENGINES = {"openvino": "OpenVINO", "pytorch": "PyTorch", "tensorrt": "TensorRT"}
_SIZES = ("160x90", "256x144", "384x216", "512x288", "640x360")


def choices(settings: Settings) -> Choices:
    """What there is; what the settings say is among it."""
    found = Choices(
        cameras=[*_cameras(), _DEMO],
        models=[Choice(name=model.name, label=model.name) for model in models()],
        engines=[Choice(name="auto", label="Automatic"), *_engines(settings)],
        inference_sizes=[
            Choice(name="auto", label="Automatic"),
            *(Choice(name=size, label=size.replace("x", " x ")) for size in _SIZES),
            Choice(name="full", label="The whole frame"),
        ],
    )
    _hold(found.cameras, settings.camera or "demo")
    _hold(found.engines, settings.engine)
    _hold(found.inference_sizes, str(settings.inference_size or "auto"))
    return found


def first_camera() -> str:
    """The camera to begin with where none was named."""
    return (*_cameras(), _DEMO)[0].name


def _cameras() -> list[Choice]:
    if sys.platform != "linux":  # there OpenCV knows them by their order alone
        return [Choice(name=f"{index}", label=f"Camera {index}") for index in range(2)]
    return [
        Choice(name=path.removeprefix("/dev/video"), label=name or path)
        for path, name in linux_cameras().items()
    ]


def _engines(settings: Settings) -> list[Choice]:
    """Those that can be used here, on the device and in the precision that were asked for."""
    found = []
    for runtime in ENGINES:
        try:
            check_engine(runtime.name, settings.device, settings.precision)
        except BokehError:
            continue
        found.append(Choice(name=runtime.name, label=_ENGINES[runtime.name]))
    return found


def _hold(found: list[Choice], name: str) -> None:
    if name not in [choice.name for choice in found]:
        found.append(Choice(name=name, label=without_secrets(name)))
