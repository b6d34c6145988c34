"""What `evaluate` measures: people, optical pairs, synthetic validation.

Each takes its material, what is compared and a section of the report, to which it adds a table and
pictures, and returns what it found as plain values for JSON. `calls`, `several` and
`clips` are beside it.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime_bokeh.architectures import FINER
from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size
from realtime_bokeh.stills import read_still
from training.data.ebb import gain_match
from training.data.pictures import to_images
from training.data.pool import Pool
from training.data.synthesis import Renderer
from training.measure.methods import GAUSSIAN, Effect, Network, gaussian, segmentation_gaussian
from training.measure.metrics import (
    Mask,
    Scores,
    background_energy,
    in_focus_psnr,
    intersection_over_union,
    mean_scores,
    psnr,
    quality,
    ssim,
    temporal_error,
)
from training.measure.report import Section, score_table

Result = dict[str, Any]

IDENTITY, BLUR, SEGMENTATION = "identity", "whole-image Gaussian", "true mask + Gaussian"
STRENGTHS = tuple(i / 10 for i in range(1, 11))
SIGMAS = (0.001, 0.0015, 0.002, 0.003, 0.004, 0.006, 0.008, 0.012, 0.016)  # over the longer side
CHOSEN_BY = "least sum of ranks in mean PSNR and mean SSIM over the first half of the pairs"
QUALITY = ("psnr", "ssim", "ssim_gaussian", "lpips")
PEOPLE = ("in_focus_psnr", "background_energy", "focus_iou")
SEED = 0  # of synthetic validation
_SHOWN = 8  # synthetic samples


def people(folder: Path, effects: Sequence[Effect], section: Section) -> Result:
    """Medians over photos NAME.jpg with masks NAME.mask.png.

    Raises:
        UsageError: for a photo or a mask that is missing or cannot be read.
    """
    scores: dict[str, list[Scores]] = {}
    paths = sorted(folder.glob("*.jpg"))
    for path in paths:
        image = read_still(path).image
        mask = read_mask(path.with_suffix(".mask.png"), image)
        focus = {effect.name: effect.exact_focus(image) for effect in effects}
        outputs = {IDENTITY: image} | {e.name: e.photo(image) for e in effects}
        outputs |= {BLUR: gaussian(image), SEGMENTATION: segmentation_gaussian(image, mask)}
        for who, output in outputs.items():
            iou = intersection_over_union(focus[who] > 0.5, mask) if who in focus else None
            values = in_focus_psnr(image, output, mask), background_energy(image, output, mask), iou
            scores.setdefault(who, []).append(dict(zip(PEOPLE, values, strict=True)))
            section.show(path.stem, who, output)
            if who in focus:
                section.show(path.stem, f"{who}, focus", (focus[who] * 255).astype(np.uint8))
    medians = {who: _medians(values) for who, values in scores.items()}
    section.tables.append(score_table(f"Medians over {len(paths)} photos", medians, PEOPLE))
    return {"photos": len(paths), "gaussian_sigma": GAUSSIAN, "medians": medians}


def read_mask(path: Path, image: Image) -> Mask:
    """The mask of a photo, bool [h, w]; of a soft one, where it is over a half.

    Raises:
        UsageError: as `read_alpha`.
    """
    return read_alpha(path, image) > 0.5


def read_alpha(path: Path, image: Image) -> NDArray[np.float32]:
    """The soft mask of a photo, float32 [h, w] in [0, 1].

    Raises:
        UsageError: when it is missing, no picture, or not of the photo's size.
    """
    plane = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
    if plane is None or plane.shape != image.shape[:2]:
        raise UsageError(f"{path} is missing, not a picture, or not of its photo's size")
    return np.asarray(plane, np.float32) / np.float32(255)


def _medians(scores: Sequence[Scores]) -> Scores:
    values = {n: [v for s in scores if (v := s[n]) is not None] for n in scores[0]}
    return {n: round(median(found), 4) if found else None for n, found in values.items()}


Pair = tuple[Image, Image]  # sharp, bokeh


@dataclass(frozen=True)
class Method:
    """Renders a picture at a setting, such as a strength, of which one has to be chosen."""

    render: Callable[[Image, float], Image]
    unit: str
    settings: Sequence[float]

    def outputs(self, pairs: Sequence[Pair], setting: float) -> list[Image]:
        """Of every pair, with the gains of its bokeh."""
        return [gain_match(self.render(sharp, setting), bokeh) for sharp, bokeh in pairs]

    def choose(self, pairs: Sequence[Pair]) -> float:
        """The setting that suits a lens, see `CHOSEN_BY`; of equals, the first."""
        means = []
        for setting in self.settings:
            both = list(zip(self.outputs(pairs, setting), (b for _, b in pairs), strict=True))
            means.append([np.mean([metric(*pair) for pair in both]) for metric in (psnr, ssim)])
        ranks = (-np.array(means)).argsort(0).argsort(0)
        return self.settings[int(ranks.sum(1).argmin())]


def pairs(folder: Path, effects: Sequence[Effect], section: Section) -> Result:
    """Means over optical pairs NAME.sharp.jpg, NAME.bokeh.jpg, each method at one setting.

    Raises:
        UsageError: for a picture that is missing or cannot be read, or a pair of two sizes.
    """
    names, data = zip(*_pairs(folder), strict=True)
    first = (len(names) + 1) // 2
    methods = {IDENTITY: Method(lambda image, _: image, "", (0.0,))}
    methods |= {e.name: Method(e.photo, "strength", STRENGTHS) for e in effects}
    methods[BLUR] = Method(gaussian, "sigma", SIGMAS)
    settings = {who: method.choose(data[:first]) for who, method in methods.items()}
    scores: dict[str, list[Scores]] = {}
    for who, method in methods.items():
        outputs = method.outputs(data, settings[who])
        scores[who] = [quality(o, bokeh) for o, (_, bokeh) in zip(outputs, data, strict=True)]
        for name, output in zip(names, outputs, strict=True):
            section.show(name, who, output)
    for name, (_, bokeh) in zip(names, data, strict=True):
        section.show(name, "truth", bokeh)
    chosen = {w: f"{m.unit} {settings[w]:g}" for w, m in methods.items() if len(m.settings) > 1}
    labels = {who: f"{who}, {chosen[who]}" if who in chosen else who for who in methods}
    means: dict[str, dict[str, Scores]] = {}
    half, rest = slice(first), slice(first, None)
    for part, which in (("all", slice(None)), ("chosen half", half), ("other half", rest)):
        if names[which]:
            means[part] = {who: mean_scores(values[which]) for who, values in scores.items()}
            rows = {labels[who]: values for who, values in means[part].items()}
            title = f"Means over {len(names[which])} pairs: {part}"
            section.tables.append(score_table(title, rows, QUALITY))
    section.text += f" Settings have the {CHOSEN_BY}; sigma is over the longer side."
    return {
        "pairs": len(names),
        "chosen_by": CHOSEN_BY,
        "chosen_on": names[:first],
        "chosen": chosen,
        "means": means,
    }


def _pairs(folder: Path) -> Iterator[tuple[str, Pair]]:
    for path in sorted(folder.glob("*.sharp.jpg")):
        name = path.name.removesuffix(".sharp.jpg")
        sharp, bokeh = (read_still(p).image for p in (path, folder / f"{name}.bokeh.jpg"))
        if sharp.shape != bokeh.shape:
            raise UsageError(f"{path} and its .bokeh.jpg differ in size")
        yield name, (sharp, bokeh)


def synthetic(
    pool: Pool, networks: Sequence[Network], section: Section, samples: int, frames: int
) -> Result:
    """Means over rendered samples of a fixed seed, at each size at which a model runs; and over a
    rendered clip, how unlike the truth its changes in time are."""
    means: dict[str, Scores] = {}
    for size in dict.fromkeys(network.size for network in networks):
        members = [network for network in networks if network.size == size]
        renderer = Renderer(pool, SEED, finer=FINER)
        means |= _synthetic(renderer, members, section, samples, frames)
    title = f"Means over {samples} samples"
    section.tables.append(score_table(title, means, (*QUALITY, "focus_iou")))
    title = f"A rendered clip of {frames} frames"
    section.tables.append(score_table(title, means, ("temporal_error",)))
    return {"samples": samples, "seed": SEED, "frames": frames, "means": means}


def _synthetic(
    renderer: Renderer, networks: Sequence[Network], section: Section, samples: int, frames: int
) -> dict[str, Scores]:
    height, width = networks[0].size
    label = f"{width}x{height}"
    batch = renderer.batch(range(samples), height, width)
    moving_one = next(n for n in itertools.count() if renderer.moves(n, height, width))
    clip = renderer.clip(moving_one, frames, height, width)
    assert batch.bokeh is not None
    assert clip.bokeh is not None
    inputs, sharp, truth = (to_images(part) for part in (batch.input, batch.sharp, batch.bokeh))
    masks = [np.asarray(mask[0].cpu()) > 0.5 for mask in batch.focus]
    frames_seen, moving_truth = to_images(clip.input), to_images(clip.bokeh)
    moving = _shrunk(frames_seen, networks[0].size)

    outputs = {f"{IDENTITY}, {label}": sharp}
    extra: dict[str, Scores] = {
        f"{IDENTITY}, {label}": {"temporal_error": temporal_error(moving, moving_truth)}
    }
    for network in networks:
        parts = [network.parts(*pair) for pair in zip(inputs, sharp, strict=True)]
        outputs[network.name] = [picture for picture, _ in parts]
        focus = [share > 0.5 for _, share in parts]
        extra[network.name] = {
            "focus_iou": float(np.mean(list(map(intersection_over_union, focus, masks)))),
            "temporal_error": temporal_error(
                _shrunk([image for image, _ in network.clip(frames_seen)], network.size),
                moving_truth,
            ),
        }
    blurred = {sigma: [gaussian(image, sigma) for image in sharp] for sigma in SIGMAS}
    best = max(SIGMAS, key=lambda sigma: sum(map(psnr, blurred[sigma], truth)))
    outputs[f"{BLUR}, {label}"] = blurred[best]
    extra[f"{BLUR}, {label}"] = {
        "temporal_error": temporal_error([gaussian(f, best) for f in moving], moving_truth)
    }
    section.text += f" The best Gaussian at {label} has sigma {best:g} of the longer side."
    scores = {
        who: mean_scores(list(map(quality, pictures, truth))) | extra[who]
        for who, pictures in outputs.items()
    }
    shown = {"input": inputs} | outputs | {"truth": truth}
    for number in range(min(_SHOWN, samples)):
        for who, pictures in shown.items():
            section.show(f"sample {number}, {label}", who, pictures[number])
    return scores


def _shrunk(images: Sequence[Image], size: Size) -> list[Image]:
    return [np.asarray(cv2.resize(i, size[::-1], interpolation=cv2.INTER_AREA)) for i in images]
