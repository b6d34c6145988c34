"""A blind rating of methods by people: the mean opinion score, 0 to 4, of the paper's user study.

    python -m training.rating page --method ours=FOLDER --method theirs=FOLDER \\
        --original FOLDER --out out/study
    python -m training.rating score --key out/study.key.json ratings*.csv

The folders hold the same pictures by the same names. The page needs no server: give its folder to
each rater and collect the ratings.csv that it saves. The key, which says whose picture is whose,
lies outside the folder.
"""

import csv
import io
import json
import math
import os
import random
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

import cv2
from rich.console import Console

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.files import reason
from realtime_bokeh.stills import is_still, read_still
from training import cli
from training.cli import write_image, write_json, write_text
from training.measure.report import score_table

BEST = 4
_QUALITY = 95  # of the page's JPEGs: all are coded anew, so that no file tells whose it is
_NORMAL = 1.96  # standard deviations on either side that hold 95%, as in ITU-R BT.500

Opinion = dict[str, float | None]


def make_page(methods: Mapping[str, Path], original: Path, out: Path, key: Path) -> int:
    """Write the page's folder, whole or not at all, and the key.

    Args:
        methods: a folder of rendered pictures for each name.
        original: the folder of the pictures before.
        out: the page's folder, which must not exist yet.
        key: of whose picture is whose, JSON; outside of `out`.

    Returns:
        How many pictures there are to rate.

    Raises:
        UsageError: when the folders do not hold the same pictures, or a place is taken.
        SinkError: when it cannot be written.
    """
    if out.exists():
        raise UsageError(f"{out} exists already; remove it or choose another --out")
    if out.resolve() in key.resolve().parents:
        raise UsageError(f"The key {key} would lie in the page's folder for all raters to see")
    originals = _stills(original)
    folders = {name: _stills(folder) for name, folder in methods.items()}
    for name, pictures in folders.items():
        if pictures.keys() != originals.keys():
            odd = min(pictures.keys() ^ originals.keys())
            lacking = methods[name] if odd in originals else original
            raise UsageError(
                f"{lacking} has no picture {odd}; all folders must hold the same names"
            )
    owners: dict[str, dict[str, str]] = {}
    partners: dict[str, str] = {}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".study-", dir=out.parent))
    except OSError as error:
        raise SinkError(f"{out} cannot be made ({reason(error)})") from error
    try:
        images = temporary / "images"
        images.mkdir()
        for picture, path in originals.items():
            before = _token()
            size = _copy(path, images / f"{before}.jpg")
            for name, pictures in folders.items():
                version = _token()
                if _copy(pictures[picture], images / f"{version}.jpg") != size:
                    raise UsageError(f"{pictures[picture]} has not the size of {path}")
                owners[version] = {"method": name, "picture": picture}
                partners[version] = before
        tokens = list(partners)
        random.shuffle(tokens)  # their order in the page's text tells nothing either
        study = {"id": _token(), "originals": {token: partners[token] for token in tokens}}
        template = Path(__file__).with_suffix(".html").read_text()
        page = template.replace("/*STUDY*/", json.dumps(study))
        write_text(temporary / "index.html", page)
        temporary.chmod(0o755)
        write_json(key, {"methods": list(methods), "images": owners})
        os.replace(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return len(owners)


def _token() -> str:
    return secrets.token_hex(6)


def _stills(folder: Path) -> dict[str, Path]:
    """The pictures of a folder by their names without endings."""
    if not folder.is_dir():
        raise UsageError(f"The folder {folder} does not exist")
    found = {path.stem: path for path in sorted(folder.iterdir()) if is_still(path)}
    if not found:
        raise UsageError(f"The folder {folder} holds no pictures (.jpg, .png or .webp)")
    return found


def _copy(source: Path, target: Path) -> tuple[int, ...]:
    """Code a picture as JPEG, without what its file says about it; returns its shape."""
    image = read_still(source).image
    quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
               cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]  # fmt: skip
    write_image(target, image, quality)
    return image.shape


