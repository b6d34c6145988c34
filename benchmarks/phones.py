"""TFLite models on this CPU by XNNPACK, beside the paper's own setting, in one run.

    python benchmarks/phones.py [--threads 1 2 4] [--runs 15] > phones.json

The paper (section 4.7) ran DMSHN in float32 at half HD, 512x768 here, in 4.80, 2.37 and 0.75 s a
frame on three phones. The same network, layer by layer, is converted by the same converter and
measured here; what the others would take on those phones is estimated by the ratio to it, and
marked so. `layers` says whether transposed convolutions are the network's own or `Upsample`.
Models take turns, round after round. Milliseconds are medians of the core; `frame_ms` takes in
shrinking a frame of 1280x720 and recomposing it, by OpenCV on one thread. Peak memory is what a
process of its own with the runtime alone grows by. `gflop` is the convolutions' arithmetic
as PyTorch counts it, the larger part of a frame's energy; in int8 it costs less of it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from realtime_bokeh import find_model
from realtime_bokeh.app.display import libraries_silenced
from realtime_bokeh.export.litert import Interpreter
from realtime_bokeh.export.tflite import TfliteSpec, convert, describe, quantize
from realtime_bokeh.frame import Image
from realtime_bokeh.recompose import Recomposer, shrink
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import demo

SMALL, PAPER, HD = Size(144, 256), Size(512, 768), Size(720, 1280)
PAPER_SECONDS = (4.80, 2.37, 0.75)  # of DMSHN on the paper's phones
MODELS = [("lite", p) for p in ("f32", "f16", "int8")]
MODELS += [(n, p) for n in ("dmshn", "stacked") for p in ("f32", "f16", "int8")]
SIZES = (Size(96, 160), Size(240, 416))  # of lite in int8, besides
MEMORY = """
import sys
import numpy
from ai_edge_litert.interpreter import Interpreter
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
before = peak()
runtime = Interpreter(model_path=sys.argv[1], num_threads=int(sys.argv[2]))
runtime.allocate_tensors()
for _ in range(3):
    runtime.invoke()
print((peak() - before) / 1e3)
"""


def pictures(size: Size, count: int) -> list[Image]:
    return [image[:, :, ::-1].copy() for image in demo.images(size, count)]


def built(spec: TfliteSpec, rearranged: bool) -> bytes:
    content = describe(convert(spec, rearranged), spec.metadata())
    return quantize(spec, content, pictures(spec.size, 16))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    specs = [TfliteSpec(find_model(name), SMALL, precision) for name, precision in MODELS]
    specs += [TfliteSpec(find_model("lite"), size, "int8") for size in SIZES]
    own = [
        TfliteSpec(find_model("lite"), SMALL, "f32"),
        TfliteSpec(find_model("dmshn"), PAPER, "f32"),
    ]
    layers = ["Upsample"] * len(specs) + ["own"] * len(own)
    specs += own
    contents = []
    for spec, kind in zip(specs, layers, strict=True):
        with libraries_silenced():
            contents.append(built(spec, kind == "Upsample"))
        print(spec.model.name, spec.size, spec.precision, len(contents[-1]), file=sys.stderr)
    frame = pictures(HD, 1)[0]
    cv2.setNumThreads(1)
    results = []
    for threads in args.threads:
        calls = [
            whole_way(spec, content, threads, frame)
            for spec, content in zip(specs, contents, strict=True)
        ]
        cores: list[list[float]] = [[] for _ in specs]
        frames: list[list[float]] = [[] for _ in specs]
        for number in range(args.runs):
            for index, call in enumerate(calls):
                if specs[index].size == PAPER and number >= 5:
                    continue  # it takes seconds
                network_s, frame_s = call()
                cores[index].append(network_s)
                frames[index].append(frame_s)
        paper = median(cores[-1])
        columns = zip(specs, layers, contents, cores, frames, strict=True)
        for spec, kind, content, network, everything in columns:
            ratio = paper / median(network)
            estimate = [round(seconds * 1e3 / ratio) for seconds in PAPER_SECONDS]
            results.append({
                "model": spec.model.name, "size": str(spec.size),
                "precision": spec.precision, "layers": kind, "threads": threads,
                "megabytes": round(len(content) / 1e6, 2),
                "core_ms": round(median(network) * 1e3, 2),
                "frame_ms": round(median(everything) * 1e3, 2),
                "peak_memory_mb": peak_memory(content, threads),
                "gflop": gflop(spec),
                "times_as_fast_as_paper": round(ratio, 1),
                "estimated_ms_on_the_papers_phones": estimate,
            })  # fmt: skip
    print(json.dumps(results, indent=2))


def gflop(spec: TfliteSpec) -> float:
    module = spec.module()
    inputs = spec.inputs(np.zeros((*spec.size, 3), np.uint8))
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(**{name: torch.from_numpy(value) for name, value in inputs.items()})
    return round(float(counter.get_total_flops()) / 1e9, 1)


def peak_memory(content: bytes, threads: int) -> float:
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(content)
        file.flush()
        command = [sys.executable, "-c", MEMORY, file.name, str(threads)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return round(float(said), 1)


def whole_way(
    spec: TfliteSpec, content: bytes, threads: int, frame: Image
) -> Callable[[], tuple[float, float]]:
    """Runs a 1280x720 frame once; seconds of the core, and of everything."""
    runtime = Interpreter(content, threads)
    recompose = Recomposer()
    state: list[NDArray[Any] | None] = [None]

    def call() -> tuple[float, float]:
        begin = time.perf_counter()
        small = shrink(frame, spec.size, spec.model.finer)
        before = time.perf_counter()
        outputs = runtime(spec.inputs(small, state[0]))
        after = time.perf_counter()
        state[0] = outputs["next_state"]
        recompose(frame, outputs["bokeh"][0], outputs["focus"][0, :, :, 0], spec.size)
        return after - before, time.perf_counter() - begin

    call()
    return call


if __name__ == "__main__":
    main()
