from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from realtime_bokeh.background import (
    Background,
    Clip,
    Plate,
    filled,
    find_background,
    with_alpha,
    with_background,
)
from realtime_bokeh.errors import EngineError, SourceError, UsageError
from realtime_bokeh.live.effect import LiveEffect
from realtime_bokeh.live.state import State
from realtime_bokeh.sizes import Size
from tests import clips
from tests.fakes import HalfEngine

SIZE = Size(48, 64)
CONTROLS = State().controls


class Clock:
    """seconds: what it says."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def _colour(text: str) -> list[int]:
    picture = find_background(text)(Clock()).picture(SIZE)
    assert picture.shape == (*SIZE, 3)
    assert (picture == picture[0, 0]).all()
    return [int(channel) for channel in picture[0, 0]]


@pytest.mark.parametrize(
    ("text", "bgr"),
    [
        ("#00ff00", [0, 255, 0]),
        ("#12f", [255, 34, 17]),
        ("lime", [0, 255, 0]),
        ("green", [0, 128, 0]),
        ("Black", [0, 0, 0]),
        ("rgb(1, 2, 3)", [3, 2, 1]),
    ],
)
def test_colours_are_those_of_css(text: str, bgr: list[int]) -> None:
    assert _colour(text) == bgr


@pytest.mark.parametrize("text", ["gren", "missing.jpg", "#00ff0080", ""])
def test_what_is_no_colour_and_no_file_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"--background {text} is no color.*give a color"):
        find_background(text)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    for name in ("damaged.png", "damaged.mp4"):
        path = tmp_path / name
        path.write_bytes(b"nothing of the kind")
        with pytest.raises(UsageError, match=name):
            find_background(str(path))(Clock())


@pytest.mark.parametrize(
    ("size", "left", "top"),  # the pixels of 40x20 that are in the corner
    [(Size(20, 20), 10, 0), (Size(10, 40), 0, 5), (Size(20, 40), 0, 0), (Size(40, 40), 10, 0)],
)
def test_a_photo_is_cropped_in_its_middle(size: Size, left: int, top: int) -> None:
    rows, columns = np.mgrid[:20, :40]
    image = np.dstack([rows, columns, rows]).astype(np.uint8)
    picture = filled(image, size)
    assert picture.shape == (*size, 3)
    assert picture[0, 0, :2].tolist() == [top, left]
    assert picture[-1, -1, :2].tolist() == [19 - top, 39 - left]


def test_a_photo_fills_frames_of_every_size(tmp_path: Path) -> None:
    Pillow.fromarray(clips.RED_LEFT_BLUE_RIGHT[..., ::-1]).save(tmp_path / "photo.png")
    background = find_background(str(tmp_path / "photo.png"), photos=True)(Clock())
    for size in (SIZE, Size(31, 17), Size(480, 640)):
        picture = background.picture(size)
        assert picture.shape == (*size, 3)
        assert picture[0, 0].tolist() == [0, 0, 200]
        assert picture[-1, -1].tolist() == [200, 0, 0]


def test_transparency_of_a_photo_becomes_black(tmp_path: Path) -> None:
    Pillow.new("RGBA", (8, 8), (200, 100, 50, 0)).save(tmp_path / "photo.png")
    assert _colour(str(tmp_path / "photo.png")) == [0, 0, 0]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four frames, of a quarter of a second each, that get lighter."""
    return clips.make(
        tmp_path / "clip.mp4", [0, 0.25, 0.5, 0.75], clips.steps(4), hold=0.25, rate=4
    )


def _shown(background: Background) -> int:
    """Which of the clip's frames is shown."""
    return round((float(background.picture(SIZE).mean()) - 30) / (190 / 3))


def test_a_clip_plays_by_the_clock_again_and_again(clip: Path) -> None:
    clock = Clock()
    background = find_background(str(clip))(clock)
    seen = []
    for _ in range(20):
        seen.append(_shown(background))
        clock.seconds += 0.125
    background.close()
    assert seen == [0, 0, 1, 1, 2, 2, 3, 3] * 2 + [0, 0, 1, 1]


