"""Pack training photographs into archives small enough to be uploaded one at a time.

    python scripts/gpu/pack.py PHOTOS OUT [--mebibytes 24]

Writes OUT/photos-NN.tar; unpacked into one folder they are PHOTOS again. Photographs are kept at
the size that training uses, and no file is split.
"""

import argparse
import io
import sys
import tarfile
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[2]))

from training.data.pool import shrunk

_FOLDERS = ("people", "people_auto", "calls", "backgrounds", "cutouts")


def _packed(path: Path) -> bytes:
    """A photo no larger than training keeps it; anything else as it is."""
    image = cv2.imread(str(path)) if path.suffix == ".jpg" else None
    small = None if image is None else shrunk(image)
    if small is None or small is image:
        return path.read_bytes()
    coded = bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 95])[1])
    return min(coded, path.read_bytes(), key=len)


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
    archives: list[list[Path]] = [[]]
    used = 0
    for path in files:
        size = (path.stat().st_size + 1535) // 512 * 512  # with its header; packed it is no larger
        if archives[-1] and used + size > limit:
            archives.append([])
            used = 0
        archives[-1].append(path)
        used += size
    for number, members in enumerate(archives):
        with tarfile.open(args.out / f"photos-{number:02}.tar", "w") as archive:
            for path in members:
                content = _packed(path)
                info = tarfile.TarInfo(str(path.relative_to(args.photos)))
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    print(f"{len(files)} files in {len(archives)} archives in {args.out}")


if __name__ == "__main__":
    main()
