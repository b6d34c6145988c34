"""Engines to compile ahead: what a recipe says, and building it."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from realtime_bokeh import weights
from realtime_bokeh.app.settings import load_settings, read_toml
from realtime_bokeh.engines import cache
from realtime_bokeh.engines.hardware import installed, why_not_tensorrt
from realtime_bokeh.errors import EngineError, UsageError
from realtime_bokeh.extras import install_hint
from realtime_bokeh.sizes import content_size


@dataclass(frozen=True)
class Recipe:
    """One engine.

    model: by name. size: of frames, such as "1280x720".
    inference_size: "full", or such as "256x144"; None is the model's own.
    portable: for any GeForce or RTX GPU, not for the one at hand. turing: 7.5 as well.
    """

    model: str
    size: str = "1280x720"
    inference_size: str | None = None
    portable: bool = False
    turing: bool = False

    def __str__(self) -> str:
        inner = f", network at {self.inference_size}" if self.inference_size else ""
        return f"{self.model} for {self.size}{inner}"


def load_recipes(path: Path) -> list[Recipe]:
    """Every `[[engine]]` of a TOML file.

    Raises:
        UsageError: when it cannot be read, or an entry has an unknown key or a wrong value.
    """
    entries = read_toml("--recipe", path).get("engine")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"--recipe {path} has no [[engine]] tables")
    return [_recipe(path, entry) for entry in entries]


def _recipe(path: Path, entry: dict[str, Any]) -> Recipe:
    types = {f.name: bool if f.name in ("portable", "turing") else str for f in fields(Recipe)}
    for name, value in entry.items():
        if name not in types:
            raise UsageError(f"--recipe {path}: {name!r} is unknown; there are {', '.join(types)}")
        if not isinstance(value, types[name]):
            kind = "true or false" if types[name] is bool else "a text in quotes"
            raise UsageError(f"--recipe {path}: {name} = {value!r} is not {kind}")
    if "model" not in entry:
        raise UsageError(f"--recipe {path}: an [[engine]] has no model")
    return Recipe(**entry)


def build(recipe: Recipe, into: Path | None, begin: Callable[[], None]) -> tuple[Path, bool]:
    """Compile an engine, unless the cache has it.

    Args:
        into: a folder to write it to, instead of the cache.
        begin: called when something is compiled at all.

    Returns:
        Its path, and whether it was compiled now.

    Raises:
        UsageError: for a size that is none or an unknown model.
        EngineError: when it cannot be compiled here.
    """
    model = weights.find(recipe.model)
    settings = load_settings(None, {"size": recipe.size, "inference_size": recipe.inference_size})
    assert settings.size is not None
    content = content_size(settings.size, settings.inference_size or model.inference_size)
    trt, gpu = _target(recipe)
    from realtime_bokeh.engines.tensorrt import compile_engine, key_for  # loads PyTorch

    key = key_for(trt, model, settings.size, content, gpu)
    if into is None and cache.load(key) is not None:
        return cache.folder() / key.file_name, False
    begin()
    return cache.store(key, compile_engine(trt, model, key), into), True


def _target(recipe: Recipe) -> tuple[Any, str]:
    """TensorRT's module, and the GPU to compile for."""
    if recipe.portable:
        if not installed("tensorrt_rtx"):
            raise EngineError(f"Portable engines are built by TensorRT-RTX; {install_hint('rtx')}")
        gpu = cache.PORTABLE_FROM_TURING if recipe.turing else cache.PORTABLE
        return importlib.import_module("tensorrt_rtx"), gpu
    if recipe.turing:
        raise UsageError(f"{recipe}: turing is for portable engines; add --portable")
    reason = why_not_tensorrt()
    if reason is not None:
        raise EngineError(
            f"No engine can be compiled for a GPU here: {reason} (--portable needs none)"
        )
    from realtime_bokeh.engines.tensorrt import gpu_at, load_runtime

    return load_runtime(), str(gpu_at("cuda"))
