import threading
from pathlib import Path

import cv2
import platformdirs
import pytest

from realtime_bokeh.app.keep import save_picture
from realtime_bokeh.frame import Image
from tests import clips


def _saved(image: Image) -> str:
    """What is told when it is done."""
    told: list[str] = []
    done = threading.Event()

    def tell(text: str) -> None:
        told.append(text)
        done.set()

    save_picture(image, tell)
    assert done.wait(60)
    assert len(told) == 1
    return told[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's pictures, which is not there yet."""
    folder = tmp_path / "home" / "Pictures"
    monkeypatch.setattr(platformdirs, "user_pictures_path", lambda: folder)
    return folder


def test_a_picture_is_saved_beside_the_others_as_it_is(folder: Path) -> None:
    first, second = clips.solid((1, 22, 233)), clips.solid((4, 55, 66))
    told = [_saved(image) for image in (first, second)]
    paths = sorted(folder.iterdir(), key=lambda path: told.index(f"Saved {path}"))
    assert [path.suffix for path in paths] == [".png", ".png"]
    assert all(path.name.startswith("realtime-bokeh 20") for path in paths)
    for path, image in zip(paths, (first, second), strict=True):
        seen = cv2.imread(str(path))
        assert seen is not None
        assert (seen == image).all()


@pytest.mark.parametrize("file", ["home", "home/Pictures"])
def test_a_folder_that_cannot_be_is_explained(folder: Path, tmp_path: Path, file: str) -> None:
    (tmp_path / "home").mkdir(exist_ok=True)
    if file == "home":
        (tmp_path / "home").rmdir()
    (tmp_path / file).write_text("")
    assert f"The folder {folder} cannot be made (" in _saved(clips.solid((1, 2, 3)))
