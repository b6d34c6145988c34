import random

import cv2
import numpy as np
import pytest
import torch

from training.data.clothes import recolour
from training.data.subjects import Subject, bounding_box

SKIN, SHIRT, WALL = (200, 150, 125), (60, 90, 160), (90, 170, 90)
CHEST, FACE, HAND, CORNER = (170, 100), (65, 100), (150, 60), (20, 20)


@pytest.fixture
def person() -> Subject:
    """A face and a hand before a shirt."""
    image = np.full((200, 200, 3), WALL, np.uint8)
    mask = np.zeros((200, 200), np.uint8)
    for canvas, colours in ((image, (SHIRT, SKIN)), (mask, (255, 255))):
        shirt, skin = colours
        cv2.ellipse(canvas, (100, 190), (80, 85), 0, 0, 360, shirt, -1)
        cv2.ellipse(canvas, (100, 65), (32, 40), 0, 0, 360, skin, -1)
        cv2.circle(canvas, HAND[::-1], 18, skin, -1)
    planes = np.dstack([image, mask, mask]).transpose(2, 0, 1)
    return Subject(torch.from_numpy(planes.copy()), bounding_box(mask), True)


def _colour(subject: Subject, place: tuple[int, int]) -> tuple[int, ...]:
    return tuple(subject.pixels[:3, place[0], place[1]].tolist())


def test_clothes_change_and_all_else_stays(person: Subject) -> None:
    colours = set()
    for seed in range(6):
        dressed = recolour(person, random.Random(seed))
        colours.add(_colour(dressed, CHEST))
        assert [_colour(dressed, place) for place in (FACE, HAND, CORNER)] == [SKIN, SKIN, WALL]
        assert torch.equal(dressed.pixels[3:], person.pixels[3:])
    assert len(colours) > 4
    assert SHIRT not in colours


def test_a_face_alone_stays_as_it_is(person: Subject) -> None:
    mask = person.pixels[3].numpy().copy()
    mask[108:] = 0
    pixels = person.pixels.clone()
    pixels[3] = torch.from_numpy(mask)
    face = Subject(pixels, bounding_box(mask), True)
    assert recolour(face, random.Random(0)) is face
