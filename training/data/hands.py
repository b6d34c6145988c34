"""Hands and forearms cut from pictures of people who raise them, to be put before other people."""

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from training.data.foreground import estimate_foreground
from training.data.pictures import Pixels
from training.data.subjects import MASKED, Subject

Colours = NDArray[np.float32]  # CIELAB, [..., 3]

# Skin in Y'CrCb, after Chai and Ngan, "Face Segmentation Using Skin-Color Map in Videophone
# Applications" (IEEE T-CSVT 1999), wider, and surely redder than it is blue
_RED, _BLUE, _REDDER = (132, 182), (0, 128), 5
_AREA = (0.025, 0.2)  # of the picture: smaller is a finger, larger holds a face or a chest too
_FREE = 0.62  # least share of the outline that borders on the background: a face has hair and neck
_FREE_TOP = 0.8  # the same of the upper third: above a face is hair, above an arm a sleeve
_FILLED = 0.95  # least share inside the outline that is skin: a face has eyes and a beard
_HALO = 4.5  # most half-transparent pixels for each of the outline: more, and fingers are missing
_RAGGED = 1.055  # most length of an outline over that of the smoothed one: more, and skin is missed
_MARGIN = 8  # pixels around a cutout
_HEAD = {True: 0.5, False: 0.15}  # of a person's height, for head and shoulders and for a figure
_FEWEST = 60  # pixels of skin from which a colour can be told
_CONTRAST = (0.7, 1.3)  # how far a hand's contrast may change with its colour


def cut_hands(pixels: Tensor) -> list[Subject]:
    """The raised hands in a picture, those that can be cut out well.

    A hand is a patch of skin that mostly borders on the background. Where it is cut from a sleeve
    or an arm it ends softly.

    Args:
        pixels: uint8 [5, h, w]: RGB, the person's mask, disparity.

    Returns:
        Cutouts of the hands alone: none, one or two.
    """
    image, mask = _image(pixels), pixels[3].cpu().numpy()
    skin = cv2.medianBlur(find_skin(image) & (mask > MASKED).astype(np.uint8), 5)
    skin = cv2.morphologyEx(skin, cv2.MORPH_CLOSE, _disc(5))
    patches = cv2.morphologyEx(skin, cv2.MORPH_OPEN, _disc(5))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(patches, connectivity=4)
    hands = []
    for number in range(1, count):
        left, top, width, height, area = (int(value) for value in stats[number])
        if not _AREA[0] < area / mask.size < _AREA[1]:
            continue
        rows = slice(max(0, top - _MARGIN), top + height + _MARGIN)
        columns = slice(max(0, left - _MARGIN), left + width + _MARGIN)
        around = np.ascontiguousarray(mask[rows, columns])
        patch = _filled((labels[rows, columns] == number).astype(np.uint8))
        good = area > _FILLED * np.count_nonzero(patch) and _is_smooth(patch)
        if good and _is_raised(patch, around):
            alpha = _alpha(patch, around)
            colours = estimate_foreground(np.ascontiguousarray(image[rows, columns]), around)
            hands.append(Subject.cutout(colours, alpha))
    return hands


def match_skin(hand: Subject, target: Subject) -> Subject:
    """A hand as if it were somebody else's: with the mean and about the spread of their face's
    colour.

    As Reinhard et al., "Color Transfer between Images" (IEEE CG&A 2001), in CIELAB. Where a face
    shows no skin, as in a picture without colour, the hand stays as it is.
    """
    face = _face(target)
    if len(face) < _FEWEST:
        return hand
    colours = _lab(hand.image)
    own = colours[hand.pixels[3].cpu().numpy() > MASKED]
    contrast = np.clip(face.std(0) / np.maximum(own.std(0), 0.5), *_CONTRAST)
    moved = np.asarray((colours - own.mean(0)) * contrast + face.mean(0), np.float32)
    levels = (cv2.cvtColor(moved, cv2.COLOR_LAB2RGB) * 255).round().clip(0, 255)
    return hand.painted(np.asarray(levels, np.uint8))


def find_skin(image: Pixels) -> Pixels:
    """1 where a colour is that of skin, uint8 [h, w], in RGB [h, w, 3]."""
    coded = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    inside = cv2.inRange(coded, (0, _RED[0], _BLUE[0]), (255, _RED[1], _BLUE[1]))
    redder = cv2.subtract(coded[..., 1], coded[..., 2]) >= _REDDER
    return np.asarray((inside > 0) & redder, np.uint8)


def _image(pixels: Tensor) -> Pixels:
    return np.ascontiguousarray(pixels[:3].permute(1, 2, 0).cpu().numpy())


def _lab(image: Pixels) -> Colours:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def _disc(size: int) -> Pixels:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))


def _filled(patch: Pixels) -> Pixels:
    """A patch of ones without its holes."""
    outlines, _ = cv2.findContours(patch, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(np.zeros_like(patch), outlines, -1, (1,), -1))


def _is_smooth(patch: Pixels) -> bool:
    blurred = cv2.GaussianBlur(patch * 255, (0, 0), 0.025 * float(patch.sum()) ** 0.5)
    smooth = cv2.threshold(blurred, 127, 1, cv2.THRESH_BINARY)[1]
    return _length(patch) < _RAGGED * _length(np.asarray(smooth))


def _length(patch: Pixels) -> float:
    outlines, _ = cv2.findContours(patch, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return sum(cv2.arcLength(outline, True) for outline in outlines)


def _is_raised(patch: Pixels, mask: Pixels) -> bool:
    """Whether a patch of skin leaves the body, and its mask is sure."""
    ring = cv2.dilate(patch, np.ones((9, 9))) - patch
    background = ring * (mask <= MASKED)
    top = slice(0, len(ring) // 3)
    unsure = (mask > 25) & (mask < 230) & (cv2.dilate(patch, np.ones((5, 5))) > 0)
    return bool(
        background.sum() > _FREE * ring.sum()
        and background[top].sum() > _FREE_TOP * ring[top].sum()
        and unsure.sum() < _HALO * _length(patch)
    )


def _alpha(patch: Pixels, mask: Pixels) -> Pixels:
    """The part of a mask that is a patch's: its soft edge is kept, but where it goes on into the
    body it ends within two pixels."""
    near = cv2.dilate(patch, np.ones((9, 9))) * 255
    ends = np.where(mask > MASKED, cv2.GaussianBlur(patch * 255, (0, 0), 1), near)
    return np.asarray(np.minimum(ends, mask), np.uint8)


def _face(subject: Subject) -> Colours:
    """The colours of skin in the middle of somebody's head, [n, 3]."""
    left, top, right, bottom = subject.box
    height = round(_HEAD[subject.close] * (bottom - top + 1))
    pixels = subject.pixels[:, top : top + height : 2, left : right + 1 : 2]  # enough to tell
    image, mask = _image(pixels), pixels[3].cpu().numpy()
    skin = cv2.erode(find_skin(image) & (mask > MASKED).astype(np.uint8), np.ones((3, 3)))
    found = _lab(image)[skin > 0]
    if not len(found):
        return found
    middle, spread = np.median(found, 0), found.std(0)  # without hair, lips and highlights
    return np.asarray(found[(np.abs(found - middle) < 1.5 * spread + 1).all(1)])
