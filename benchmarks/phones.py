"""TFLite models on this CPU by XNNPACK, beside the paper's own setting, in one run.

    python benchmarks/phones.py [--threads 1 2] [--runs 15] > phones.json

The paper (section 4.7) ran DMSHN in float32 at half HD, 512x768 here, in 4.80, 2.37 and 0.75 s a
frame on three phones. The same network is converted by the same converter and measured here; what
the others would take on those phones is estimated by the ratio to it, and marked so. Models take
turns, round after round. Milliseconds are medians of the core; `frame_ms` takes in shrinking a
frame of 1280x720 and recomposing it, by OpenCV on one thread.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np

from realtime_bokeh import find_model
from realtime_bokeh.display import libraries_silenced
from realtime_bokeh.export.tflite import Form, Interpreter, convert, describe, quantize
from realtime_bokeh.frame import Image
from realtime_bokeh.recompose import recompose, shrink
from realtime_bokeh.sources.demo import Demo

SMALL, PAPER, HD = (144, 256), (512, 768), (720, 1280)
PAPER_SECONDS = (4.80, 2.37, 0.75)  # of DMSHN on the paper's phones
FLOP_PER_PIXEL = {"lite": 164_508, "dmshn": 652_920, "stacked": 1_305_264}
MODELS = [("lite", p) for p in ("float32", "float16", "int8")]
MODELS += [("dmshn", "float32"), ("dmshn", "int8"), ("stacked", "int8")]


def pictures(size: tuple[int, int], count: int) -> list[Image]:
    scene = Demo(size, live=False)
    frames = (scene.read() for _ in range(count))
    return [f.image[:, :, ::-1].copy() for f in frames if f is not None]


def built(form: Form) -> bytes:
    content = describe(convert(form, form.module()), form.metadata())
    return quantize(form, content, pictures(form.size, 16))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    forms = [Form(find_model(name), SMALL, precision) for name, precision in MODELS]
    forms.append(Form(find_model("dmshn"), PAPER, "float32"))
    contents = []
    for form in forms:
        with libraries_silenced():
            contents.append(built(form))
        print(form.model.name, form.size, form.precision, len(contents[-1]), file=sys.stderr)
    frame = pictures(HD, 1)[0]
    cv2.setNumThreads(1)
    results = []
    for threads in args.threads:
        calls = [
            whole(form, content, threads, frame)
            for form, content in zip(forms, contents, strict=True)
        ]
        cores: list[list[float]] = [[] for _ in forms]
        frames: list[list[float]] = [[] for _ in forms]
        for number in range(args.runs):
            for index, call in enumerate(calls):
                if forms[index].size == PAPER and number >= 5:
                    continue  # it takes seconds
                core, everything = call()
                cores[index].append(core)
                frames[index].append(everything)
        paper = median(cores[-1])
        for form, content, core, everything in zip(forms, contents, cores, frames, strict=True):
            height, width = form.size
            ratio = paper / median(core)
            estimate = [round(seconds * 1e3 / ratio) for seconds in PAPER_SECONDS]
            results.append({
                "model": form.model.name, "size": f"{height}x{width}",
                "precision": form.precision, "threads": threads,
                "megabytes": round(len(content) / 1e6, 2),
                "core_ms": round(median(core) * 1e3, 2),
                "frame_ms": round(median(everything) * 1e3, 2),
                "gflop": round(FLOP_PER_PIXEL[form.model.name] * height * width / 1e9, 1),
                "times_as_fast_as_paper": round(ratio, 1),
                "estimated_ms_on_the_papers_phones": estimate,
            })  # fmt: skip
    print(json.dumps(results, indent=2))


def whole(
    form: Form, content: bytes, threads: int, frame: Image
) -> Callable[[], tuple[float, float]]:
    """Runs a 1280x720 frame once; seconds of the core, and of everything."""
    runtime = Interpreter(content, threads)
    state: list[np.ndarray | None] = [None]  # type: ignore[type-arg]

    def call() -> tuple[float, float]:
        begin = time.perf_counter()
        small = shrink(frame, form.size)
        before = time.perf_counter()
        outputs = runtime(form.inputs(small, state[0]))
        after = time.perf_counter()
        state[0] = outputs["next_state"]
        recompose(frame, outputs["bokeh"][0], outputs["focus"][0, :, :, 0], form.size)
        return after - before, time.perf_counter() - begin

    call()
    return call


if __name__ == "__main__":
    main()
