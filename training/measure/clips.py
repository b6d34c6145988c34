"""What `evaluate` measures on real clips: steadiness, and what is left of people's detail."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.sources.video import VideoReader
from training.measure.methods import Effect, Rendered, gaussian
from training.measure.metrics import Detail, Mask, Scores, WarpingError, detail_lost, mean_scores
from training.measure.protocols import BLUR, IDENTITY, Result
from training.measure.report import Section, score_table

CLIPS = (".mkv", ".mp4", ".mov")
MUCH = 0.05  # of a person's detail in a frame, which is noticed when it is lost


def clips(
    folder: Path, masks: Path, effects: Sequence[Effect], section: Section, frames: int
) -> Result:
    """E_warp, in thousandths, of the first frames of clips; and for clips NAME with a mask
    NAME.mkv, over all their frames, the share of people's detail that is lost (see `detail_lost`)
    and the share of frames in which that is over 5%.

    Args:
        folder: the clips.
        masks: soft masks of the people, gray clips of as many frames as theirs, of the same size.
        frames: of each clip, for E_warp.

    Raises:
        UsageError: for a clip that cannot be read or has a single frame, or a mask that does not
            fit.
    """
    warping: dict[str, list[Scores]] = {}
    details: dict[str, list[Detail]] = {}
    names = []
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in CLIPS):
        source = _frames(path)
        if len(source) < 2:
            raise UsageError(f"{path} has fewer than two frames; remove it")
        names.append(path.stem)
        people = _masks(masks / f"{path.stem}.mkv", source)
        first = source[:frames]
        error = WarpingError(first)
        outputs = {IDENTITY: first, BLUR: [gaussian(image) for image in first]}
        for effect in effects:
            rendered = effect.clip(source)
            outputs[effect.name] = [image for image, _ in rendered[:frames]]
            details.setdefault(effect.name, []).extend(
                _details(effect.name, path.stem, source, rendered, people, section)
            )
        for who, output in outputs.items():
            warping.setdefault(who, []).append({"warping_error": 1000 * error(output)})
            section.show(f"{path.stem}, frame {len(first)}", who, output[-1])
    means = {who: mean_scores(values) for who, values in warping.items()}
    lost = {who: _lost(values) for who, values in details.items() if values}
    title = f"Means over the first {frames} frames of {len(names)} clips"
    section.tables.append(score_table(title, means, ("warping_error",)))
    if lost:
        frames_seen = max(map(len, details.values()))
        title = f"People in {frames_seen} frames"
        section.tables.append(score_table(title, lost, ("detail_lost", "frames_lost")))
    each = {
        who: {n: s["warping_error"] for n, s in zip(names, values, strict=True)}
        for who, values in warping.items()
    }
    return {"frames": frames, "means": means, "each": each, "people": lost}


def _frames(path: Path) -> list[Image]:
    video = VideoReader(path)
    try:
        return [frame.image for frame in iter(video.read, None)]
    finally:
        video.close()


def _masks(path: Path, source: Sequence[Image]) -> list[Mask]:
    """Of every frame of a clip; none without a file."""
    if not path.is_file():
        return []
    masks = [image[..., 0] > 127 for image in _frames(path)]
    if [mask.shape for mask in masks] != [image.shape[:2] for image in source]:
        raise UsageError(f"{path} has not its clip's size and number of frames")
    return masks


def _details(
    who: str,
    clip: str,
    source: Sequence[Image],
    rendered: Sequence[Rendered],
    masks: Sequence[Mask],
    section: Section,
) -> list[Detail]:
    """Of every frame that has a mask; the page gets the frame that lost most."""
    if not masks:
        return []
    outputs = [image for image, _ in rendered]
    details = [detail_lost(*parts) for parts in zip(source, outputs, masks, strict=True)]
    worst = max(range(len(details)), key=lambda number: details[number].share)
    share = details[worst].share
    section.compare(
        f"{who} on {clip}: {share:.1%} of a person's detail lost in frame {worst + 1}",
        source[worst], *rendered[worst], masks[worst],
    )  # fmt: skip
    return details


def _lost(details: Sequence[Detail]) -> Scores:
    total = Detail(sum(d.pixels for d in details), sum(d.lost for d in details))
    frames = float(np.mean([detail.share > MUCH for detail in details]))
    return {"detail_lost": total.share, "frames_lost": frames}
