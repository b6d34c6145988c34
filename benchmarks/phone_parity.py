"""How far TFLite models are from the network in PyTorch on real photos and clips.

    python -m benchmarks.phone_parity MODEL.tflite [...] --pictures PATH [...] [--frames 20]

Models are those of `realtime-bokeh export tflite`, whose metadata say what they are. Pictures are
resized to the model's own size, whatever their shape; the state is carried over the frames of a
clip and blank for every photo. What is compared is the picture after recomposition, of a core at
that same size, and the float outputs. Whether they drift apart shows in
`psnr_late`, the median from the 80th frame of a clip on. Prints JSON.
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from benchmarks.parity import pictures
from realtime_bokeh import find_model
from realtime_bokeh.export.compare import Comparison, Difference, in_torch
from realtime_bokeh.export.litert import Interpreter
from realtime_bokeh.export.tflite import TfliteSpec
from realtime_bokeh.sizes import Size

_LATE = 80  # frames


def measured(content: bytes, paths: list[Path], frames: int) -> dict[str, object]:
    runtime = Interpreter(content)
    said = runtime.metadata
    whole_frame = said["form"] == "frame"
    size = Size(*said["size" if whole_frame else "network_size"])
    spec = TfliteSpec(find_model(said["model"]), size, said["precision"], whole_frame)
    comparison = Comparison(spec, runtime, in_torch(spec.module()))
    found: list[Difference] = []
    late: list[float] = []
    for image, first in pictures(paths, frames):
        if first:
            comparison.reset()
            number = 0
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        shown = np.asarray(cv2.resize(rgb, spec.seen[::-1], interpolation=cv2.INTER_AREA))
        found.append(comparison(shown))
        if number >= _LATE:
            late.append(found[-1].psnr)
        number += 1
    psnr = [difference.psnr for difference in found]
    return {
        "model": said["model"], "form": said["form"], "precision": said["precision"],
        "pictures": len(found), "largest_of_255": max(d.levels for d in found),
        "largest_in_floats": max(d.floats for d in found),
        "psnr_worst": round(min(psnr), 1), "psnr_median": round(median(psnr), 1),
        "psnr_late": round(median(late), 1) if late else None,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--pictures", type=Path, nargs="+", required=True)
    parser.add_argument("--frames", type=int, default=20, help="of a clip")
    args = parser.parse_args()
    results = []
    for path in args.models:
        results.append(measured(path.read_bytes(), args.pictures, args.frames))
        print(path, results[-1], file=sys.stderr, flush=True)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
