import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_bokeh.errors import UsageError
from realtime_bokeh.stills import read_still
from training.rating import make_page, score, write_opinions


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Three pictures of original, ours and theirs, of different brightness and kind of file."""
    found = {}
    for level, (name, ending) in enumerate(
        [("original", "jpg"), ("ours", "png"), ("theirs", "jpg")]
    ):
        found[name] = tmp_path / name
        found[name].mkdir()
        for number in range(3):
            image = np.full((16, 24, 3), 80 * level + 10, np.uint8)
            cv2.imwrite(str(found[name] / f"photo_{number}.{ending}"), image)
    return found


def _page(folders: dict[str, Path], tmp_path: Path) -> tuple[Path, Path]:
    out, key = tmp_path / "study", tmp_path / "study.key.json"
    methods = {name: folders[name] for name in ("ours", "theirs")}
    assert make_page(methods, folders["original"], out, key) == 6
    return out, key


def _blue(path: Path) -> int:
    """Of a picture of one colour."""
    return int(read_still(path).image[0, 0, 0])


def test_page_is_blind_and_whole(folders: dict[str, Path], tmp_path: Path) -> None:
    out, key = _page(folders, tmp_path)
    page = (out / "index.html").read_text()
    assert not re.search("ours|theirs|photo_|https?:", page)
    files = sorted(path.name for path in out.rglob("*") if path.is_file())
    assert len(files) == 1 + 3 + 6
    assert all(re.fullmatch(r"[0-9a-f]{12}\.jpg|index\.html", name) for name in files)
    (text,) = re.findall(r"STUDY = (.*);\n", page)
    study = json.loads(text)
    images = json.loads(key.read_text())["images"]
    assert study["originals"].keys() == images.keys()
    for token, owner in images.items():
        level = {"ours": 90, "theirs": 170}[owner["method"]]
        assert abs(_blue(out / "images" / f"{token}.jpg") - level) < 4
        original = out / "images" / f"{study['originals'][token]}.jpg"
        assert abs(_blue(original) - 10) < 4
    assert not list(tmp_path.glob(".study-*"))


def test_other_names_other_sizes_and_taken_places_are_said(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    out, key = tmp_path / "study", tmp_path / "key.json"
    methods = {"ours": folders["ours"]}
    cv2.imwrite(str(folders["ours"] / "photo_1.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UsageError, match=r"ours/photo_1.png has not the size of"):
        make_page(methods, folders["original"], out, key)
    (folders["ours"] / "photo_1.png").unlink()
    with pytest.raises(UsageError, match=r"ours has no picture photo_1; all folders"):
        make_page(methods, folders["original"], out, key)
    with pytest.raises(UsageError, match="for all raters to see"):
        make_page(methods, folders["original"], out, out / "key.json")
    with pytest.raises(UsageError, match="exists already"):
        make_page(methods, folders["original"], folders["theirs"], key)
    with pytest.raises(UsageError, match="does not exist"):
        make_page({"ours": tmp_path / "nowhere"}, folders["original"], out, key)
    assert not out.exists()
    assert not key.exists()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    images = {f"{name}{n}": {"method": name, "picture": str(n)} for name in "ab" for n in range(4)}
    path = tmp_path / "key.json"
    path.write_text(json.dumps({"methods": ["a", "b"], "images": images}))
    return path


def _ratings(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["rater,image,rating", *rows, ""]))
    return path


def test_mean_opinion_and_its_interval(key: Path, tmp_path: Path) -> None:
    one = _ratings(tmp_path / "1.csv", "Ada,a0,4", "Ada,a1,3", "Ada,b0,1")
    two = _ratings(tmp_path / "2.csv", "Bob,a0,2", "Bob,a1,3")
    opinions = score(key, [one, two])
    assert opinions["a"]["mos"] == 3
    assert opinions["a"]["ratings"] == 4
    deviation = np.std([4, 3, 2, 3], ddof=1)
    assert opinions["a"]["interval"] == pytest.approx(1.96 * deviation / 2)
    assert opinions["b"] == {"mos": 1, "interval": None, "ratings": 1}
    write_opinions(tmp_path / "mos.csv", opinions)
    assert (tmp_path / "mos.csv").read_text().splitlines()[2] == "b,1,,1"
    write_opinions(tmp_path / "mos.json", opinions)
    assert json.loads((tmp_path / "mos.json").read_text()) == opinions
    with pytest.raises(UsageError, match=r"must end with .csv or .json"):
        write_opinions(tmp_path / "mos.txt", opinions)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("Ada,a0,5", "line 2: '5' is not a rating from 0 to 4"),
        ("Ada,a0,2.5", "is not a rating"),
        ("Ada,a0", "is not a rating"),
        ("Ada,zz,2", "knows no picture 'zz'"),
        ("Ada,a0,2\nAda,a0,3", "line 3: Ada has rated a0 already"),
    ],
)
def test_wrong_ratings_are_said(key: Path, tmp_path: Path, row: str, sentence: str) -> None:
    path = _ratings(tmp_path / "1.csv", row)
    with pytest.raises(UsageError, match=sentence):
        score(key, [path])


def test_wrong_files_are_said(key: Path, tmp_path: Path) -> None:
    ratings = _ratings(tmp_path / "1.csv", "Ada,a0,2")
    with pytest.raises(UsageError, match="is not the key of a study"):
        score(ratings, [ratings])
    with pytest.raises(UsageError, match="is not a file of ratings"):
        score(key, [key])
    with pytest.raises(UsageError, match="is not a file of ratings"):
        score(key, [tmp_path / "nowhere.csv"])
