"""What a synthetic sample shows, drawn at random: who stands where, before what, in which light.

A plan is drawn once for a sample or a clip; `Shot.at` moves its parts in time.
"""

import math
import random
from dataclasses import dataclass, replace

from torch import Tensor

from training.data.cards import draw_card
from training.data.pool import Pool
from training.data.subjects import Subject
from training.data.webcam import Webcam

Window = tuple[float, float, float, float]  # left, top, width, height in a photo's pixels
_INSIDE_CHANCE, _SOMEBODY, _THING = 0.34, 0.38, 0.14  # the rest: scenes without a subject
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
class Plan:
    """What one sample shows, from back to front: scene, behind, subject, front.

    scene: the place; without a subject, what is nearest in it is in focus.
    webcam: through which all of it is seen.
    camera: how the camera moves in a clip.
    own: how the subject moves beside that.
    subject: what is in focus, if anything.
    close: the subject is head and shoulders.
    in_place: scene and subject are of one photo.
    behind: what stands between, with its circle of confusion over the largest.
    front: what stands before the subject, with the same: negative, as it is nearer to the lens, or
        0 when the subject holds it, in focus too.
    """

    scene: Shot
    webcam: Webcam
    camera: Sway
    own: Sway
    subject: Shot | None = None
    close: bool = False
    in_place: bool = False
    behind: tuple[Shot, float] | None = None
    front: tuple[Shot, float] | None = None


class Planner:
    """Draws plans for a picture of `height` by `width` pixels from a pool."""

    def __init__(self, pool: Pool, rng: random.Random, height: int, width: int) -> None:
        self._pool, self._rng = pool, rng
        self._shape = height / width

    def draw(self) -> Plan:
        rng = self._rng
        chance = rng.random()
        dark = rng.random() < 0.12
        light = rng.uniform(-2.2, -0.9) if dark else rng.uniform(-0.7, 0.4)
        camera, own = Sway.draw(rng, 0.12), Sway.draw(rng, 0.2)
        shake = self._motion(0.008) if rng.random() < 0.06 else (0.0, 0.0)
        moved = self._motion(0.025) if rng.random() < 0.15 else shake
        webcam = Webcam.draw(rng, dark)
        pool = self._pool
        if chance < _INSIDE_CHANCE:
            subject = rng.choice(pool.close if rng.random() < 0.3 else pool.people)
            gain = self._gain(light)
            shot = Shot(subject.pixels, self._window(subject), rng.random() < 0.5, gain, shake)
            return Plan(
                shot, webcam, camera, own, shot, subject.close, True, front=self._front(light)
            )
        scene = self._scene(0.5, self._gain(light), shake)
        if chance < _INSIDE_CHANCE + _SOMEBODY:
            subject = rng.choice(pool.close if rng.random() < 0.4 else pool.people)
            others, window = 0.2, self._over(subject)
        elif chance < _INSIDE_CHANCE + _SOMEBODY + _THING:
            drawn = not pool.objects or rng.random() < 0.7
            subject = draw_card(pool, rng) if drawn else rng.choice(pool.objects)
            others, window = 0.4, self._held(subject, 0.3, 0.9)
        else:
            return Plan(scene, webcam, camera, own)
        behind = self._behind(light) if rng.random() < others else None
        shot = Shot(subject.pixels, window, rng.random() < 0.5, self._gain(light), moved,
                    inside=False)  # fmt: skip
        front = self._front(light)
        return Plan(scene, webcam, camera, own, shot, subject.close, False, behind, front)

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

    def _behind(self, light: float) -> tuple[Shot, float]:
        """Somebody smaller, or a picture, further back."""
        rng = self._rng
        if rng.random() < 0.25:
            card = draw_card(self._pool, rng)
            left, top, right, bottom = card.box
            cw = (right - left + 1) / rng.uniform(0.15, 0.5)
            ch = cw * self._shape
            window = (left - cw * rng.uniform(-0.1, 0.8), top - ch * rng.uniform(0, 0.5), cw, ch)
            shot = Shot(card.pixels, window, False, self._gain(light), inside=False)
            return shot, rng.uniform(0.5, 1)
        subject = rng.choice(self._pool.people)
        left, top, right, bottom = subject.box
        ch = (bottom - top + 1) * rng.uniform(1.1, 2.2)
        cw = ch / self._shape
        x = (left + right) / 2 - cw * rng.uniform(0.1, 0.9)
        window = (x, top - ch * rng.uniform(0.1, 0.35), cw, ch)
        shot = Shot(subject.pixels, window, rng.random() < 0.5, self._gain(light), inside=False)
        return shot, rng.uniform(0.35, 0.8)

    def _front(self, light: float) -> tuple[Shot, float] | None:
        """Now and then something held up, or something large at a lower corner, near the lens."""
        rng = self._rng
        chance = rng.random()
        if chance < 0.12:
            things = self._pool.objects
            thing = rng.choice(things) if things and chance < 0.03 else draw_card(self._pool, rng)
            window = self._held(thing, 0.15, 0.5)
            return Shot(thing.pixels, window, False, self._gain(light), inside=False), 0.0
        if chance > 0.18:
            return None
        subject = rng.choice(self._pool.objects or self._pool.people)
        left, top, right, _ = subject.box
        cw = (right - left + 1) / rng.uniform(0.2, 0.5)
        ch = cw * self._shape
        x = left - cw * rng.choice((rng.uniform(-0.15, 0.05), rng.uniform(0.7, 0.95)))
        window = (x, top - ch * rng.uniform(0.5, 0.8), cw, ch)
        shot = Shot(subject.pixels, window, rng.random() < 0.5, self._gain(light), inside=False)
        return shot, -rng.uniform(0.5, 1)
