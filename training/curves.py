"""Draw how runs went: the loss and the picture's PSNR over hours of training.

    python -m training.curves --run lite=runs/lite --run dmshn=runs/dmshn --out curves.png

Values are means over the steps between two reports, on the samples trained on. Dashed: the PSNR
that the sharp input would have. A stage on focus alone has no PSNR.
"""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from realtime_bokeh.errors import UsageError
from realtime_bokeh.files import reason, write_atomically
from training import cli

Line = dict[str, float]

_ENDINGS = (".png", ".svg", ".pdf")
_PSNR = ("psnr", "psnr_identity")
_SMOOTHED = 5  # reports that a point of a curve is the mean of


def read_run(folder: Path) -> list[Line]:
    """The reports of a run, see `Trainer.report`.

    Raises:
        UsageError: when there are none, or the file is none of ours.
    """
    path = folder / "metrics.jsonl"
    try:
        lines: list[Line] = [json.loads(line) for line in path.read_text().splitlines()]
        if not lines:
            raise UsageError(f"{path} has no reports yet; the run has to take 100 steps first")
        return [{name: line[name] for name in ("hours", "loss", *(n for n in _PSNR if n in line))}
                for line in lines]  # fmt: skip
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({reason(error)}); give a run's folder") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} holds no reports of a run ({error!r})") from error


def _curve(lines: Sequence[Line], name: str) -> list[float]:
    """A value's running mean over the latest reports."""
    values = [line[name] for line in lines]
    parts = (values[max(0, i + 1 - _SMOOTHED) : i + 1] for i in range(len(values)))
    return [sum(part) / len(part) for part in parts]


def draw(runs: Mapping[str, Sequence[Line]]) -> Figure:
    """A figure of two plots, a colour for each run."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, pictures = figure.subplots(1, 2)
    for number, (name, lines) in enumerate(runs.items()):
        hours, colour = [line["hours"] for line in lines], f"C{number}"
        losses.plot(hours, _curve(lines, "loss"), color=colour, label=name)
        seen = [line for line in lines if "psnr" in line]
        hours = [line["hours"] for line in seen]
        pictures.plot(hours, _curve(seen, "psnr"), color=colour, label=name)
        pictures.plot(hours, _curve(seen, "psnr_identity"), "--", color=colour, linewidth=0.8)
    for axes, title in ((losses, "loss"), (pictures, "PSNR of the recomposed picture, dB")):
        axes.set(title=title, xlabel="hours of training")
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--run", action="append", required=True, metavar="NAME=FOLDER")
    parser.add_argument("--out", type=Path, required=True, help="a .png, .svg or .pdf file")
    args = parser.parse_args()
    if args.out.suffix not in _ENDINGS:
        raise UsageError(f"{args.out} must end with {', '.join(_ENDINGS)}")
    runs = cli.named_paths("--run", args.run)
    figure = draw({name: read_run(path) for name, path in runs.items()})
    coded = io.BytesIO()
    figure.savefig(coded, format=args.out.suffix[1:], dpi=80)
    write_atomically(args.out, coded.getvalue())


if __name__ == "__main__":
    cli.run(main)
