"""Turn a run's weights into a shipped model: graphs, int8 scales, manifest.

    python -m training.release --model lite --weights runs/lite/weights.safetensors \\
        --data FOLDER --origin "how it was made" [--size 256x144] [--focus 1.5 0.5] \\
        [--began BEFORE --share 0.65]
    python -m training.release --paper

FOLDER holds the training photographs; int8 is calibrated on samples rendered from them. --focus
makes the focus map surer (a gain of its logit) and readier to keep (a bias): training shows many
pictures without anybody, a camera mostly somebody. Choose both on training photographs. --began
takes the weights a share of the way from those that the run began with to its own: of a short run
on new pictures that keeps what it learnt and loses less of what was known before (Wortsman et al.,
"Robust fine-tuning of zero-shot models", CVPR 2022). --paper writes the graphs of the paper's
networks without the focus head, into which imported checkpoints fit; they need no data.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from realtime_bokeh import weights
from realtime_bokeh.architectures import ARCHITECTURES, Form
from realtime_bokeh.errors import UsageError
from realtime_bokeh.export.int8 import int8_graph
from realtime_bokeh.export.onnx import core_graph, share_weights
from realtime_bokeh.files import write_atomically
from realtime_bokeh.frame import Image
from realtime_bokeh.network.dmshn import build
from realtime_bokeh.sizes import Size, parse_size
from training import cli
from training.data.pictures import to_images
from training.data.pool import Pool
from training.data.synthesis import Renderer
from training.fit.initial import as_fine
from training.measure.methods import read_weights

_CALIBRATION = 48  # pictures


def calibration(data: Path, size: Size, finer: int) -> list[Image]:
    """Pictures as a network of that inference size sees them, uint8 [finer h, finer w, 3] BGR."""
    batch = Renderer(Pool(data), seed=1, finer=finer).batch(range(_CALIBRATION), *size)
    return to_images(batch.input)


def refocused(state: dict[str, Tensor], gain: float, bias: float) -> dict[str, Tensor]:
    """The parameters of a network whose focus logit is `gain` times what it was, plus `bias`."""
    last = next(name for name in state if name.endswith("decoder_lv1.layer24.weight")
                and len(state[name]) == 4)  # fmt: skip
    result = {name: value.clone() for name, value in state.items()}
    result[last][3] *= gain
    offset = result[last.replace("weight", "bias")]
    offset[3] = gain * offset[3] + bias
    return result


def between(began: Mapping[str, Tensor], ended: Mapping[str, Tensor],
            share: float) -> dict[str, Tensor]:  # fmt: skip
    """Parameters a share in [0, 1] of the way from a run's beginning to its end."""
    return {name: torch.lerp(began[name], value, share) for name, value in ended.items()}


def release(
    name: str,
    source: Path,
    data: Path,
    origin: str,
    size: Size,
    focus: tuple[float, float] = (1.0, 0.0),
    began: Path | None = None,
    share: float = 1.0,
) -> None:
    """Write the folder of a shipped model.

    Args:
        name: of the model, which is its architecture too.
        source: weights of a run.
        data: photographs of which int8 learns the ranges.
        origin: how it was made, for the manifest.
        size: at which it is meant to run.
        focus: gain and bias of `refocused`.
        began: weights that the run began with, for `between`.
        share: of the way from there to its own.

    Raises:
        UsageError: when the weights are no such model's, or there are no photographs; nothing is
            written then.
        SinkError: when a file cannot be written.
    """
    form, state = _read(name, source)
    if began:
        form_before, before = _read(name, began)
        if form_before.finer > form.finer:
            raise UsageError(f"{began} sees finer than {source}, which cannot have begun with it")
        state = between(as_fine(before, state), state, share)
    images = calibration(data, size, form.finer)
    state = refocused(state, *focus)
    with tempfile.TemporaryDirectory() as temporary:
        path = _save_half(state, Path(temporary))
        plain = share_weights(core_graph(path, form), path)
        graphs = {"f32": plain, "int8": int8_graph(path, form, images)}
        files = {weights.GRAPHS[p]: graph.SerializeToString() for p, graph in graphs.items()}
        files[weights.WEIGHTS] = path.read_bytes()
    folder = _write(name, files)
    model = weights.Model(name, name, True, size, {}, origin, folder=folder, finer=form.finer)
    weights.save_manifest(model)


def _read(name: str, source: Path) -> tuple[Form, dict[str, Tensor]]:
    """The form and the parameters, in float32, of a model of that name."""
    arrays, form = read_weights(source)
    if form.architecture != name or not form.focus_head:
        head = "" if form.focus_head else " without the focus head"
        raise UsageError(
            f"{source} holds {form.architecture}{head}; {name} with the focus head is due"
        )
    return form, {k: torch.from_numpy(v).float() for k, v in arrays.items()}


def release_paper_graphs() -> None:
    """Write the graphs for imported checkpoints; they only depend on the weights' layout.

    Raises:
        SinkError: when a file cannot be written.
    """
    for architecture in ("dmshn", "stacked"):
        with tempfile.TemporaryDirectory() as temporary:
            network = build(architecture, focus_head=False)
            path = _save_half(network.state_dict(), Path(temporary))
            graph = share_weights(core_graph(path, Form(architecture, False)), path)
            content = graph.SerializeToString()
        _write(f"paper-{architecture}", {weights.GRAPHS["f32"]: content})


def _save_half(state: dict[str, Tensor], folder: Path) -> Path:
    """The file of these parameters in half precision."""
    path = folder / weights.WEIGHTS
    save_file({k: v.half() for k, v in state.items()}, path)
    return path


def _write(name: str, files: Mapping[str, bytes]) -> Path:
    """The folder of a shipped model, with these files in it."""
    folder = weights.SHIPPED / name
    cli.make_folder(folder)
    for file, content in files.items():
        write_atomically(folder / file, content)
    return folder


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--paper", action="store_true",
                        help="only the graphs into which imported checkpoints fit")  # fmt: skip
    parser.add_argument("--model", choices=tuple(ARCHITECTURES), help="which to write")
    parser.add_argument("--weights", type=Path, help="a run's weights.safetensors")
    parser.add_argument("--data", type=Path, help="the training photographs, to calibrate int8")
    parser.add_argument("--origin", default="", help="how it was made, for the manifest")
    parser.add_argument("--size", metavar="WxH",
                        help="at which it is meant to run (default: as now)")  # fmt: skip
    parser.add_argument("--focus", type=float, nargs=2, default=(1.0, 0.0),
                        metavar=("GAIN", "BIAS"),
                        help="of the focus logit (default: 1 0)")  # fmt: skip
    parser.add_argument("--began", type=Path, metavar="FILE",
                        help="weights that the run began with")  # fmt: skip
    parser.add_argument("--share", type=float, default=1.0,
                        help="of the way from there to the run's, 0 to 1 (default: 1)")  # fmt: skip
    args = parser.parse_args()
    if not 0 <= args.share <= 1:
        raise UsageError("--share must be from 0 to 1")
    if args.paper:
        release_paper_graphs()
    elif args.model and args.weights and args.data:
        size = parse_size("--size", args.size) if args.size else weights.shipped_size(args.model)
        release(args.model, args.weights, args.data, args.origin, size, tuple(args.focus),
                args.began, args.share)  # fmt: skip
    else:
        parser.error("give --paper, or --model, --weights and --data")


if __name__ == "__main__":
    cli.run(main)
