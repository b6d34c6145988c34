"""What a GPU gives: our engines beside the authors' code and the machine's floors, in one run.

    python benchmarks/gpu.py [--authors FOLDER] [--model dmshn ...] [--frames 200] > gpu.json

FOLDER holds the authors' DMSHN.py and stacked_DMSHN.py (saikatdutta/Stacked_DMSHN_bokeh). For every
model, size and engine, after a warm-up: milliseconds of the network by CUDA events; of a frame from
host memory to host memory, one by one; frames a second with two in flight; memory taken from the
GPU; the largest and mean difference from float32. Every figure is synchronised. Everything that is
compared takes turns, round after round. Without a GPU it tries itself on the CPU at a small size.
"""

import argparse
import importlib
import json
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from realtime_bokeh import Controls, find_model, open_engine
from realtime_bokeh.engines import Engine
from realtime_bokeh.engines.hardware import tensorrt_module
from realtime_bokeh.engines.pytorch import PyTorchEngine
from realtime_bokeh.errors import BokehError
from realtime_bokeh.frame import Image
from realtime_bokeh.network.dmshn import build
from realtime_bokeh.sizes import InferenceSize, Size, content_size, padded_size
from realtime_bokeh.sources import demo

CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
# (frame, inference): live use; the network over the whole of HD; the paper's protocol on a photo
SIZES: list[tuple[Size, InferenceSize]] = [
    (Size(720, 1280), Size(144, 256)),
    (Size(720, 1280), "full"),
    (Size(2048, 3072), "full"),
]
TRIAL: list[tuple[Size, InferenceSize]] = [(Size(64, 96), "full")]  # without a GPU
ROUNDS = 5


def percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {"median_ms": round(median(ordered) * 1e3, 3), "p99_ms": round(p99 * 1e3, 3)}


def timed(call: Callable[[], object]) -> float:
    """Seconds of one call on the device, by events where it is a GPU."""
    if not CUDA:
        begin = time.perf_counter()
        call()
        return time.perf_counter() - begin
    began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    began.record()
    call()
    ended.record()
    ended.synchronize()
    return float(began.elapsed_time(ended)) / 1e3


class Compiled(PyTorchEngine):
    """The pytorch engine through torch.compile, to see whether it would be faster."""

    def describe(self) -> str:
        return "torch.compile f16"

    def _open(self, frame: Size, content: Size, small: Size) -> Any:
        assert self._core is not None
        self._core.network.compile()  # in place
        return super()._open(frame, content, small)


def engines(name: str, inference: InferenceSize) -> dict[str, Callable[[], Engine]]:
    model = find_model(name)
    found: dict[str, Callable[[], Engine]] = {
        "pytorch f32": lambda: open_engine(model, "pytorch", inference, precision="f32")
    }
    if CUDA:
        found["pytorch f16"] = lambda: open_engine(model, "pytorch", inference)
        if name == "dmshn" and inference != "full":  # it takes long to get ready
            found["torch.compile f16"] = lambda: Compiled(model, inference, DEVICE, "f16")
        if tensorrt_module():
            found["tensorrt f16"] = lambda: open_engine(model, "tensorrt", inference)
    return found


class Contender:
    """Something that renders frames, with what was measured of it so far."""

    def __init__(self, render: Callable[[Image], Image], engine: Engine | None = None) -> None:
        self.render = render
        self.engine = engine
        self.frame: list[float] = []
        self.network: list[float] = []
        self.fps: list[float] = []
        self.result: dict[str, Any] = {}

    def round(self, images: list[Image], frames: int, network: Callable[[], float]) -> None:
        for index in range(frames):
            begin = time.perf_counter()
            self.render(images[index % len(images)])
            self.frame.append(time.perf_counter() - begin)
            self.network.append(network())
        if self.engine is None:
            return
        begin = time.perf_counter()
        under_way: deque[Callable[[], Image]] = deque()
        for index in range(frames):
            under_way.append(self.engine.begin(images[index % len(images)], Controls()))
            if len(under_way) >= self.engine.in_flight:
                under_way.popleft()()
        while under_way:
            under_way.popleft()()
        self.fps.append(frames / (time.perf_counter() - begin))


