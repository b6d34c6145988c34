"""How far the engines are from the reference on real photos and clips.

    python benchmarks/parity.py --model lite FILE_OR_FOLDER [...]

For every photo, and for the first frames of every clip, in order: the largest difference of
OpenVINO f32 from PyTorch f32; that of the f16 graph for NVIDIA, run by ONNX Runtime, at 1280x720;
and the PSNR of OpenVINO int8 against OpenVINO f32; all after recomposition. Prints JSON with the
worst and the median.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import onnxruntime

from realtime_bokeh import Controls, find_model, open_engine
from realtime_bokeh.engines.compile import half_frame, portable_graph
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size, content_size
from realtime_bokeh.sources.video import VideoReader
from realtime_bokeh.stills import is_still, read_still

_HD = Size(720, 1280)
_FRAMES = 20  # of a clip
_CLIPS = (".mp4", ".mov", ".mkv")


def pictures(paths: list[Path], frames: int = _FRAMES) -> Iterator[tuple[Image, bool]]:
    """Images, `frames` of a clip at most, and whether each is the first of its file."""
    for path in paths:
        if path.is_dir():
            yield from pictures(sorted(path.iterdir()), frames)
        elif is_still(path) and not path.name.endswith((".mask.png", ".disparity.png")):
            yield read_still(path).image, True
        elif path.suffix in _CLIPS:
            clip = VideoReader(path)
            for number in range(frames):
                frame = clip.read()
                if frame is not None:
                    yield frame.image, number == 0
            clip.close()


class Portable:
    """What a portable engine is built from, run by ONNX Runtime."""

    def __init__(self, model: str) -> None:
        found = find_model(model)
        module = half_frame(found, _HD, content_size(_HD, found.inference_size))
        self._session = onnxruntime.InferenceSession(portable_graph(module))
        self._first = module.blank_inputs()[1].numpy()
        self.reset()

    def reset(self) -> None:
        self._state = self._first

    def __call__(self, image: Image, controls: Controls) -> Image:
        values = np.array([controls.strength, controls.smoothing], np.float32)
        inputs = {"frame": image[None], "state": self._state, "controls": values}
        rendering, self._state = self._session.run(["rendering", "next_state"], inputs)
        return np.asarray(rendering[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="lite")
    parser.add_argument("paths", type=Path, nargs="+")
    args = parser.parse_args()
    model = find_model(args.model)
    reference = open_engine(model, "pytorch")
    reference_hd = open_engine(model, "pytorch")
    portable = Portable(args.model)
    full = open_engine(model, "openvino", precision="f32")
    fast = open_engine(model, "openvino", precision="int8")
    differences: list[int] = []
    half: list[int] = []
    psnr: list[float] = []
    for image, first in pictures(args.paths):
        if first:
            for engine in (reference, full, fast, reference_hd, portable):
                engine.reset()
        expected, ours, quantized = (e(image, Controls()) for e in (reference, full, fast))
        differences.append(int(np.abs(ours.astype(int) - expected).max()))
        hd = cv2.resize(image, _HD[::-1], interpolation=cv2.INTER_AREA)
        hd_half, hd_expected = portable(hd, Controls()), reference_hd(hd, Controls())
        half.append(int(np.abs(hd_half.astype(int) - hd_expected).max()))
        error = ((quantized.astype(float) - ours) ** 2).mean()
        psnr.append(float(10 * np.log10(255**2 / max(error, 1e-6))))
    result = {
        "model": args.model,
        "pictures": len(psnr),
        "f32_openvino_vs_pytorch_max": max(differences),
        "f16_onnxruntime_vs_pytorch_max": max(half),
        "int8_vs_f32_psnr": {"worst": round(min(psnr), 1), "median": round(median(psnr), 1)},
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
