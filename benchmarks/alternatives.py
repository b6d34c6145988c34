"""The network's blur beside a plain Gaussian blur of the whole frame, in one run.

    python benchmarks/alternatives.py [--model lite] [--frames 200]

A segmentation network and its blend come on top of the Gaussian in the usual background blur, so
it is a lower bound for that. The two alternate frame by frame, so that a noisy machine disturbs
both alike. Prints JSON: milliseconds a 1280x720 frame (medians) and their ratio.
"""

import argparse
import json
import time
from statistics import median

import cv2

from realtime_bokeh import open_engine
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.demo import Demo


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="lite")
    parser.add_argument("--frames", type=int, default=200)
    args = parser.parse_args()
    engine = open_engine(args.model)
    scene = Demo(Size(720, 1280), live=False)
    ours: list[float] = []
    gaussian: list[float] = []
    for _ in range(args.frames):
        frame = scene.read()
        assert frame is not None
        begin = time.perf_counter()
        engine(frame.image)
        middle = time.perf_counter()
        cv2.GaussianBlur(frame.image, (0, 0), 12)
        end = time.perf_counter()
        ours.append(middle - begin)
        gaussian.append(end - middle)
    result = {
        "engine": engine.describe(),
        "bokeh_ms": round(median(ours) * 1e3, 2),
        "gaussian_sigma_12_ms": round(median(gaussian) * 1e3, 2),
        "ratio": round(median(ours) / median(gaussian), 2),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