def memory_taken(before: int) -> float:
    return round((before - torch.cuda.mem_get_info()[0]) / 1e6, 1) if CUDA else 0.0


def our_contenders(
    name: str, inference: InferenceSize, images: list[Image]
) -> dict[str, Contender]:
    found = {}
    reference: list[Image] = []
    for label, opening in engines(name, inference).items():
        begin = time.perf_counter()
        if CUDA:
            torch.cuda.empty_cache()  # else it would live on what the last one freed
        free = torch.cuda.mem_get_info()[0] if CUDA else 0
        try:
            engine = opening()
            rendered = [engine(image, Controls()) for image in images[:3]]
        except (BokehError, RuntimeError) as error:
            print(f"{label}: {error}", file=sys.stderr)
            found[label] = Contender(lambda image: image)
            found[label].result = {"error": str(error).splitlines()[0]}
            continue
        reference = reference or rendered
        gaps = [np.abs(a.astype(int) - b) for a, b in zip(rendered, reference, strict=True)]
        contender = Contender(lambda image, e=engine: e(image, Controls()), engine)  # type: ignore[misc]
        contender.result = {
            "ready_s": round(time.perf_counter() - begin, 2),
            "memory_mb": memory_taken(free),
            "from_f32_max": int(max(gap.max() for gap in gaps)),
            "from_f32_mean": round(float(np.mean([gap.mean() for gap in gaps])), 4),
        }
        found[label] = contender
    return found


def author_contenders(
    folder: Path, name: str, size: Size, times: dict[str, float]
) -> dict[str, Contender]:
    """Their network over the whole picture in eager PyTorch, as their scripts run it."""
    sys.path.insert(0, str(folder))
    try:
        if name == "stacked":
            network: nn.Module = importlib.import_module("stacked_DMSHN").stacked_DMSHN()
        else:
            network = importlib.import_module("DMSHN").DMSHN()
    finally:
        sys.path.remove(str(folder))
    found = {}
    for label, kind in (("authors f32", torch.float32), ("authors f16", torch.float16)):
        if kind == torch.float16 and not CUDA:
            continue
        net = importlib.import_module("copy").deepcopy(network).eval().to(DEVICE, kind)

        def render(
            image: Image, net: nn.Module = net, kind: torch.dtype = kind, label: str = label
        ) -> Image:
            with torch.inference_mode():
                x = torch.from_numpy(image).to(DEVICE).permute(2, 0, 1)[None].to(kind) / 255
                out: list[Tensor] = []
                times[label] = timed(lambda: out.append(net(x)))
                shown = (out[0].clamp(0, 1) * 255).to(torch.uint8)[0].permute(1, 2, 0)
                rendered: Image = shown.cpu().numpy()
                return rendered

        found[label] = Contender(render)
    return found


def floors(name: str, small: Size, frame: Size, rates: dict[str, float]) -> dict[str, float]:
    """Milliseconds that the arithmetic and the memory traffic take at the measured rates.

    Memory: every convolution reads its input and its weights and writes its output once, in f16.
    """
    moved = 0
    flop = 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal moved, flop
        weight = layer.weight
        assert isinstance(weight, Tensor)
        moved += 2 * (inputs[0].numel() + output.numel() + weight.numel())
        # of a transposed convolution every input pixel meets every weight
        pixels = inputs[0][0, 0] if isinstance(layer, nn.ConvTranspose2d) else output[0, 0]
        flop += 2 * weight.numel() * pixels.numel()

    with torch.device("meta"):
        network = build(*find_model(name).form)
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                layer.register_forward_hook(count)
        network(torch.zeros(1, 3, *small.times(network.finer)))
    return {
        "gflop": round(flop / 1e9, 1),
        "arithmetic_ms": round(flop / rates["matmul_tflops"] / 1e9, 3),
        "memory_ms": round(moved / rates["copy_gb_s"] / 1e6, 3),
        "upload_and_download_ms": round(2 * 3 * frame[0] * frame[1] / rates["host_gb_s"] / 1e6, 3),
    }


