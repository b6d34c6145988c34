"""How far the engines are from the reference on real photos and clips.

    python benchmarks/parity.py --model lite FILE_OR_FOLDER [...]

For every photo, and for the first frames of every clip, in order: the largest difference of
OpenVINO f32 from PyTorch f32, and the PSNR of OpenVINO int8 against OpenVINO f32, after
recomposition. Prints JSON with the worst and the median.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

from realtime_bokeh import Controls, find_model, open_engine
from realtime_bokeh.frame import Image
from realtime_bokeh.sources.video import VideoFile
from realtime_bokeh.stills import is_still, read_still

_FRAMES = 20  # of a clip
_CLIPS = (".mp4", ".mov", ".mkv")


def pictures(paths: list[Path]) -> Iterator[tuple[Image, bool]]:
    """Images, and whether each is the first of its file."""
    for path in paths:
        if path.is_dir():
            yield from pictures(sorted(path.iterdir()))
        elif is_still(path) and not path.name.endswith((".mask.png", ".disparity.png")):
            yield read_still(path).image, True
        elif path.suffix in _CLIPS:
            clip = VideoFile(path)
            for number in range(_FRAMES):
                frame = clip.read()
                if frame is not None:
                    yield frame.image, number == 0
            clip.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="lite")
    parser.add_argument("paths", type=Path, nargs="+")
    args = parser.parse_args()
    model = find_model(args.model)
    reference = open_engine(model, "pytorch").engine
    full = open_engine(model, "openvino", precision="f32").engine
    fast = open_engine(model, "openvino", precision="int8").engine
    differences: list[int] = []
    psnr: list[float] = []
    for image, first in pictures(args.paths):
        if first:
            for engine in (reference, full, fast):
                engine.reset()
        expected, ours, quantized = (e(image, Controls()) for e in (reference, full, fast))
        differences.append(int(np.abs(ours.astype(int) - expected).max()))
        error = ((quantized.astype(float) - ours) ** 2).mean()
        psnr.append(float(10 * np.log10(255**2 / max(error, 1e-6))))
    result = {
        "model": args.model,
        "pictures": len(psnr),
        "f32_openvino_vs_pytorch_max": max(differences),
        "int8_vs_f32_psnr": {"worst": round(min(psnr), 1), "median": round(median(psnr), 1)},
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
