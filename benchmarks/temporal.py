"""How steady clips are, and what that costs where things move, by filter in time.

    python -m benchmarks.temporal [--model lite ...] [--clips FOLDER] [--frames 60] \\
        --out out/temporal

--model is a name or the path of a run's weights.safetensors. FOLDER holds clips; without it there
are drawn ones alone, made of the built-in scene: a still room, the same in the dark, a hand that
passes, a step of exposure, a scene cut. Every filter sees the same output of the network, in
float32, and is read at the program's default smoothing. --out gets result.json and index.html.

- warping error: Lai et al. (2018), in thousandths; any smear lowers it.
- flicker: mean change of the focus map from frame to frame where the input changes by noise only,
  in thousandths.
- ghosting: mean difference from the unfiltered picture where the input moves, in levels of 255.
- withheld: how much less focus than unfiltered there is where the input moves, in percent; a hand
  that comes in too late.
- left over: of the drawn step and cut, mean difference from the unfiltered picture in the two
  frames after it, in levels of 255.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from realtime_bokeh import weights
from realtime_bokeh.frame import Image
from realtime_bokeh.network.core import BokehCore, first_state
from realtime_bokeh.network.dmshn import split_output
from realtime_bokeh.network.focus import focus_map
from realtime_bokeh.network.load import load_core
from realtime_bokeh.network.temporal import change, smooth
from realtime_bokeh.recompose import Recomposer, shrink
from realtime_bokeh.sizes import Size, content_size
from realtime_bokeh.sources import demo
from realtime_bokeh.sources.video import VideoReader
from training import cli
from training.measure.clips import CLIPS
from training.measure.methods import find
from training.measure.metrics import WarpingError
from training.measure.report import Report, Table

SMOOTHING = 0.5
MOVING = 0.02  # mean difference of two frames, in [0, 1]
SCORES = ("warping error", "flicker", "ghosting", "withheld", "left over")

Filter = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
Scores = dict[str, float | None]


def unfiltered(
    image: Tensor, bokeh: Tensor, focus: Tensor, state: Tensor, smoothing: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Every frame as it is."""
    return bokeh, focus, state


