"""How well a model keeps people sharp and blurs what is behind them.

    python -m training.evaluate --model lite --data FOLDER [--precision int8] [--pictures DIR]

FOLDER/people holds NAME.jpg and NAME.mask.png. Medians over the photos are printed as JSON, for the
model and, beside it, for a Gaussian blur of the whole picture. With --pictures, before | after |
focus of every photo are written there.
"""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from realtime_bokeh import weights
from realtime_bokeh.engines import Controls, open_engine
from realtime_bokeh.engines.pytorch import load_core
from realtime_bokeh.geometry import content_size
from realtime_bokeh.network.core import first_state
from realtime_bokeh.recompose import shrink

Array = NDArray[Any]
_MARGIN = 8  # pixels off the mask's edge on either side that are not counted


@dataclass(frozen=True)
class Scores:
    """in_focus_psnr: dB, output against input inside the mask eroded by 8 pixels, uint8.

    background_energy: Laplacian energy outside the mask dilated by 8 pixels, over the input's.
    focus_iou: of focus > 0.5 and the mask.
    """

    in_focus_psnr: float
    background_energy: float
    focus_iou: float


def in_focus_psnr(image: Array, output: Array, mask: Array) -> float:
    """See `Scores`; image and output uint8 [H, W, 3], mask bool [H, W]."""
    inside = _moved(mask, cv2.erode)
    difference = image[inside].astype(np.float64) - output[inside]
    return float(10 * np.log10(255**2 / max((difference**2).mean(), 1e-6)))


def background_energy(image: Array, output: Array, mask: Array) -> float:
    """See `Scores`."""
    outside = ~_moved(mask, cv2.dilate)

    def energy(picture: Array) -> float:
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float64)
        return float((cv2.Laplacian(grey, cv2.CV_64F)[outside] ** 2).mean())

    return energy(output) / max(energy(image), 1e-9)


def _moved(mask: Array, how: Any) -> Array:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _MARGIN + 1, 2 * _MARGIN + 1))
    return np.asarray(how(mask.astype(np.uint8), kernel)) > 0


class FocusMap:
    """The focus map of a model at a photo's size, by PyTorch."""

    def __init__(self, model: weights.Model) -> None:
        path = model.file(weights.WEIGHTS)
        self._core = load_core(path, model.architecture, model.focus_head)
        self._size = model.inference_size

    @torch.inference_mode()
    def __call__(self, image: Array) -> Array:
        height, width = image.shape[:2]
        content = content_size((height, width), self._size)
        small = torch.from_numpy(shrink(image, content))[None]
        size = (small.shape[1], small.shape[2])
        _, focus, _ = self._core(small, first_state(size), torch.tensor([1.0, 0.0]))
        part = focus[0, : content[0], : content[1], 0].numpy()
        return np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR))


def find(name: str) -> weights.Model:
    """A model by name, or the weights of a run by the path of their file."""
    path = Path(name)
    if path.suffix != ".safetensors":
        return weights.find(name)
    arrays = {k: v.numpy() for k, v in load_file(name).items()}
    architecture, focus_head = weights.recognise(arrays)
    size = weights.load_manifest(weights.SHIPPED / architecture).inference_size
    digest = {path.name: weights.file_sha256(path)}
    return weights.Model(name, architecture, focus_head, size, digest, "a run", folder=path.parent)


def evaluate(
    model: weights.Model, folder: Path, precision: str | None, pictures: Path | None
) -> dict[str, Any]:
    """Medians of `Scores` over a folder of photos with masks."""
    runtime = "openvino" if model.precisions() else "pytorch"
    engine = open_engine(model, runtime, precision=precision).engine
    focus_map = FocusMap(model)
    ours: list[Scores] = []
    gaussian: list[Scores] = []
    for path in sorted(folder.glob("*.jpg")):
        image = np.asarray(cv2.imread(str(path)))
        mask = (
            np.asarray(cv2.imread(str(path.with_suffix(".mask.png")), cv2.IMREAD_GRAYSCALE)) > 127
        )
        engine.reset()
        output = engine(image, Controls(1.0, 0.0))
        focus = focus_map(image)
        sharp = focus > 0.5
        iou = float((sharp & mask).sum() / max((sharp | mask).sum(), 1))
        ours.append(
            Scores(in_focus_psnr(image, output, mask), background_energy(image, output, mask), iou)
        )
        blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.009 * max(image.shape)))
        gaussian.append(
            Scores(in_focus_psnr(image, blurred, mask), background_energy(image, blurred, mask), 0)
        )
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
            grey = cv2.cvtColor((focus * 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
            cv2.imwrite(str(pictures / path.name), np.hstack([image, output, grey]))
    if not ours:
        sys.exit(f"There are no photos with masks in {folder}")

    def summary(scores: list[Scores]) -> dict[str, float]:
        names = ("in_focus_psnr", "background_energy", "focus_iou")
        return {n: round(median(getattr(s, n) for s in scores), 4) for n in names}

    return {
        "model": model.name,
        "engine": engine.describe(),
        "photos": len(ours),
        "medians": summary(ours),
        "whole-picture Gaussian": summary(gaussian),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="name, or a run's weights.safetensors")
    parser.add_argument("--data", type=Path, required=True, help="folder with people/ in it")
    parser.add_argument("--precision", choices=("f32", "int8"))
    parser.add_argument("--pictures", type=Path, help="folder for before | after | focus")
    parser.add_argument("--record", action="store_true", help="write the medians to the manifest")
    args = parser.parse_args()
    model = find(args.model)
    result = evaluate(model, args.data / "people", args.precision, args.pictures)
    if args.record:
        weights.save_manifest(replace(model, metrics=result["medians"]))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