def machine_rates() -> dict[str, float]:
    """Measured: f16 matrix product, device copy (bytes read and written), pinned upload."""
    side, bytes_ = (8192, 1 << 30) if CUDA else (512, 1 << 24)
    kind = torch.float16 if CUDA else torch.float32
    a, b = (torch.randn(side, side, device=DEVICE).to(kind) for _ in range(2))
    source = torch.empty(bytes_, dtype=torch.uint8, device=DEVICE)
    target = torch.empty_like(source)
    host = torch.empty(bytes_ // 16, dtype=torch.uint8, pin_memory=CUDA)

    def best(call: Callable[[], object]) -> float:
        return median([timed(call) for _ in range(13)][3:])

    upload = best(lambda: target[: host.numel()].copy_(host, non_blocking=True))
    return {
        "matmul_tflops": round(2 * side**3 / best(lambda: a @ b) / 1e12, 3),
        "copy_gb_s": round(2 * bytes_ / best(lambda: target.copy_(source)) / 1e9, 1),
        "host_gb_s": round(host.numel() / upload / 1e9, 1),
    }


def measure(
    name: str, frame: Size, inference: InferenceSize, authors: Path | None, frames: int, rates: Any
) -> dict[str, Any]:
    images = demo.images(frame, 6)
    content = content_size(frame, inference)
    contenders = our_contenders(name, inference, images)
    times: dict[str, float] = {}
    if authors is not None and name != "lite" and content == frame:
        contenders |= author_contenders(authors, name, frame, times)
    running = {label: c for label, c in contenders.items() if "error" not in c.result}
    for contender in running.values():
        for image in images:
            contender.render(image)
    for _ in range(ROUNDS):
        for label, contender in running.items():
            engine = contender.engine
            network = (lambda e=engine: e.network_seconds) if engine else (lambda k=label: times[k])
            contender.round(images, max(1, frames // ROUNDS), network)
    for contender in running.values():
        contender.result["network"] = percentiles(contender.network)
        contender.result["frame"] = percentiles(contender.frame)
        if contender.fps:
            contender.result["fps_in_flight"] = round(median(contender.fps), 1)
    result: dict[str, Any] = {
        "model": name,
        "frame": str(frame),
        "network_size": str(content),
        "floors": floors(name, padded_size(content), frame, rates),
        "engines": {label: c.result for label, c in contenders.items()},
    }
    base = running.get("authors f32")
    if base is not None:
        result["times_as_fast_as_authors_f32"] = {
            label: round(median(base.frame) / median(c.frame), 2)
            for label, c in running.items()
            if c.engine is not None
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--authors", type=Path, help="folder of the authors' code")
    parser.add_argument("--model", action="append", help="default: lite, dmshn and stacked")
    parser.add_argument("--frames", type=int, default=200)
    args = parser.parse_args()
    rates = machine_rates()
    print(rates, file=sys.stderr)
    results = []
    for frame, inference in SIZES if CUDA else TRIAL:
        for name in args.model or ["lite", "dmshn", "stacked"]:
            results.append(measure(name, frame, inference, args.authors, args.frames, rates))
            print(json.dumps(results[-1]), file=sys.stderr, flush=True)
    machine = {
        "gpu": torch.cuda.get_device_name() if CUDA else "none",
        "torch": torch.__version__,
        "tensorrt": tensorrt_module() or "none",
    }
    print(json.dumps({"machine": machine, "rates": rates, "results": results}, indent=2))


if __name__ == "__main__":
    main()
