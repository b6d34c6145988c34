"""A scene and people as layers of a picture: where each is, how large, in which light."""

import random
from collections.abc import Sequence

from torch import Tensor

from training.data.optics import GAMMA
from training.data.props import Person, Props
from training.data.shots import Layer, Shot, Sway
from training.data.subjects import Subject
from training.data.windows import (
    CALL,
    Framing,
    Window,
    window_anywhere,
    window_at,
    window_inside,
    window_over,
)

_CANDIDATES = 6  # scenes, of which the plainest is taken
_MOST_GAIN = 6.0  # that gives a scene the tone of somebody's clothes


class Composer(Props):
    """Draws the layers of one picture: the scene, the people, and what `Props` has."""

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

    def _beside(self, subject: Subject, middle: float, top: float, size: float) -> Person:
        alone, flip = subject.alone, self._rng.random() < 0.5
        window = window_at(alone, size, 1 - middle if flip else middle, top, self._shape)
        return self._over(alone, window, flip)

    def _over(self, alone: Subject, window: Window, flip: bool) -> Person:
        rng = self._rng
        motion = self._motion(0.025) if rng.random() < 0.15 else self._shake
        shot = Shot(alone.pixels, window, flip, self._gain(), motion, inside=False)
        return Person(Layer(shot, own=Sway.draw(rng, 0.2)), alone)


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
