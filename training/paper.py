"""The tables of the paper, with the published numbers beside ours.

    python -m training.paper quality --ebb FOLDER --weights dmshn=FILE stacked=FILE
    python -m training.paper study --key out/study.key.json ratings*.csv
    python -m training.paper ablation --ebb FOLDER --weights no-residuals=FILE
    python -m training.paper runtime

Quality is measured as the authors do on the 294 pairs that they hold out of EBB! (Val294): Lanczos
to 1536x1024, the network, bilinear back to the picture's size, 8 bits; then the metrics of
`training.measure.metrics`. Weights are our .safetensors or the authors' .pth. Published numbers
that we do not have are said to be not at hand.
"""

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.network.dmshn import STRIDE, build, split_output
from realtime_bokeh.sizes import parse_size
from realtime_bokeh.stills import read_still
from training import cli
from training.cli import make_folder, named_paths, write_image, write_json
from training.data.ebb import Ebb
from training.measure.methods import load_network
from training.measure.metrics import Scores, mean_scores, quality, why_no_lpips
from training.measure.report import score_table
from training.rating import score

Values = Mapping[str, float | str | None]

_WIDTH, _HEIGHT = 1536, 1024  # pixels at which the paper runs its networks
_QUALITY = ("psnr", "ssim", "lpips", "ssim_gaussian")
_WARM_UP = 3  # frames
_ABSENT = "not at hand"


def _published(psnr: float, ssim: float, lpips: float) -> Values:
    return {"psnr": psnr, "ssim": ssim, "lpips": lpips}


TABLE_1: dict[str, Values] = {
    "SKN": _published(24.66, 0.8521, 0.3323),
    "DBSI": _published(23.45, 0.8657, 0.2463),
    "PyNET": _published(24.93, 0.8788, 0.2219),
    "DDDF": _published(24.14, 0.8713, 0.2482),
    "BGGAN": _published(24.39, 0.8645, 0.2467),
    "DMSHN": _published(24.65, 0.8765, 0.2289),
    "Stacked DMSHN": _published(24.72, 0.8793, 0.2271),
}
TABLE_2: dict[str, Values] = {name: {"mos": _ABSENT} for name in ("DMSHN", "Stacked DMSHN")}
_ABLATIONS = (
    "without encoder residuals",
    "without stage 2",
    "L1 + 0.1 MS-SSIM in stage 2",
    "depth as a fourth channel",
)
TABLE_3: dict[str, Values] = {
    "DMSHN": TABLE_1["DMSHN"],
    **{name: {"psnr": _ABSENT, "ssim": _ABSENT, "lpips": _ABSENT} for name in _ABLATIONS},
}
_PHONES = {"DMSHN": (4.80, 2.37, 0.75), "Stacked DMSHN": (15.3, 12.5, 5.3)}
TABLE_4: dict[str, Values] = {
    "DMSHN, HD, GTX 1080 Ti": {"seconds": 0.020},
    "Stacked DMSHN, HD, GTX 1080 Ti": {"seconds": 0.040},
    **{
        f"{name}, half HD, TensorFlow Lite, phone {number}": {"seconds": seconds}
        for name, phones in _PHONES.items()
        for number, seconds in enumerate(phones, 1)
    },
}


@torch.inference_mode()
def render(network: nn.Module, image: Image) -> Image:
    """A picture through a network by the paper's protocol; a focus head is not used.

    Args:
        network: on the device where it is to run.
        image: uint8 [H, W, 3] BGR.

    Returns:
        uint8 [H, W, 3] BGR.
    """
    rgb = Pillow.fromarray(np.ascontiguousarray(image[..., ::-1]))
    rgb = rgb.resize((_WIDTH, _HEIGHT), Pillow.Resampling.LANCZOS)
    device = next(network.parameters()).device
    x = torch.from_numpy(np.array(rgb)).to(device).permute(2, 0, 1)[None].float() / 255
    y: Tensor = split_output(network(x))[0]
    y = F.interpolate(y, image.shape[:2], mode="bilinear", align_corners=False)
    levels = (y[0] * 255 + 0.5).clamp(0, 255).byte()  # as torchvision's save_image rounds
    return np.ascontiguousarray(levels.flip(0).permute(1, 2, 0).cpu().numpy())


