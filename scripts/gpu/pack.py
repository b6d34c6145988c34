"""Pack training photographs into archives small enough to be uploaded one at a time.

    python scripts/gpu/pack.py PHOTOS OUT [--mebibytes 24]

Writes OUT/photos-NN.tar; unpacked into one folder they are PHOTOS again. Pictures are kept at
the size that training uses, as WebP: in about half of the space. No file is split.
"""

import argparse
import io
import sys
import tarfile
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[2]))

from training.data.pool import shrunk

_QUALITY, _PLANE_QUALITY = 78, 90  # of photographs; of masks and disparities
_FOLDERS = ("people", "people_auto", "calls", "backgrounds", "cutouts")


def _packed(path: Path) -> bytes:
    """A picture no larger than training keeps it, as WebP under its old name: it is told by its
    content when it is read."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or path.suffix == ".webp":
        return path.read_bytes()
    quality = _QUALITY if path.suffix == ".jpg" else _PLANE_QUALITY
    coded = cv2.imencode(".webp", shrunk(image), [cv2.IMWRITE_WEBP_QUALITY, quality])[1]
    return min(bytes(coded), path.read_bytes(), key=len)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mebibytes", type=int, default=24, help="of an archive (default: 24)")
    args = parser.parse_args()
    files = [p for f in _FOLDERS for p in sorted((args.photos / f).glob("*")) if p.is_file()]
    if not files:
        parser.error(f"{args.photos} holds none of {', '.join(_FOLDERS)}")
    args.out.mkdir(parents=True, exist_ok=True)
    limit = args.mebibytes * 2**20 - 20_480  # an archive is filled up to whole records
    count = 0
    packed = ((path, _packed(path)) for path in files)
    pending = next(packed, None)
    while pending:
        with tarfile.open(args.out / f"photos-{count:02}.tar", "w") as archive:
            count, used = count + 1, 0
            while pending:
                path, content = pending
                size = (len(content) + 1535) // 512 * 512  # with its header
                if used and used + size > limit:
                    break
                info = tarfile.TarInfo(str(path.relative_to(args.photos)))
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
                used += size
                pending = next(packed, None)
    print(f"{len(files)} files in {count} archives in {args.out}")


if __name__ == "__main__":
    main()
