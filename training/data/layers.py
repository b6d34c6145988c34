"""People, hands and things as layers of a picture: where each is, how large, in which light."""

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from training.data.cards import draw_held
from training.data.chairs import draw_chair
from training.data.hands import match_skin
from training.data.monitors import draw_monitor
from training.data.optics import GAMMA
from training.data.pool import Pool
from training.data.shots import Gain, Layer, Shot, Sway
from training.data.subjects import Subject
from training.data.windows import (
    CALL,
    Framing,
    Range,
    Window,
    window_anywhere,
    window_at,
    window_inside,
    window_over,
)

_HAND = (0.65, 1.5)  # height of a hand with its forearm over a head's
_MOVING_HANDS = 0.4  # of the hands: in motion blur
_CANDIDATES = 6  # scenes, of which the plainest is taken
_MOST_GAIN = 6.0  # that gives a scene the tone of somebody's clothes


class Person(NamedTuple):
    """Somebody in the picture, and the subject whose pixels the layer has."""

    layer: Layer
    subject: Subject

    def head(self) -> tuple[float, float, float]:
        """The head's middle across the picture, its top and its height, over the picture's width
        and height."""
        x, y, width, height = self.layer.shot.window
        head = self.subject.head
        middle = (head.middle - x) / width
        if self.layer.shot.flip:
            middle = 1 - middle
        return middle, (head.top - y) / height, head.height / height


