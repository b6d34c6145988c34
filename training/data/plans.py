"""What a synthetic sample shows, drawn at random: who stands where, before what, in which light.

A plan is drawn once for a sample or a clip; `Shot.at` moves its parts in time.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from training.data.cards import draw_card
from training.data.pool import Pool
from training.data.subjects import Subject
from training.data.webcam import Webcam


@dataclass(frozen=True)
class Kind:
    """A kind of sample.

    share: of all samples, over the sum of the shares.
    sources: of the people in it, with their weights (see `training.data.pool`).
    in_place: how often they are in their own photo; else they are put over another scene.
    """

    share: float
    sources: Mapping[str, float] = field(default_factory=dict)
    in_place: float = 0.0


PORTRAITS, STANDING, THINGS, NOBODY = "portraits", "standing people", "things held up", "nobody"
# What a folder lacks is left out; a source that is not named here is one of portraits if its people
# are close, else one of standing people.
KINDS = {
    PORTRAITS: Kind(
        38, {"faker": 10, "house": 8, "18f": 5, "vm": 2, "openpeople": 1, "rembg": 0.2}, 0.65
    ),
    "webcam frames with hands": Kind(25, {"hands": 1}, 0.75),
    "hats, curls, glasses": Kind(10, {"interfaces": 1}, 0.65),
    STANDING: Kind(14, {"ccp": 1}, 0.45),
    THINGS: Kind(4),
    NOBODY: Kind(9),
}
Window = tuple[float, float, float, float]  # left, top, width, height in a photo's pixels
_FACE = 0.15  # chance that a face fills the picture


def _within(window: Window, pixels: Tensor) -> Window:
    """The window shifted into its photo, which is no smaller."""
    x, y, w, h = window
    rows, columns = pixels.shape[1:]
    return min(max(x, 0.0), columns - w), min(max(y, 0.0), rows - h), w, h


@dataclass(frozen=True)
class Sway:
    """Smooth motion: amplitudes over the window's width and height, zoom, all as sines in time."""

    across: float = 0.0
    down: float = 0.0
    zoom: float = 0.0
    frequency: float = 0.0  # cycles a frame
    phase: float = 0.0

    @staticmethod
    def draw(rng: random.Random, size: float) -> "Sway":
        across, down, zoom = (rng.uniform(-size, size) for _ in range(3))
        return Sway(across, down, zoom, rng.uniform(0.01, 0.05), rng.uniform(0, 2 * math.pi))

    def at(self, time: int) -> tuple[float, float, float]:
        """Shift across and down, and zoom from 0 up; nothing but the zoom is taken at time 0."""
        angle = 2 * math.pi * self.frequency * time
        wave = math.sin(angle + self.phase) - math.sin(self.phase)
        return self.across * wave, self.down * wave, abs(self.zoom) * (1 - math.cos(angle)) / 2


@dataclass(frozen=True)
class Shot:
    """A photo and the window of it that fills the picture."""

    pixels: Tensor  # uint8 [4 or 5, h, w], see `training.data.pool`
    window: Window
    flip: bool
    gain: tuple[float, float, float]  # of linear light
    motion: tuple[float, float] = (0.0, 0.0)  # of the exposure, over the window's width and height
    inside: bool = True  # the window must stay inside the photo

    def at(self, *sways: Sway, time: int) -> "Shot":
        """The same with its window moved."""
        x, y, w, h = self.window
        for sway in sways:
            across, down, zoom = sway.at(time)
            x, y = x + across * w, y + down * h
            x, y, w, h = x + w * zoom / 2, y + h * zoom / 2, w * (1 - zoom), h * (1 - zoom)
        window = (x, y, w, h)
        return replace(self, window=_within(window, self.pixels) if self.inside else window)


@dataclass(frozen=True)
class Layer:
    """Somebody or something before the scene.

    coc: circle of confusion over the largest: 0 in focus, positive further from the lens, negative
        nearer to it.
    own: how it moves beside the camera.
    """

    shot: Shot
    coc: float = 0.0
    own: Sway = Sway()


@dataclass(frozen=True)
class Plan:
    """What one sample shows.

    scene: the place; without a layer in focus, what is nearest in it is.
    layers: what stands before it, from back to front. The scene's shot itself is somebody who is
        where they were photographed.
    camera: how the camera moves in a clip.
    webcam: through which all of it is seen.
    """

    scene: Shot
    layers: tuple[Layer, ...]
    camera: Sway
    webcam: Webcam

    @property
    def in_place(self) -> bool:
        """Whether somebody is where they were photographed."""
        return any(layer.shot is self.scene for layer in self.layers)


