import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from training.data.hands import cut_hands, match_skin
from training.data.subjects import MASKED, Subject, bounding_box

Colour = tuple[int, int, int]

SKIN: Colour = (205, 150, 125)
WALL, SHIRT, HAIR = (90, 110, 130), (40, 60, 140), (30, 25, 22)


def _picture(skin: Colour = SKIN, raised: bool = True, before_the_face: bool = False) -> Tensor:
    """Somebody with a head and a shirt, who may raise a hand."""
    image = np.full((240, 320, 3), WALL, np.uint8)
    mask = np.zeros((240, 320), np.uint8)
    parts = [
        ((220, 70), (34, 42), HAIR), ((220, 78), (28, 36), skin), ((220, 240), (75, 110), SHIRT),
        ((209, 72), (5, 3), HAIR), ((231, 72), (5, 3), HAIR),
    ]  # fmt: skip
    for centre, axes, colour in parts:
        cv2.ellipse(image, centre, axes, 0, 0, 360, colour, -1)
        cv2.ellipse(mask, centre, axes, 0, 0, 360, (255,), -1)
    if raised:
        x = 205 if before_the_face else 70
        for target, colour in ((image, skin), (mask, (255, 255, 255))):
            cv2.rectangle(target, (x - 12, 100), (x + 12, 239), colour, -1)
            for finger in range(4):
                left = x - 24 + 12 * finger
                cv2.rectangle(target, (left, 60), (left + 8, 110), colour, -1)
            cv2.rectangle(target, (x - 24, 105), (x + 20, 140), colour, -1)
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    image = (cv2.GaussianBlur(image, (0, 0), 1) + noise).round().clip(0, 255).astype(np.uint8)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 1))
    return torch.from_numpy(np.dstack([image, mask, mask]).transpose(2, 0, 1).copy())


def _subject(skin: Colour) -> Subject:
    pixels = _picture(skin, raised=False)
    return Subject(pixels, bounding_box(pixels[3].numpy()), close=True)


def _mean(subject: Subject) -> Tensor:
    return subject.pixels[:3][:, subject.pixels[3] > 250].float().mean(1)


def test_a_raised_hand_is_cut_without_the_torso_and_the_head() -> None:
    (hand,) = cut_hands(_picture())
    inside = hand.pixels[3] > MASKED
    assert int(inside.sum()) == pytest.approx(25 * 100 + 4 * 9 * 45 + 45 * 36, rel=0.05)
    difference = hand.pixels[:3].float() - torch.tensor(SKIN)[:, None, None]
    assert difference[:, inside].abs().mean() < 5  # to its very edge
    left, top, right, bottom = hand.box
    assert (right - left, bottom - top) == pytest.approx((45, 179), abs=3)
    assert not hand.close


def test_a_forearm_ends_softly_in_its_sleeve() -> None:
    pixels = _picture()
    sleeve = (slice(180, None), slice(50, 90))
    pixels[:3][(slice(None), *sleeve)] = torch.tensor(SHIRT, dtype=torch.uint8)[:, None, None]
    pixels[3][sleeve] = 255
    (hand,) = cut_hands(pixels)
    assert hand.box[3] - hand.box[1] == pytest.approx(180 - 60, abs=3)
    assert bool(((hand.pixels[3] > 40) & (hand.pixels[3] < 215))[-10:].any())


@pytest.mark.parametrize("before_the_face", [False, True])
def test_a_face_is_not_a_hand(before_the_face: bool) -> None:
    assert cut_hands(_picture(raised=before_the_face, before_the_face=before_the_face)) == []


def test_a_hand_half_transparent_in_motion_is_left_alone() -> None:
    pixels = _picture()
    pixels[3, :, :130] = pixels[3, :, :130] // 5 * 3
    assert cut_hands(pixels) == []


@pytest.mark.parametrize("skin", [(95, 62, 48), (235, 190, 170), (160, 110, 85)])
def test_a_hand_takes_the_colour_of_a_face(skin: Colour) -> None:
    (hand,) = cut_hands(_picture())
    matched = match_skin(hand, _subject(skin))
    assert (_mean(matched) - torch.tensor(skin)).abs().max() < 8
    assert torch.equal(matched.pixels[3:], hand.pixels[3:])
    assert matched.box == hand.box


def test_a_face_without_colour_gives_none() -> None:
    (hand,) = cut_hands(_picture())
    assert match_skin(hand, _subject((128, 128, 128))) is hand
