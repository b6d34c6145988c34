"""A model beside the usual background blur: segmentation, a blur and a blend; in one run.

    python -m benchmarks.alternatives [--model lite] [--frames 200] [--mediapipe FILE]

Two rivals: a blur at a quarter of the size, as fast tools do it, and a Gaussian of the whole
frame. FILE is MediaPipe's selfie segmentation (see training/measure/mediapipe.py). Without it, a
mask that stands still takes its place, and the rivals cost less than they do.

All take turns frame by frame, on all cores, so that a noisy machine disturbs them alike. Prints
JSON: for each, milliseconds a 1280x720 frame and of processor time, by all threads; medians.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_bokeh import open_engine
from realtime_bokeh.frame import Image
from realtime_bokeh.recompose import Recomposer
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.demo import Demo
from training import cli
from training.measure.mediapipe import MediaPipe

_SIZE = Size(720, 1280)
_QUARTER = Size(180, 320)
_SIGMA = 12  # pixels of the frame
_WARM_UP = 10  # frames that are not counted

Mask = Callable[[Image], NDArray[np.float32]]  # float32 [h, w] in [0, 1], 1 on people
Effect = Callable[[Image], Image]


def still_mask(frame: Image) -> NDArray[np.float32]:
    """A head and shoulders, wherever the person is."""
    mask = np.zeros((144, 256), np.float32)
    cv2.ellipse(mask, (128, 144), (64, 100), 0, 0, 360, (1.0,), -1)
    return mask


def blur_at_a_quarter(mask: Mask) -> Effect:
    recompose = Recomposer()

    def effect(frame: Image) -> Image:
        small = cv2.resize(frame, _QUARTER[::-1], interpolation=cv2.INTER_AREA)
        blurred = np.asarray(cv2.GaussianBlur(small, (0, 0), _SIGMA / 4))
        share = np.asarray(cv2.resize(mask(frame), _QUARTER[::-1]))
        return recompose(frame, blurred, share, _QUARTER)

    return effect


def full_gaussian(mask: Mask) -> Effect:
    recompose = Recomposer()

    def effect(frame: Image) -> Image:
        blurred = np.asarray(cv2.GaussianBlur(frame, (0, 0), _SIGMA))
        share = np.asarray(cv2.resize(mask(frame), _SIZE[::-1]))
        return recompose(frame, blurred, share, _SIZE)

    return effect


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="lite")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--mediapipe", type=Path, metavar="FILE")
    args = parser.parse_args()
    mask = MediaPipe(args.mediapipe).mask if args.mediapipe else still_mask
    engine = open_engine(args.model)
    effects: dict[str, Effect] = {
        args.model: engine,
        "quarter_size_blur": blur_at_a_quarter(mask),
        "gaussian_sigma_12": full_gaussian(mask),
    }
    scene = Demo(_SIZE, live=False)
    wall: dict[str, list[float]] = {name: [] for name in effects}
    processor: dict[str, list[float]] = {name: [] for name in effects}
    for _ in range(_WARM_UP + args.frames):
        frame = scene.read()
        assert frame is not None
        for name, effect in effects.items():
            begin, worked = time.perf_counter(), time.process_time()
            effect(frame.image)
            wall[name].append(time.perf_counter() - begin)
            processor[name].append(time.process_time() - worked)
    times = {
        name: {
            "ms": round(median(wall[name][_WARM_UP:]) * 1e3, 2),
            "processor_ms": round(median(processor[name][_WARM_UP:]) * 1e3, 2),
        }
        for name in effects
    }
    left_out = "left out (give its file by --mediapipe): the rivals cost less than they do"
    result = {
        "engine": engine.describe(),
        "segmentation": args.mediapipe.name if args.mediapipe else left_out,
        **times,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    cli.run(main)