def measure(network: nn.Module, data: Ebb, name: str, pictures: Path | None) -> Scores:
    """Mean scores over pairs; outputs are kept in a folder as N.png if one is given.

    Raises:
        UsageError: for a picture that cannot be read, or a pair of two sizes.
        SinkError: when an output cannot be written.
    """
    if pictures:
        make_folder(pictures)
    scores = []
    for source, target in track(data.pairs, name, console=Console(stderr=True), transient=True):
        image, truth = read_still(source).image, read_still(target).image
        if image.shape != truth.shape:
            raise UsageError(f"{source} and {target} differ in size; unpack EBB! again")
        output = render(network, image)
        scores.append(quality(output, truth))
        if pictures:
            write_image(pictures / f"{source.stem}.png", output)
    return mean_scores(scores)


def seconds_a_frame(network: nn.Module, height: int, width: int, frames: int) -> float:
    """The median time of a frame in the network alone, in float32; a GPU's work is waited for."""
    device = next(network.parameters()).device
    x = torch.rand(1, 3, height, width, device=device)
    seconds = []
    with torch.inference_mode():
        for _ in range(_WARM_UP + frames):
            begin = time.perf_counter()
            network(x)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[_WARM_UP:])


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _quality(args: argparse.Namespace) -> dict[str, Values]:
    data = Ebb(args.ebb, "val")
    networks = {n: load_network(p) for n, p in named_paths("--weights", args.weights).items()}
    kept = {name: args.pictures / name if args.pictures else None for name in networks}
    return {
        f"{name} (here)": measure(network.to(_device()), data, name, kept[name])
        for name, network in networks.items()
    }


def _study(args: argparse.Namespace) -> dict[str, Values]:
    return {f"{name} (here)": opinion for name, opinion in score(args.key, args.ratings).items()}


def _runtime(args: argparse.Namespace) -> dict[str, Values]:
    height, width = parse_size("--size", args.size)
    if width % STRIDE or height % STRIDE or not width or not height:
        raise UsageError(f"--size {args.size}: both must be multiples of {STRIDE}")
    device = _device()
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "this CPU"
    return {
        f"{name}, {args.size}, {where}": {
            "seconds": seconds_a_frame(
                build(name, focus_head=False).eval().to(device), height, width, args.frames
            )
        }
        for name in ("dmshn", "stacked")
    }


_COMMANDS = {
    "quality": (_quality, "Table 1: against other methods on EBB!", TABLE_1, _QUALITY),
    "study": (_study, "Table 2: opinions of people", TABLE_2, ("mos", "interval", "ratings")),
    "ablation": (_quality, "Table 3: what parts of the recipe do", TABLE_3, _QUALITY),
    "runtime": (_runtime, "Table 4: seconds a frame", TABLE_4, ("seconds",)),
}


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    parsers = {}
    for number, (name, (_, title, *_)) in enumerate(_COMMANDS.items(), 1):
        parsers[name] = commands.add_parser(name, aliases=[f"table{number}"], help=title)
        parsers[name].set_defaults(command=name)
        parsers[name].add_argument("--out", type=Path, help="JSON file of the result")
    for name in ("quality", "ablation"):
        command = parsers[name]
        command.add_argument("--ebb", type=Path, required=True, help="folder of EBB!")
        command.add_argument("--weights", nargs="+", required=True, metavar="NAME=FILE")
        command.add_argument("--pictures", type=Path, help="keep outputs as PICTURES/NAME/N.png")
    parsers["study"].add_argument("--key", type=Path, required=True, help="of training.rating")
    parsers["study"].add_argument("ratings", type=Path, nargs="+", help="collected ratings.csv")
    parsers["runtime"].add_argument("--size", default="1280x720", help="(default: 1280x720, HD)")
    parsers["runtime"].add_argument("--frames", type=int, default=10, help="(default: 10)")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    args = _parser().parse_args(arguments)
    measured, title, published, columns = _COMMANDS[args.command]
    ours = measured(args)
    console = Console()
    console.print(score_table(title, {**published, **ours}, columns).rich())
    missing = why_no_lpips() if "lpips" in columns else None
    if missing:
        console.print(missing, highlight=False, soft_wrap=True)
    if args.out:
        notes = [missing] if missing else []
        write_json(args.out, {"published": published, "ours": ours, "notes": notes})


if __name__ == "__main__":
    cli.run(main)