def gated(
    image: Tensor, bokeh: Tensor, focus: Tensor, state: Tensor, smoothing: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """By motion alone, for rendering and focus alike."""
    still = 1 - ((change(image, state[:, :3]) - 0.02) / 0.06).clamp(0, 1)
    past = state[:, 7:] * smoothing * 0.85 * still
    bokeh = bokeh + past * (state[:, 3:6] - bokeh)
    focus = focus + past * (state[:, 6:7] - focus)
    return bokeh, focus, torch.cat([image, bokeh, focus, torch.ones_like(focus)], 1)


def hysteresis(
    image: Tensor, bokeh: Tensor, focus: Tensor, state: Tensor, smoothing: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """By motion, and focus stays near what it was until that is clearly contradicted."""
    bokeh, _, after = gated(image, bokeh, focus, state, smoothing)
    still = 1 - ((change(image, state[:, :3]) - 0.02) / 0.06).clamp(0, 1)
    gap = state[:, 6:7] - focus
    near = 1 - ((gap.abs() - 0.1) / 0.3).clamp(0, 1)
    focus = focus + state[:, 7:] * smoothing * 1.4 * still * near * gap
    return bokeh, focus, torch.cat([after[:, :6], focus, after[:, 7:]], 1)


FILTERS: dict[str, Filter] = {
    "none": unfiltered, "motion gate": gated, "hysteresis": hysteresis, "shipped": smooth
}  # fmt: skip


@dataclass(frozen=True)
class Clip:
    """Frames, uint8 [h, w, 3] BGR; `event` is the first frame after a step or a cut, if any."""

    name: str
    frames: Sequence[Image]
    event: int | None = None


def recorded(folder: Path, count: int) -> Iterator[Clip]:
    """The first frames of the clips in a folder."""
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in CLIPS):
        video = VideoReader(path)
        frames = [frame.image for frame in (video.read() for _ in range(count)) if frame]
        video.close()
        yield Clip(path.stem, frames)


def drawn(count: int) -> Iterator[Clip]:
    """Clips of which it is known where something moves."""
    size = Size(240, 320)
    room = demo.images(size, 1)[0]
    random = np.random.default_rng(0)

    def seen(scenes: Sequence[Image], noise: float) -> list[Image]:
        noisy = (scene + random.normal(0, noise, scene.shape) for scene in scenes)
        return [np.clip(scene, 0, 255).round().astype(np.uint8) for scene in noisy]

    def scaled(gain: float) -> Image:
        return np.asarray(cv2.convertScaleAbs(room, alpha=gain))

    hands = []
    for number in range(count):
        place = (round(size.width * number / count), 150)
        hands.append(cv2.ellipse(room.copy(), place, (20, 35), 20, 0, 360, (120, 150, 205), -1))
    before, after = count // 2, count - count // 2
    mirrored = np.ascontiguousarray(room[:, ::-1])
    yield Clip("still", seen([room] * count, 3))
    yield Clip("dark", seen([scaled(0.4)] * count, 12))
    yield Clip("hand", seen(hands, 3))
    yield Clip("exposure", seen([room] * before + [scaled(0.92)] * after, 3), before)
    yield Clip("cut", seen([room] * before + [mirrored] * after, 3), before)


@dataclass(frozen=True)
class Outputs:
    """Of a network for a clip, float [n, channels, h, w] each, RGB, in [0, 1]."""

    image: Tensor
    bokeh: Tensor
    focus: Tensor

    def recomposed(self) -> Tensor:
        """At the network's size."""
        return self.bokeh + self.focus * (self.image - self.bokeh)

    def filtered(self, function: Filter) -> "Outputs":
        state = first_state((self.image.shape[2], self.image.shape[3]))
        smoothing = torch.tensor(SMOOTHING)
        bokeh, focus = [], []
        for number in range(len(self.image)):
            image, rendering, share = (
                part[number : number + 1] for part in (self.image, self.bokeh, self.focus)
            )
            rendering, share, state = function(image, rendering, share, state, smoothing)
            bokeh.append(rendering)
            focus.append(share)
        return Outputs(self.image, torch.cat(bokeh), torch.cat(focus))


def run(core: BokehCore, clip: Clip, content: Size) -> Outputs:
    """The network alone, without a past."""
    images, renderings, shares = [], [], []
    for frame in clip.frames:
        seen = torch.from_numpy(shrink(frame, content, core.finer).copy())
        seen = seen.flip(2).permute(2, 0, 1)[None].float() / 255
        bokeh, logit = split_output(core.network(seen))
        image = F.avg_pool2d(seen, core.finer)
        images.append(image)
        renderings.append(bokeh.clamp(0, 1))
        shares.append(focus_map(image, renderings[-1], logit))
    return Outputs(torch.cat(images), torch.cat(renderings), torch.cat(shares))


def at_full_size(clip: Clip, outputs: Outputs, content: Size) -> list[Image]:
    """The frames that are shown."""
    levels = (outputs.bokeh * 255).round().byte().flip(1).permute(0, 2, 3, 1).numpy()
    recompose = Recomposer()
    parts = zip(clip.frames, levels, outputs.focus[:, 0].numpy(), strict=True)
    return [recompose(frame, bokeh, focus, content) for frame, bokeh, focus in parts]


def measure(
    clip: Clip, plain: Outputs, outputs: Outputs, shown: Sequence[Image], error: WarpingError
) -> Scores:
    """See the module's docstring; None where a clip has nothing of the kind."""
    changed = change(plain.image[1:], plain.image[:-1])
    usual = float(changed.median())
    still = changed < 2 * usual
    moving = changed > max(MOVING, 2 * usual)
    flicker = (outputs.focus[1:] - outputs.focus[:-1]).abs()
    gap = (outputs.recomposed() - plain.recomposed()).abs().mean(1, keepdim=True)
    withheld = torch.relu(plain.focus - outputs.focus)[1:]
    if clip.event:  # not by the frame where all moves
        still[clip.event - 1] = moving[clip.event - 1] = False
    after = gap[clip.event : clip.event + 2] if clip.event else gap[:0]
    found = {
        "flicker": 1e3 * flicker[still],
        "ghosting": 255 * gap[1:][moving],
        "withheld": 100 * withheld[moving],
        "left over": 255 * after,
    }
    means = {name: float(v.mean()) if v.numel() else None for name, v in found.items()}
    return {"warping error": 1e3 * error(shown)} | means


def table(title: str, scores: dict[str, dict[str, Scores]]) -> Table:
    """A row for each clip and filter."""

    def cell(value: float | None) -> str:
        return "-" if value is None else f"{value:.3f}"

    rows = [
        [f"{clip}: {name}", *(cell(values[score]) for score in SCORES)]
        for clip, filters in scores.items()
        for name, values in filters.items()
    ]
    return Table(title, ["", *SCORES], rows)


def map_image(focus: Tensor) -> NDArray[np.uint8]:
    return (focus[0] * 255).round().byte().numpy()


@torch.inference_mode()
def main() -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--model", nargs="+", default=["lite", "dmshn"])
    parser.add_argument("--clips", type=Path, help="a folder of clips, besides the drawn ones")
    parser.add_argument("--frames", type=int, default=60, help="of each clip")
    parser.add_argument("--out", type=Path, default=Path("out/temporal"))
    args = parser.parse_args()
    clips = [*drawn(args.frames), *(recorded(args.clips, args.frames) if args.clips else ())]
    errors = {clip.name: WarpingError(clip.frames) for clip in clips}
    report = Report(args.out, "Steadiness of clips")
    result: dict[str, dict[str, dict[str, Scores]]] = {}
    for model in map(find, args.model):
        core = load_core(model.file(weights.WEIGHTS), model.form)
        section = report.section(model.name, (__doc__ or "").partition("\n\n- ")[2])
        scores: dict[str, dict[str, Scores]] = {}
        for clip in clips:
            content = content_size(Size.of(clip.frames[0]), model.inference_size)
            plain = run(core, clip, content)
            middle = clip.event or len(clip.frames) // 2
            section.show(clip.name, "input", clip.frames[middle])
            scores[clip.name] = {}
            for name, function in FILTERS.items():
                outputs = plain.filtered(function)
                shown = at_full_size(clip, outputs, content)
                scores[clip.name][name] = measure(clip, plain, outputs, shown, errors[clip.name])
                section.show(clip.name, name, shown[middle])
                section.show(clip.name, f"{name}, focus", map_image(outputs.focus[middle]))
        section.tables.append(table(model.name, scores))
        result[model.name] = scores
    report.save()
    cli.write_json(args.out / "result.json", result)


if __name__ == "__main__":
    cli.run(main)
