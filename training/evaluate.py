"""How good models are, beside what one would do without them: numbers and pictures.

    python -m training.evaluate --model lite dmshn --data FOLDER --out out/eval

FOLDER holds any of calls/ and people/ (NAME.jpg, NAME.mask.png), pairs/ (NAME.sharp.jpg,
NAME.bokeh.jpg), clips/ (.mkv, .mp4, .mov) with clip_masks/NAME.mkv and, for synthetic validation,
photographs as for training (people/ and backgrounds/ with disparities). --out gets result.json and
index.html, tables and pictures.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from realtime_bokeh import weights
from realtime_bokeh.errors import UsageError
from realtime_bokeh.sizes import parse_size
from training import cli
from training.data.pool import Pool
from training.measure import protocols
from training.measure.calls import calls, read_groups
from training.measure.clips import clips
from training.measure.mediapipe import MediaPipe
from training.measure.methods import Effect, Network, find
from training.measure.metrics import why_no_lpips
from training.measure.report import Report, Section
from training.measure.several import several

_TEXTS = {
    "calls": "The focus map, at strength 1 and as the program runs it, against careful soft masks, "
    "both at the photo's size and cut at a half: intersection over union, of all and within 4 "
    "pixels of the mask's edge. A photo's source is its name up to the first underscore. "
    "The worst photos of each model are shown.",
    "several": "Two people put together in a picture. Side by side both belong in focus: the "
    "lesser IoU of the two halves. Of two behind each other the further one does not. The worst "
    "pictures of each model are shown.",
    "people": "The person kept: PSNR of output against input inside the mask, 8 pixels off its "
    "edge. The background blurred: its Laplacian energy over the input's, 8 pixels off too. The "
    "focus map, in float32: intersection over union of focus > 0.5 and the mask. Strength 1. The "
    "true mask with a Gaussian is an upper bound for any program with a segmentation network.",
    "pairs": "Real optical bokeh. Every output is given the truth's exposure and white balance (a "
    "gain per channel); every method runs at one setting for all pairs.",
    "synthetic": "Rendered samples of a fixed seed. The network, in float32, sees the input as a "
    "webcam gives it; what is in focus is taken from the picture before noise and compression, "
    "which identity and Gaussian start from too. The temporal error is of the program as it runs, "
    "with its default smoothing, on a rendered clip.",
    "clips": "Real clips: the warping error of Lai et al. (2018) with the input's DIS flow; less "
    "is steadier. Any blur lowers it, so a Gaussian stands beside. With masks: the share of a "
    "person's detailed pixels that keep less than 40% of their Laplacian energy, and the share of "
    "frames in which those are over 5%. The worst frame of each model is shown.",
}
_MATERIAL = {
    "calls": ("calls/*.jpg",),
    "several": ("calls/*.jpg", "backgrounds/*.jpg"),
    "people": ("people/*.jpg",),
    "pairs": ("pairs/*.sharp.jpg",),
    "synthetic": ("backgrounds/*.jpg",),
    "clips": ("clips/*.m*",),
}


def evaluate(
    folder: Path,
    networks: Sequence[Network],
    rivals: Sequence[Effect],
    report: Report,
    kinds: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    frames: int,
    samples: int,
) -> dict[str, Any]:
    """Measure everything that a folder has material for; what it lacks is said in `notes`.

    Args:
        folder: the material, see the module's docstring.
        rivals: what is measured beside the networks.
        kinds: of material, to which it is limited.
        groups: names of photos in calls/, by group.
        report: gets a section for each kind of material.
        frames: of each clip.
        samples: of synthetic validation.

    Raises:
        UsageError: when there is no material at all, or a file of it cannot be used.
    """
    material = {name: _MATERIAL[name] for name in kinds}
    missing = {
        name: [pattern for pattern in patterns if not any(folder.glob(pattern))]
        for name, patterns in material.items()
    }
    if all(missing.values()):
        wanted = dict.fromkeys(pattern for patterns in missing.values() for pattern in patterns)
        raise UsageError(f"{folder} has none of {', '.join(wanted)} to evaluate on")
    effects = [*networks, *rivals]
    measures: dict[str, Callable[[Section], protocols.Result]] = {
        "calls": lambda section: calls(folder / "calls", effects, section, groups),
        "several": lambda section: several(folder, effects, section),
        "people": lambda section: protocols.people(folder / "people", effects, section),
        "pairs": lambda section: protocols.pairs(folder / "pairs", effects, section),
        "synthetic": lambda section: protocols.synthetic(
            Pool(folder), networks, section, samples, frames
        ),
        "clips": lambda section: clips(
            folder / "clips", folder / "clip_masks", effects, section, frames
        ),
    }
    result: dict[str, Any] = {
        "data": str(folder),
        "models": {n.name: {"engine": n.engine, "inference_size": n.size} for n in networks},
    }
    notes = []
    for name, patterns in missing.items():
        if patterns:
            notes.append(f"{name} is left out: {folder} has no {' and no '.join(patterns)}")
        else:
            with Console(stderr=True).status(name):
                result[name] = measures[name](report.section(name, _TEXTS[name]))
    if {"pairs", "synthetic"} & result.keys() and (lpips_missing := why_no_lpips()):
        notes.append(lpips_missing)
    return result | {"notes": notes}


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--model", action="extend", nargs="+", required=True,
                        help="names, or runs' weights.safetensors")  # fmt: skip
    parser.add_argument("--data", type=Path, required=True, help="the material to evaluate on")
    parser.add_argument("--out", type=Path, default=Path("out/eval"), help="folder of the result")
    parser.add_argument("--only", metavar="KIND,KIND", default=",".join(_MATERIAL),
                        help="what to measure (default: %(default)s)")  # fmt: skip
    parser.add_argument("--mediapipe", type=Path, metavar="FILE",
                        help="MediaPipe's selfie segmentation, to stand beside")  # fmt: skip
    parser.add_argument("--groups", type=Path, metavar="FILE.csv",
                        help="lines NAME,GROUP;GROUP: calls/ by group, too")  # fmt: skip
    parser.add_argument("--precision", choices=("f32", "int8"), help="(default: the engine's)")
    parser.add_argument("--inference-size", metavar="WxH", help="(default: the model's)")
    parser.add_argument("--frames", type=int, default=40, help="of each clip (default: 40)")
    parser.add_argument("--samples", type=int, default=48, help="rendered ones (default: 48)")
    parser.add_argument("--record", action="store_true",
                        help="write the medians over people to the models' manifests")  # fmt: skip
    args = parser.parse_args()
    if args.frames < 2 or args.samples < 1:
        raise UsageError("--frames must be at least 2 and --samples at least 1")
    kinds = list(dict.fromkeys(args.only.split(",")))
    if unknown := next((kind for kind in kinds if kind not in _MATERIAL), None):
        raise UsageError(f"--only {unknown!r} is none of {', '.join(_MATERIAL)}")
    groups = read_groups(args.groups) if args.groups else {}
    if groups and "calls" not in kinds:
        raise UsageError("--groups needs calls among the kinds of --only")
    people = "people" in kinds and any(args.data.glob("people/*.jpg"))
    if args.record and (args.inference_size or not people):
        raise UsageError("--record needs people/ in --data, and every model at its own size")
    models = [find(name) for name in dict.fromkeys(args.model)]
    if args.inference_size:
        size = parse_size("--inference-size", args.inference_size)
        models = [replace(model, inference_size=size) for model in models]
    networks = [Network(model, args.precision) for model in models]
    rivals = [MediaPipe(args.mediapipe)] if args.mediapipe else []
    report = Report(args.out, f"Evaluation of {', '.join(n.name for n in networks)}")
    result = evaluate(args.data, networks, rivals, report, kinds, groups, args.frames, args.samples)
    report.text = " ".join(f"{sentence}." for sentence in result["notes"])
    report.save()
    cli.write_json(args.out / "result.json", result)
    console = Console()
    for section in report.sections:
        console.print(*(table.rich() for table in section.tables), sep="\n")
    for sentence in result["notes"]:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    console.print(f"{args.out / 'index.html'} shows the pictures", highlight=False, soft_wrap=True)
    if args.record:
        for model in models:
            medians = result["people"]["medians"][model.name]
            weights.save_manifest(replace(model, metrics=medians))


if __name__ == "__main__":
    cli.run(main)
