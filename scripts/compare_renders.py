"""Whether two checkouts render the same pictures to the bit, as after code has only moved.

    python scripts/compare_renders.py BEFORE AFTER PHOTO CLIP

BEFORE and AFTER are folders of checkouts. Each renders the photo, the clip and the built-in scene
with every shipped model; what differs is named, and the exit status is then 1.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import av

MODELS = ("lite", "dmshn", "stacked")


def render(checkout: Path, *arguments: object) -> None:
    """Run a checkout's program; its failure ends everything."""
    command = [sys.executable, "-m", "realtime_bokeh", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{checkout}: {' '.join(command)} failed:\n{done.stderr}")


def pictures(path: Path) -> list[str]:
    """A digest of every decoded picture of a photo or a video, in order."""
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [hashlib.sha256(f.to_ndarray(format="bgr24").tobytes()).hexdigest() for f in frames]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("before", "after", "photo", "clip"):
        parser.add_argument(name, type=lambda text: Path(text).resolve(), metavar=name.upper())
    args = parser.parse_args()
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        for model in MODELS:
            photo, clip, demo = args.photo.suffix, args.clip.suffix, ".mp4"
            for kind, ending in (("photo", photo), ("clip", clip), ("demo", demo)):
                found = []
                for side in ("before", "after"):
                    target = Path(folder) / f"{side}-{model}-{kind}{ending}"
                    what = ["demo"] if kind == "demo" else ["render", getattr(args, kind)]
                    options = ["--seconds", 2] if kind == "demo" else []
                    render(getattr(args, side), *what, target, "--model", model, *options)
                    found.append(pictures(target))
                same = found[0] == found[1] and bool(found[0])
                different += not same
                print(
                    f"{model} {kind}: {len(found[0])} pictures, {'same' if same else 'DIFFERENT'}"
                )
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
