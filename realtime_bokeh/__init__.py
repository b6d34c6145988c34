"""Real-time photographic background blur by a trained neural network.

The public names are imported when they are used: importing this package loads nothing heavy.

    from realtime_bokeh import Controls, open_engine

    with open_engine("lite") as engine:
        blurred = engine(image, Controls(strength=1.0, smoothing=0.5))  # uint8 [H, W, 3] BGR
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime_bokeh.engines import open_engine
    from realtime_bokeh.engines.base import Controls, Engine
    from realtime_bokeh.errors import BokehError
    from realtime_bokeh.sizes import Size
    from realtime_bokeh.weights import find as find_model

__version__ = "0.1.0"
__all__ = ["BokehError", "Controls", "Engine", "Size", "find_model", "open_engine"]

_PLACES = {
    "BokehError": ("realtime_bokeh.errors", "BokehError"),
    "Controls": ("realtime_bokeh.engines.base", "Controls"),
    "Engine": ("realtime_bokeh.engines.base", "Engine"),
    "Size": ("realtime_bokeh.sizes", "Size"),
    "find_model": ("realtime_bokeh.weights", "find"),
    "open_engine": ("realtime_bokeh.engines", "open_engine"),
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
