"""Turn a run's weights into a shipped model: graphs, int8 scales, manifest.

    python -m training.release --model lite --weights runs/lite/weights.safetensors \\
        --data FOLDER --origin "how it was made" [--size 256x144] [--focus 1.5 0.5]
    python -m training.release --paper

FOLDER holds the training photographs; int8 is calibrated on samples rendered from them. --focus
makes the focus map surer (a gain of its logit) and readier to keep (a bias): training shows many
pictures without anybody, a camera mostly somebody. Choose both on training photographs. --paper
writes the graphs of the paper's networks without the focus head, into which imported checkpoints
fit; they need no data.
"""

import tempfile
from pathlib import Path

import onnx
from safetensors.torch import load_file, save_file
from torch import Tensor

from realtime_bokeh import weights
from realtime_bokeh.export.int8 import int8_graph
from realtime_bokeh.export.onnx import core_graph, share_weights
from realtime_bokeh.frame import Image
from realtime_bokeh.network.dmshn import build
from realtime_bokeh.sizes import Size, parse_size
from training import cli
from training.data.pictures import to_images
from training.data.pool import Pool
from training.data.synthesis import Renderer

_CALIBRATION = 48  # pictures


def write(graph: onnx.ModelProto, path: Path) -> None:
    path.write_bytes(graph.SerializeToString())


def calibration(data: Path, size: Size) -> list[Image]:
    """Pictures as the network sees them, uint8 [h, w, 3] BGR."""
    batch = Renderer(Pool(data), seed=1).batch(range(_CALIBRATION), *size)
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


def release(
    name: str,
    source: Path,
    data: Path,
    origin: str,
    size: Size,
    focus: tuple[float, float] = (1.0, 0.0),
) -> None:
    """Write the folder of a shipped model; `focus` is the gain and bias of `refocused`."""
    folder = weights.SHIPPED / name
    folder.mkdir(exist_ok=True)
    target = folder / weights.WEIGHTS
    state = {k: v.float() for k, v in load_file(str(source)).items()}
    save_file({k: v.half() for k, v in refocused(state, *focus).items()}, target)
    plain = share_weights(core_graph(target, name, focus_head=True), target)
    write(plain, folder / weights.GRAPHS["f32"])
    quantized = int8_graph(target, name, True, calibration(data, size))
    write(quantized, folder / weights.GRAPHS["int8"])
    model = weights.Model(name, name, True, size, {}, origin, folder=folder)
    weights.save_manifest(model)


def release_paper_graphs() -> None:
    """Write the graphs for imported checkpoints; they only depend on the weights' layout."""
    for architecture in ("dmshn", "stacked"):
        folder = weights.SHIPPED / f"paper-{architecture}"
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / weights.WEIGHTS
            state = build(architecture, focus_head=False).state_dict()
            save_file({k: v.half() for k, v in state.items()}, path)
            graph = share_weights(core_graph(path, architecture, focus_head=False), path)
            write(graph, folder / weights.GRAPHS["f32"])


def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--paper", action="store_true")
    parser.add_argument("--model", choices=("lite", "dmshn", "stacked"))
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--origin", default="")
    parser.add_argument("--size", default="256x144", help="WxH at which it is meant to run")
    parser.add_argument("--focus", type=float, nargs=2, default=(1.0, 0.0),
                        metavar=("GAIN", "BIAS"),
                        help="of the focus logit (default: 1 0)")  # fmt: skip
    args = parser.parse_args()
    if args.paper:
        release_paper_graphs()
    elif args.model and args.weights and args.data:
        size = parse_size("--size", args.size)
        release(args.model, args.weights, args.data, args.origin, size, tuple(args.focus))
    else:
        parser.error("give --paper, or --model, --weights and --data")


if __name__ == "__main__":
    cli.run(main)