def people_of(pool: Pool) -> dict[str, dict[str, float]]:
    """The kinds of sample that a pool has photographs for, with the sources of their people.

    A kind without people has no sources.
    """
    named = {source for kind in KINDS.values() for source in kind.sources}
    found = {}
    for name, kind in KINDS.items():
        sources = {source: w for source, w in kind.sources.items() if source in pool.sources}
        if name in (PORTRAITS, STANDING):
            sources |= {
                source: 1.0 for source, people in pool.sources.items()
                if source not in named and people[0].close == (name == PORTRAITS)
            }  # fmt: skip
        if sources or not kind.sources:
            found[name] = sources
    return found


class Planner:
    """Draws plans for a picture of `height` by `width` pixels from a pool."""

    def __init__(self, pool: Pool, rng: random.Random, height: int, width: int) -> None:
        self._pool, self._rng = pool, rng
        self._shape = height / width
        self._kinds = people_of(pool)

    def draw(self) -> Plan:
        rng = self._rng
        kind = rng.choices(list(self._kinds), [KINDS[name].share for name in self._kinds])[0]
        dark = rng.random() < 0.12
        light = rng.uniform(-2.2, -0.9) if dark else rng.uniform(-0.7, 0.4)
        shake = self._motion(0.008) if rng.random() < 0.06 else (0.0, 0.0)
        camera, webcam = Sway.draw(rng, 0.12), Webcam.draw(rng, dark)
        if people := self._kinds[kind]:
            subject = self._somebody(people)
            if rng.random() < KINDS[kind].in_place:
                shot = Shot(subject.pixels, self._window(subject), rng.random() < 0.5,
                            self._gain(light), shake)  # fmt: skip
                layers = [Layer(shot), *self._front(light)]
                return Plan(shot, tuple(layers), camera, webcam)
            layers = self._composite(subject, self._over(subject), light, shake, 0.2)
        elif kind == THINGS:
            drawn = not self._pool.objects or rng.random() < 0.7
            thing = draw_card(self._pool, rng) if drawn else rng.choice(self._pool.objects)
            layers = self._composite(thing, self._held(thing, 0.3, 0.9), light, shake, 0.4)
        else:
            layers = []
        return Plan(self._scene(0.5, self._gain(light), shake), tuple(layers), camera, webcam)

    def _somebody(self, people: Mapping[str, float]) -> Subject:
        """Somebody of one of these sources, which have weights."""
        source = self._rng.choices(list(people), list(people.values()))[0]
        return self._rng.choice(self._pool.sources[source])

    def _composite(self, subject: Subject, window: Window, light: float,
                   shake: tuple[float, float], others: float) -> list[Layer]:  # fmt: skip
        """A subject in focus over another scene, with this chance of something behind it."""
        rng = self._rng
        motion = self._motion(0.025) if rng.random() < 0.15 else shake
        pixels = self._pool.alone(subject)
        shot = Shot(pixels, window, rng.random() < 0.5, self._gain(light), motion, inside=False)
        behind = [self._behind(light)] if rng.random() < others else []
        return [*behind, Layer(shot, own=Sway.draw(rng, 0.2)), *self._front(light)]

    def _gain(self, stops: float) -> tuple[float, float, float]:
        """About an exposure, with a tint."""
        exposure = 2.0 ** (stops + self._rng.uniform(-0.3, 0.3))
        red, green, blue = (exposure * self._rng.uniform(0.88, 1.12) for _ in range(3))
        return red, green, blue

    def _motion(self, size: float) -> tuple[float, float]:
        length, angle = self._rng.uniform(0.2, 1) * size, self._rng.uniform(0, 2 * math.pi)
        return length * math.cos(angle), length * math.sin(angle)

    def _scene(self, least: float, gain: tuple[float, float, float],
               motion: tuple[float, float]) -> Shot:  # fmt: skip
        rng = self._rng
        pixels = rng.choice(self._pool.scenes)
        h, w = pixels.shape[1:]
        cw = min(w, h / self._shape) * rng.uniform(least, 1)
        ch = cw * self._shape
        window = (rng.uniform(0, w - cw), rng.uniform(0, h - ch), cw, ch)
        return Shot(pixels, window, rng.random() < 0.5, gain, motion)

    def _window(self, subject: Subject) -> Window:
        """A window inside the subject's own photo."""
        rng = self._rng
        h, w = subject.pixels.shape[1:]
        left, top, right, bottom = subject.box
        fit = min(w, h / self._shape)  # the widest window of this shape
        if rng.random() < _FACE:
            return _within(self._face(subject, fit), subject.pixels)
        if subject.close:
            cw = fit * rng.uniform(0.75, 1)
            ch = cw * self._shape
            return rng.uniform(0, w - cw), rng.uniform(0, h - ch) * rng.uniform(0, 0.6), cw, ch
        share = rng.uniform(1.02, 1.4) if rng.random() < 0.4 else rng.uniform(0.25, 0.8)
        cw = min(fit, max((bottom - top + 1) * share / self._shape, 0.3 * w))
        ch = cw * self._shape
        x = (left + right) / 2 - cw * rng.uniform(0.3, 0.7)
        y = top - ch * rng.uniform(0.02, 0.3)
        if rng.random() < 0.15:  # anywhere: legs, hands, half a person
            y = rng.uniform(0, h - ch)
        return _within((x, y, cw, ch), subject.pixels)

    def _over(self, subject: Subject) -> Window:
        """A window around a subject that is put over another scene."""
        rng = self._rng
        h, w = subject.pixels.shape[1:]
        left, top, right, bottom = subject.box
        if rng.random() < _FACE:
            return self._face(subject, math.inf)
        if subject.close:
            cw = w / rng.uniform(0.35, 0.8)
            ch = cw * self._shape
            y = h - ch  # the photo's lower edge is the picture's
        else:
            whole = rng.random() < 0.15
            shown = (bottom - top + 1) * (
                1 if whole else rng.uniform(0.2, 0.8)
            )  # from the head down
            ch = shown / rng.uniform(0.7, 0.95)
            cw = ch / self._shape
            y = top - (ch - shown) * rng.uniform(0.3 if whole else 0.6, 1)
        return (left + right) / 2 - cw * rng.uniform(0.25, 0.75), y, cw, ch

    def _face(self, subject: Subject, widest: float) -> Window:
        """A window that a face fills, as of somebody who leans towards the camera."""
        rng = self._rng
        left, top, right, bottom = subject.box
        # head and shoulders are about two heads high, a standing person seven
        head = (bottom - top + 1) / (2 if subject.close else 7)
        ch = min(head * rng.uniform(0.7, 1.6), widest * self._shape)
        cw = ch / self._shape
        x = (left + right) / 2 - cw * rng.uniform(0.1, 0.9)
        return x, top - ch * rng.uniform(-0.3, 0.2), cw, ch

    def _held(self, subject: Subject, least: float, most: float) -> Window:
        """A window in which a thing takes this share of the width or height, mostly low."""
        rng = self._rng
        left, top, right, bottom = subject.box
        width, height = right - left + 1, bottom - top + 1
        cw = max(width, height / self._shape) / rng.uniform(least, most)
        ch = cw * self._shape
        x = (left + right) / 2 - cw * rng.uniform(0.2, 0.8)
        return x, (top + bottom) / 2 - ch * rng.uniform(0.35, 0.95), cw, ch

    def _behind(self, light: float) -> Layer:
        """Somebody smaller, or a picture, further back."""
        rng = self._rng
        if rng.random() < 0.25:
            card = draw_card(self._pool, rng)
            left, top, right, bottom = card.box
            cw = (right - left + 1) / rng.uniform(0.15, 0.5)
            ch = cw * self._shape
            window = (left - cw * rng.uniform(-0.1, 0.8), top - ch * rng.uniform(0, 0.5), cw, ch)
            shot = Shot(card.pixels, window, False, self._gain(light), inside=False)
            return Layer(shot, rng.uniform(0.5, 1))
        subject = self._somebody(self._kinds.get(STANDING) or self._kinds[PORTRAITS])
        left, top, right, bottom = subject.box
        ch = (bottom - top + 1) * rng.uniform(1.1, 2.2)
        cw = ch / self._shape
        x = (left + right) / 2 - cw * rng.uniform(0.1, 0.9)
        window = (x, top - ch * rng.uniform(0.1, 0.35), cw, ch)
        shot = Shot(subject.pixels, window, rng.random() < 0.5, self._gain(light), inside=False)
        return Layer(shot, rng.uniform(0.35, 0.8))

    def _front(self, light: float) -> list[Layer]:
        """Now and then something held up, or something large at a lower corner, near the lens."""
        rng = self._rng
        chance = rng.random()
        if chance < 0.12:
            things = self._pool.objects
            thing = rng.choice(things) if things and chance < 0.03 else draw_card(self._pool, rng)
            window = self._held(thing, 0.15, 0.5)
            return [Layer(Shot(thing.pixels, window, False, self._gain(light), inside=False))]
        if chance > 0.18:
            return []
        subject = rng.choice(self._pool.objects or self._pool.people)
        left, top, right, _ = subject.box
        cw = (right - left + 1) / rng.uniform(0.2, 0.5)
        ch = cw * self._shape
        x = left - cw * rng.choice((rng.uniform(-0.15, 0.05), rng.uniform(0.7, 0.95)))
        window = (x, top - ch * rng.uniform(0.5, 0.8), cw, ch)
        shot = Shot(subject.pixels, window, rng.random() < 0.5, self._gain(light), inside=False)
        return [Layer(shot, -rng.uniform(0.5, 1))]