def score(key: Path, files: Sequence[Path]) -> dict[str, Opinion]:
    """Opinions on each method: mos, interval (half of the 95% confidence interval of the mean;
    None for a single rating), ratings (how many).

    Raises:
        UsageError: for a file that is no key or no ratings, a picture that the key does not know, a
            rating out of 0 to 4, or one that was given twice.
    """
    try:
        study = json.loads(key.read_text())
        methods, images = list(study["methods"]), dict(study["images"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{key} is not the key of a study ({error})") from error
    given: dict[str, list[int]] = {name: [] for name in methods}
    seen: set[tuple[str, str]] = set()
    for path in files:
        for line, (rater, image, rating) in enumerate(_ratings(path), 2):
            if image not in images:
                raise UsageError(f"{path}, line {line}: {key} knows no picture {image!r}")
            if rating not in {str(value) for value in range(BEST + 1)}:
                raise UsageError(
                    f"{path}, line {line}: {rating!r} is not a rating from 0 to {BEST}"
                )
            if (rater, image) in seen:
                raise UsageError(f"{path}, line {line}: {rater} has rated {image} already; "
                                 "give each rater's file once")  # fmt: skip
            seen.add((rater, image))
            given[images[image]["method"]].append(int(rating))
    return {name: _opinion(ratings) for name, ratings in given.items()}


def _ratings(path: Path) -> list[tuple[str, str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = set(reader.fieldnames or ())
            if columns >= {"rater", "image", "rating"}:
                return [(row["rater"], row["image"], row["rating"]) for row in reader]
        problem = f"its columns are {', '.join(sorted(columns)) or 'none'}"
    except (OSError, ValueError) as error:
        problem = reason(error)
    raise UsageError(
        f"{path} is not a file of ratings, with columns rater, image and rating ({problem})"
    )


def _opinion(ratings: list[int]) -> Opinion:
    many = len(ratings) > 1
    return {
        "mos": mean(ratings) if ratings else None,
        "interval": _NORMAL * stdev(ratings) / math.sqrt(len(ratings)) if many else None,
        "ratings": len(ratings),
    }


def write_opinions(path: Path, opinions: Mapping[str, Opinion]) -> None:
    """Write as CSV or JSON, by the ending.

    Raises:
        UsageError: for another ending.
        SinkError: when it cannot be written.
    """
    if path.suffix == ".json":
        write_json(path, opinions)
    elif path.suffix == ".csv":
        text = io.StringIO()
        names = ("mos", "interval", "ratings")
        rows = ((who, *(opinion[n] for n in names)) for who, opinion in opinions.items())
        csv.writer(text, lineterminator="\n").writerows([("method", *names), *rows])
        write_text(path, text.getvalue())
    else:
        raise UsageError(f"{path} must end with .csv or .json")


def main() -> None:
    parser = cli.parser(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    page = commands.add_parser("page", help="write the page")
    page.add_argument("--method", action="append", required=True, metavar="NAME=FOLDER")
    page.add_argument("--original", type=Path, required=True, help="the pictures before")
    page.add_argument("--out", type=Path, required=True, help="the page's folder")
    page.add_argument("--key", type=Path, help="(default: OUT.key.json beside it)")
    scores = commands.add_parser("score", help="mean opinion scores of collected ratings")
    scores.add_argument("--key", type=Path, required=True)
    scores.add_argument("--out", type=Path, help="a .csv or .json file")
    scores.add_argument("ratings", type=Path, nargs="+")
    args = parser.parse_args()
    if args.command == "page":
        key = args.key or args.out.with_name(f"{args.out.name}.key.json")
        methods = cli.named_paths("--method", args.method)
        number = make_page(methods, args.original, args.out, key)
        print(f"{args.out / 'index.html'}: {number} pictures to rate; the key is {key}")
        return
    opinions = score(args.key, args.ratings)
    table = score_table("Mean opinion scores", opinions, ("mos", "interval", "ratings"))
    Console().print(table.rich())
    if args.out:
        write_opinions(args.out, opinions)


if __name__ == "__main__":
    cli.run(main)
