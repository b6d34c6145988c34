"""What is drawn over the preview's picture."""

import numpy as np
import pytest

from realtime_bokeh.frame import Image
from realtime_bokeh.live.keys import key_list
from realtime_bokeh.look import Look
from realtime_bokeh.sinks.overlay import draw
from realtime_bokeh.sizes import Size
from tests import clips

SIZES = (Size(240, 320), Size(720, 1280), Size(1080, 1920))
FULL = Look(
    figures=("30 fps, latency 41 ms", "lite, openvino int8 on CPU", "1280x720"),
    marks=("FROZEN", "BLUR OFF"), message="strength 0.85", keys=key_list(window=True),
)  # fmt: skip


def _picture(value: int, size: Size = SIZES[0]) -> Image:
    return clips.solid((value,) * 3, size)


def _changed(image: Image, picture: Image) -> Image:
    return np.asarray(np.any(image != picture, axis=2))


def test_a_plain_look_is_the_picture_and_another_array() -> None:
    picture = _picture(77)
    image = draw([picture], Look(), 0.5)
    assert (image == picture).all()
    assert not np.shares_memory(image, picture)


def test_the_pictures_are_not_drawn_in() -> None:
    pictures = [_picture(77), _picture(99)]
    draw(pictures, Look(split=True, mirror=True, marks=("PAUSED",)), 0.5)
    assert [picture.min() == picture.max() for picture in pictures] == [True, True]


@pytest.mark.parametrize("line", [0.0, 0.25, 1.0])
def test_the_camera_is_left_of_the_line(line: float) -> None:
    image = draw([_picture(200), _picture(100)], Look(split=True), line)
    at = round(line * 320)
    assert (image[:, : max(0, at - 2)] == 100).all()
    assert (image[:, at + 2 :] == 200).all()


def test_only_one_picture_cannot_be_split() -> None:
    assert (draw([_picture(200)], Look(split=True), 0.5) == 200).all()


def test_the_camera_stays_left_when_the_window_is_mirrored() -> None:
    after, before = _picture(200), _picture(100)
    after[:, :10] = before[:, :10] = 0  # at the left
    image = draw([after, before], Look(split=True, mirror=True), 0.25)
    assert (image[:, :78] == 100).all()
    assert (image[:, 82:310] == 200).all()
    assert (image[:, 310:] == 0).all()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("field", ["figures", "marks", "message", "keys"])
def test_what_is_written_can_be_read_on_every_picture(size: Size, value: int, field: str) -> None:
    picture = _picture(value, size)
    image = draw([picture], Look(**{field: getattr(FULL, field)}), 0.5)
    written = _changed(image, picture)
    rows, columns = np.nonzero(written)
    plate = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    ink, back = np.percentile(plate[..., 1], 99.5), np.median(plate[..., 1])
    assert ink - back > 110  # green is most of what is seen as light
    # it is whole, with some air around it
    assert rows.min() > 0
    assert rows.max() < size.height - 1
    assert columns.min() > 0
    assert columns.max() < size.width - 1


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_figures_leave_most_of_the_picture_free(size: Size) -> None:
    picture = _picture(128, size)
    image = draw([picture], Look(figures=FULL.figures), 0.5)
    assert _changed(image, picture).mean() < 0.2


def test_a_long_message_is_wrapped_and_other_letters_do_not_matter() -> None:
    picture = _picture(128)
    lines = [
        int(_changed(draw([picture], Look(message=text), 0.5), picture).any(axis=1).sum())
        for text in ("Saved", "Saved /home/jörg/Bilder/" + "x" * 90)
    ]
    assert lines[1] >= 2 * lines[0]
