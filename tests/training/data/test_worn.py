import random
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from training.data.pictures import Pixels
from training.data.subjects import MASKED, Subject, bounding_box
from training.data.worn import Crown, draw_cap, draw_headband, draw_headphones, dress, find_crown

Draw = Callable[[Subject, Crown, random.Random], Subject]
DRAWN = pytest.mark.parametrize("draw", [draw_headphones, draw_headband, draw_cap])


def _somebody(light: float = 1.0, arm: bool = False, cut: bool = False) -> Subject:
    """A head with hair over shoulders, before a wall; perhaps with an arm raised above it."""
    image = np.full((320, 320, 3), (120, 150, 170), np.uint8)
    mask = np.zeros((320, 320), np.uint8)
    up = 60 if cut else 0
    parts = [((160, 320), (120, 100), (60, 60, 90)), ((160, 125 - up), (48, 66), (40, 30, 20)),
             ((160, 135 - up), (40, 55), (200, 150, 120))]  # fmt: skip
    for centre, axes, colour in parts:
        cv2.ellipse(image, centre, axes, 0, 0, 360, colour, -1)
        cv2.ellipse(mask, centre, axes, 0, 0, 360, (255,), -1)
    cv2.rectangle(mask, (140, 180 - up), (180, 240), (255,), -1)
    if arm:
        cv2.rectangle(mask, (40, 20), (60, 300), (255,), -1)
    image = (image * light).astype(np.uint8)
    disparity = np.where(mask > 0, 200, 30).astype(np.uint8)
    planes = np.dstack([image, mask, disparity]).transpose(2, 0, 1).copy()
    return Subject(torch.from_numpy(planes), bounding_box(mask), close=True)


def _crown(subject: Subject) -> Crown:
    crown = find_crown(subject)
    assert crown is not None
    return crown


def _added(before: Subject, after: Subject) -> Pixels:
    """Where the mask grew."""
    old, new = (subject.pixels[3].numpy() > MASKED for subject in (before, after))
    assert not (old & ~new).any()
    return np.asarray(new & ~old)


def test_a_head_is_found_where_it_is() -> None:
    across, top, down, half = _crown(_somebody())
    assert across == pytest.approx(160, abs=1)
    assert top == pytest.approx(59, abs=1)
    assert down == pytest.approx(125, abs=12)
    assert half == pytest.approx(48, abs=3)


@pytest.mark.parametrize(("arm", "cut"), [(True, False), (False, True)])
def test_without_a_whole_head_on_top_nobody_is_dressed(arm: bool, cut: bool) -> None:
    somebody = _somebody(arm=arm, cut=cut)
    assert find_crown(somebody) is None
    assert dress(somebody, random.Random(0)) is somebody


@DRAWN
def test_what_is_worn_is_in_focus_and_as_near_as_the_person(draw: Draw) -> None:
    somebody = _somebody()
    for number in range(20):
        dressed = draw(somebody, _crown(somebody), random.Random(number))
        added = _added(somebody, dressed)
        changed = (dressed.pixels[:3] != somebody.pixels[:3]).any(0).numpy()
        assert changed.sum() > 300
        assert not (changed & (dressed.pixels[3].numpy() == 0)).any()
        assert bool((dressed.pixels[4].numpy()[added] == 200).all())
        assert not changed[150:170, 150:170].any()  # the face is seen
        assert not changed[230:].any()
        assert dressed.box == bounding_box(dressed.pixels[3].numpy())


def test_headphones_go_beyond_the_ears() -> None:
    somebody = _somebody()
    crown = _crown(somebody)
    for number in range(20):
        added = _added(somebody, draw_headphones(somebody, crown, random.Random(number)))
        for columns in (slice(0, 112), slice(209, None)):
            assert added[:, columns].sum() > 60


@DRAWN
def test_in_a_dark_room_it_is_dark(draw: Draw) -> None:
    for number in range(10):
        bright, dark = (_somebody(light) for light in (1.0, 0.2))
        levels = []
        for somebody in (bright, dark):
            dressed = draw(somebody, _crown(somebody), random.Random(number))
            changed = (dressed.pixels[:3] != somebody.pixels[:3]).any(0)
            levels.append(float(dressed.pixels[:3][:, changed].float().mean()))
        assert levels[1] < 0.6 * levels[0]


def test_it_follows_from_its_chance_alone_and_differs() -> None:
    somebody = _somebody()
    before = somebody.pixels.clone()
    drawn = [dress(somebody, random.Random(number)).pixels for number in (1, 1, 2)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(somebody.pixels, before)
