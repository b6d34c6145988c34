"""Hands and things as layers of a picture: beside, before and behind somebody."""

import math
import random
from typing import NamedTuple

from training.data.cards import draw_held
from training.data.chairs import draw_chair
from training.data.hands import match_skin
from training.data.monitors import draw_monitor
from training.data.pool import Pool
from training.data.shots import Gain, Layer, Shot, Sway
from training.data.subjects import Subject
from training.data.windows import Range

_HAND = (0.65, 1.5)  # height of a hand with its forearm over a head's
_MOVING_HANDS = 0.4  # of the hands: in motion blur


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


class Props:
    """Draws what stands before and behind the people of one picture.

    Args:
        pool: the photographs.
        rng: the source of chance.
        shape: the picture's height over its width.
    """

    def __init__(self, pool: Pool, rng: random.Random, shape: float) -> None:
        self._pool, self._rng, self._shape = pool, rng, shape
        self._exposure = rng.uniform(-0.5, 0.4)  # in stops
        self._shake = self._motion(0.008) if rng.random() < 0.06 else (0.0, 0.0)

    def chair(self, person: Person) -> Layer:
        """The back of a chair behind somebody's shoulders, out of focus."""
        rng, chair = self._rng, draw_chair(self._rng)
        middle, top, size = person.head()
        upper = top + rng.uniform(0.2, 1.1) * size
        height = max(rng.uniform(1.8, 2.6) * size, 1.05 - upper)  # down to the picture's edge
        x = middle + rng.uniform(-0.3, 0.3) * size * self._shape
        shot = self._cutout(chair, x, upper + height / 2, height, self._gain(), self._shake)
        return Layer(shot, rng.uniform(0.2, 0.4))

    def monitor(self) -> Layer:
        """A monitor at a side of the picture, mostly cut by it, behind somebody or before them."""
        rng, monitor = self._rng, draw_monitor(self._rng)
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

    def open_hands(self, person: Person) -> list[Layer]:
        """One or both hands at somebody's waist, turned outwards as of one who explains; none of a
        pool that has none."""
        rng = self._rng
        layers: list[Layer] = []
        if not self._pool.hands:
            return layers
        middle, top, size = person.head()
        moves = rng.random() < _MOVING_HANDS / 2
        for side in rng.sample((-1, 1), 1 if rng.random() < 0.25 else 2):
            hand = match_skin(rng.choice(self._pool.hands), person.subject)
            angle = rng.uniform(-0.4, 2.0)
            turned = hand.turned(angle)
            length = size * rng.uniform(0.9, 1.6)
            # the middle of a forearm that begins at the elbow
            x = middle + side * self._shape * (
                rng.uniform(0.55, 1.0) * size + math.sin(angle) * length / 2
            )
            y = top + rng.uniform(2.2, 2.9) * size - math.cos(angle) * length / 2
            height = length * _height(turned) / _height(hand)
            motion = self._motion(0.04) if moves else person.layer.shot.motion
            shot = self._cutout(turned, x, y, height, person.layer.shot.gain, motion, side < 0)
            layers.append(Layer(shot, own=Sway.draw(rng, 0.2)))
        return layers

    def clutter(self, person: Person) -> list[Layer]:
        """Things out of focus behind somebody, about at the height of the elbows."""
        rng = self._rng
        middle, top, size = person.head()
        layers = []
        for _ in range(rng.randint(1, 3)):
            chair = not self._pool.objects or rng.random() < 0.4
            thing = draw_chair(rng) if chair else rng.choice(self._pool.objects)
            x = middle + rng.uniform(-2.2, 2.2) * size * self._shape
            y, height = top + rng.uniform(1.2, 3.2) * size, rng.uniform(0.5, 1.8) * size
            shot = self._cutout(thing, x, y, height, self._gain(), self._shake)
            layers.append(Layer(shot, rng.uniform(0.12, 0.6)))
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
                motion: Range, flip: bool | None = None) -> Shot:  # fmt: skip
        """A thing with its middle in a place of the picture, and its height over the picture's;
        either way round, if `flip` does not say."""
        left, top, right, bottom = thing.box
        if flip is None:
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


def _height(thing: Subject) -> int:
    """In pixels of its photo."""
    _, top, _, bottom = thing.box
    return bottom - top + 1