class Composer:
    """Draws the layers of one picture.

    Args:
        pool: the photographs.
        rng: the source of chance.
        shape: the picture's height over its width.
    """

    def __init__(self, pool: Pool, rng: random.Random, shape: float) -> None:
        self._pool, self._rng, self._shape = pool, rng, shape
        self._exposure = rng.uniform(-0.5, 0.4)  # in stops
        self._shake = self._motion(0.008) if rng.random() < 0.06 else (0.0, 0.0)

    def scene(self, least: float) -> Shot:
        """A part of a place, `least` of the photo's width or more."""
        rng = self._rng
        pixels = rng.choice(self._pool.scenes)
        rows, columns = pixels.shape[1:]
        width = min(columns, rows / self._shape) * rng.uniform(least, 1)
        height = width * self._shape
        window = (rng.uniform(0, columns - width), rng.uniform(0, rows - height), width, height)
        return Shot(pixels, window, rng.random() < 0.5, self._gain(), self._shake)

    def scene_like(self, person: Person) -> Shot:
        """A plain place in the tone of somebody's clothes: white before white, dark before dark."""
        shots = [self.scene(0.25) for _ in range(_CANDIDATES)]
        shot = min(shots, key=lambda shot: _contrast(_seen(shot)))
        subject, worn = person.subject, person.layer.shot
        below = subject.pixels[:, int(subject.head.top + 1.3 * subject.head.height) :: 4, ::4]
        inside = below[3] > 127
        if not bool(inside.any()):
            return shot
        clothes = (below[:3, inside] / 255.0) ** GAMMA
        wanted = clothes.mean(1).tolist()
        there = _seen(shot).mean(1).tolist()
        level = self._rng.uniform(0.8, 1.25)
        red, green, blue = (
            min(max(level * gain * w / max(t, 0.01), 1 / _MOST_GAIN), _MOST_GAIN)
            for gain, w, t in zip(worn.gain, wanted, there, strict=True)
        )
        return Shot(shot.pixels, shot.window, shot.flip, (red, green, blue), shot.motion)

    def in_place(self, subject: Subject, framing: Framing | None, least: float) -> Person:
        """Somebody in focus where they were photographed; without a framing they are anywhere.

        Args:
            least: pixels of the window's width that are enough.
        """
        window = (
            window_inside(subject, framing, self._rng, self._shape, least) if framing
            else window_anywhere(subject, self._rng, self._shape, 0.6)
        )  # fmt: skip
        shot = Shot(subject.pixels, window, self._rng.random() < 0.5, self._gain(), self._shake)
        return Person(Layer(shot), subject)

    def cut_out(self, subject: Subject, framing: Framing | None) -> Person:
        """Somebody in focus, cut out of their photo; without a framing they are anywhere."""
        rng, alone = self._rng, subject.alone
        if framing is None or (all(subject.cut) and rng.random() < 0.4):
            window = window_anywhere(alone, rng, self._shape, 0.6)
        else:
            window = window_over(alone, framing, rng, self._shape)
        return self._over(alone, window, rng.random() < 0.5)

    def together(self, subjects: Sequence[Subject], least: float | None) -> list[Person]:
        """People beside each other in focus.

        Args:
            least: pixels that are enough for the first, who is where they were photographed; None
                cuts out the first too.
        """
        rng = self._rng
        places = _side_by_side(len(subjects), rng)
        if least is None:
            size, top = rng.uniform(0.2, 0.36), rng.uniform(0.08, 0.35)
            people = [self._beside(subjects[0], places[0], top, size)]
        else:
            people = [self.in_place(subjects[0], CALL, least)]
            middle, top, size = people[0].head()
            places.sort(key=lambda place: abs(place - middle))
        for subject, place in zip(subjects[1:], places[1:], strict=True):
            own = size * rng.uniform(0.87, 1.15)
            people.append(self._beside(subject, place, top + rng.uniform(-0.25, 0.25) * size, own))
        return people

    def further_off(self, subject: Subject, person: Person) -> Layer:
        """Somebody smaller than a person in focus, and mostly higher, out of focus."""
        rng, alone = self._rng, subject.alone
        _, top, size = person.head()
        nearness = rng.uniform(0.2, 0.6)  # the person's distance over theirs
        size = min(max(size, 0.2), 0.7) * nearness
        window = window_at(alone, size, rng.uniform(0.05, 0.95),
                           max(0.02, top) + rng.uniform(-0.05, 0.2), self._shape)  # fmt: skip
        shot = Shot(alone.pixels, window, rng.random() < 0.5, self._gain(), inside=False)
        return Layer(shot, 1 - nearness, Sway.draw(rng, 0.1))

    def chair(self, person: Person) -> Layer:
        """The back of a chair behind somebody's shoulders, out of focus."""
        rng, chair = self._rng, draw_chair(self._pool.device, self._rng)
        middle, top, size = person.head()
        upper = top + rng.uniform(0.2, 1.1) * size
        height = max(rng.uniform(1.8, 2.6) * size, 1.05 - upper)  # down to the picture's edge
        x = middle + rng.uniform(-0.3, 0.3) * size * self._shape
        shot = self._cutout(chair, x, upper + height / 2, height, self._gain(), self._shake)
        return Layer(shot, rng.uniform(0.2, 0.4))

    def monitor(self) -> Layer:
        """A monitor at a side of the picture, mostly cut by it, behind somebody or before them."""
        rng, monitor = self._rng, draw_monitor(self._pool.device, self._rng)
        height = rng.uniform(0.3, 0.9)
        x = rng.uniform(-0.08, 0.2)
        if rng.random() < 0.5:
            x = 1 - x
        y = rng.uniform(0.35, 1.0)
        shot = self._cutout(monitor, x, y, height, self._gain(), self._shake)
        return Layer(shot, rng.uniform(0.12, 0.5) * rng.choice((1, 1, -1)))

    def hands(self, person: Person) -> list[Layer]:
        """One or two hands beside, before or over somebody, now and then with a thing in them;
        none of a pool that has none."""
        rng = self._rng
        layers: list[Layer] = []
        if not self._pool.hands:
            return layers
        middle, top, size = person.head()
        size = min(size, 0.75)  # no hand is larger than the picture
        side = rng.choice((-1, 1))
        for number in range(1 if rng.random() < 0.7 else 2):
            hand = match_skin(rng.choice(self._pool.hands), person.subject)
            height = size * rng.uniform(*_HAND)
            where = rng.random()
            if where < 0.45:  # beside
                across, down = rng.uniform(0.8, 1.6) * (-side if number else side), (-0.1, 1.4)
            elif where < 0.7:  # before the chest
                across, down = rng.uniform(-0.7, 0.7), (1.2, 1.9)
            else:  # over the face
                across, down = rng.uniform(-0.55, 0.55), (0.2, 1.0)
            x = min(max(middle + across * size * self._shape, -0.04), 1.04)
            y = min(top + rng.uniform(*down) * size, 1.02)
            if where < 0.45 and rng.random() < 0.6:  # the arm comes from below the picture
                y = max(y, 1 - 0.5 * height + rng.uniform(0, 0.1))
            motion = person.layer.shot.motion
            if rng.random() < _MOVING_HANDS:
                motion = self._motion(0.07)
            own, gain = Sway.draw(rng, 0.35), person.layer.shot.gain
            layer = Layer(self._cutout(hand, x, y, height, gain, motion), own=own)
            held: list[Layer] = []
            if rng.random() < 0.3:
                share = height * rng.uniform(0.5, 1.2)
                up = y - height * rng.uniform(0.1, 0.4)
                shot = self._cutout(self._thing(), x, up, share, self._gain(), motion)
                held = [Layer(shot, own=own)]
            layers += [*held, layer] if rng.random() < 0.7 else [layer, *held]
        return layers

    def thing(self) -> Layer:
        """A thing in focus with nobody."""
        return self._held_up(0.3, 0.9)

    def front(self) -> list[Layer]:
        """Now and then something held up, or something large at a lower corner, near the lens."""
        rng = self._rng
        chance = rng.random()
        if chance < 0.05:
            return [self._held_up(0.15, 0.5)]
        if chance > 0.1:
            return []
        subject = rng.choice(self._pool.objects or self._pool.people)
        left, top, right, _ = subject.box
        width = (right - left + 1) / rng.uniform(0.2, 0.5)
        height = width * self._shape
        x = left - width * rng.choice((rng.uniform(-0.15, 0.05), rng.uniform(0.7, 0.95)))
        window = (x, top - height * rng.uniform(0.5, 0.8), width, height)
        shot = Shot(subject.pixels, window, rng.random() < 0.5, self._gain(), inside=False)
        return [Layer(shot, -rng.uniform(0.5, 1))]

    def _beside(self, subject: Subject, middle: float, top: float, size: float) -> Person:
        alone, flip = subject.alone, self._rng.random() < 0.5
        window = window_at(alone, size, 1 - middle if flip else middle, top, self._shape)
        return self._over(alone, window, flip)

    def _over(self, alone: Subject, window: Window, flip: bool) -> Person:
        rng = self._rng
        motion = self._motion(0.025) if rng.random() < 0.15 else self._shake
        shot = Shot(alone.pixels, window, flip, self._gain(), motion, inside=False)
        return Person(Layer(shot, own=Sway.draw(rng, 0.2)), alone)

    def _thing(self) -> Subject:
        drawn = not self._pool.objects or self._rng.random() < 0.5
        return draw_held(self._pool, self._rng) if drawn else self._rng.choice(self._pool.objects)

    def _held_up(self, least: float, most: float) -> Layer:
        """A thing that takes this share of the picture's width or height, mostly low."""
        rng, thing = self._rng, self._thing()
        left, top, right, bottom = thing.box
        wide = (right - left + 1) / (bottom - top + 1) * self._shape  # where it is as high as 1
        height = rng.uniform(least, most) / max(1, wide)
        x, y = rng.uniform(0.2, 0.8), rng.uniform(0.35, 0.95)
        shot = self._cutout(thing, x, y, height, self._gain(), self._shake)
        return Layer(shot, own=Sway.draw(rng, 0.2))

    def _cutout(self, thing: Subject, x: float, y: float, height: float, gain: Gain,
                motion: Range) -> Shot:  # fmt: skip
        """A thing with its middle in a place of the picture, and its height over the picture's."""
        left, top, right, bottom = thing.box
        flip = self._rng.random() < 0.5
        high = (bottom - top + 1) / height
        wide = high / self._shape
        window = ((left + right) / 2 - (1 - x if flip else x) * wide,
                  (top + bottom) / 2 - y * high, wide, high)  # fmt: skip
        return Shot(thing.pixels, window, flip, gain, motion, inside=False)

    def _gain(self) -> Gain:
        """About the picture's exposure, with a tint."""
        exposure = 2.0 ** (self._exposure + self._rng.uniform(-0.3, 0.3))
        red, green, blue = (exposure * self._rng.uniform(0.88, 1.12) for _ in range(3))
        return red, green, blue

    def _motion(self, size: float) -> Range:
        length, angle = self._rng.uniform(0.2, 1) * size, self._rng.uniform(0, 2 * math.pi)
        return length * math.cos(angle), length * math.sin(angle)


def _side_by_side(count: int, rng: random.Random) -> list[float]:
    """Places across the picture, in any order."""
    between = 0.55 / (count - 1)
    places = [0.225 + number * between + rng.uniform(-0.09, 0.09) for number in range(count)]
    return rng.sample(places, count)


def _seen(shot: Shot) -> Tensor:
    """Some of the linear light that a shot sees, [3, n]."""
    x, y, width, height = (int(value) for value in shot.window)
    part = shot.pixels[:3, y : y + height : 6, x : x + width : 6]
    return (part.flatten(1) / 255.0) ** GAMMA


def _contrast(light: Tensor) -> float:
    return float(light.std() / light.mean().clamp(min=1e-3))