def test_frames_of_a_clip_are_left_out_where_the_camera_is_slower(clip: Path) -> None:
    clock = Clock()
    background = find_background(str(clip))(clock)
    seen = []
    for _ in range(4):
        seen.append(_shown(background))
        clock.seconds += 0.5
    background.close()
    assert seen == [0, 2, 0, 2]


def test_a_clip_goes_on_from_where_it_was_after_a_pause(clip: Path) -> None:
    clock = Clock()
    background = find_background(str(clip))(clock)
    assert _shown(background) == 0
    clock.seconds += 3600
    assert _shown(background) == 1
    clock.seconds += 0.25
    assert _shown(background) == 2
    background.close()


def test_a_clip_that_is_gone_at_its_end_is_a_failure(clip: Path) -> None:
    clock = Clock()
    background = Clip(clip, clock)
    assert _shown(background) == 0
    clip.unlink()
    for number in (1, 2, 3):
        clock.seconds += 0.25
        assert _shown(background) == number
    clock.seconds += 0.25
    with pytest.raises(SourceError, match=r"clip\.mp4 does not exist"):
        background.picture(SIZE)
    background.close()


def test_a_clip_cannot_stand_behind_photos(clip: Path) -> None:
    with pytest.raises(UsageError, match=r"clip\.mp4 is no photo.*give a color or a photo"):
        find_background(str(clip), photos=True)


def test_what_is_in_focus_stands_before_the_background() -> None:
    image = clips.solid((60, 120, 180))
    engine = with_background(HalfEngine(), Plate(clips.solid((1, 2, 3), Size(1, 1))))
    for size in (SIZE, Size(90, 50)):  # a camera may change it
        image = clips.solid((60, 120, 180), size)
        rendering = engine(image)
        assert rendering.shape == image.shape
        middle = size.width // 2
        assert (rendering[:, : middle - 4] == (60, 120, 180)).all()
        assert (rendering[:, middle + 4 :] == (1, 2, 3)).all()


def test_a_cutout_has_its_opacity_as_a_fourth_channel() -> None:
    rendering = with_alpha(HalfEngine())(clips.solid((60, 120, 180)))
    assert (rendering[:, :28] == (60, 120, 180, 255)).all()
    assert not rendering[:, 36:, 3].any()


@pytest.mark.parametrize("focus", [None, np.full((16, 16), np.nan, np.float32)])
def test_without_a_focus_map_nothing_is_shown(focus: Any) -> None:
    inner = HalfEngine()
    inner.focus = focus
    engine = with_background(inner, Plate(clips.solid((1, 2, 3))))
    with pytest.raises(EngineError, match="does not tell what is in focus"):
        engine(clips.solid((60, 120, 180)))


def test_a_background_that_fails_is_a_failure_of_the_effect() -> None:
    class Failing(Background):
        def picture(self, size: Size) -> Any:
            raise SourceError("the clip is gone")

    effect = LiveEffect(with_background(HalfEngine(), Failing()), HalfEngine)
    assert effect.begin(clips.solid((60, 120, 180)), CONTROLS)() is None
    assert effect.trouble == "the clip is gone"
    effect.close()


def test_the_engine_and_the_background_are_closed_together() -> None:
    class Closing(Plate):
        closed = False

        def close(self) -> None:
            self.closed = True

    inner, background = HalfEngine(), Closing(clips.solid((1, 2, 3)))
    with with_background(inner, background) as engine:
        assert engine.reason == "half, unchanged"
        assert engine.network_seconds == inner.network_seconds
        assert engine.focus_map() is None
        engine(clips.solid((60, 120, 180)))
        assert engine.focus_map() is inner.focus
    assert inner.closed
    assert background.closed
