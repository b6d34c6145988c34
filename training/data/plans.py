"""What a synthetic sample shows, drawn at random: who is where, before what, in which light.

A plan is drawn once for a sample or a clip; `Shot.at` moves its parts in time.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from training.data.arms import spread_arms
from training.data.clothes import recolour
from training.data.layers import Composer
from training.data.lighting import Lighting
from training.data.pool import Pool
from training.data.props import Person
from training.data.shots import Layer, Shot, Sway
from training.data.subjects import Subject
from training.data.webcam import Webcam
from training.data.windows import FRAMINGS, HALF_FIGURE, WHOLE_FIGURE, Framing, draw_framing
from training.data.worn import dress


@dataclass(frozen=True)
class Kind:
    """A kind of sample.

    share: of all samples, over the sum of the shares.
    sources: of the people in it, with their weights (see `training.data.pool`).
    in_place: how often they are in their own photo; else they are put over another scene.
    pasted_hands: how often they have others' hands raised before them.
    open_hands: how often they have others' hands at the waist, turned outwards.
    clutter: how often things stand behind them at the height of their elbows.
    framings: where their heads are, with weights; without any they are anywhere.
    """

    share: float
    sources: Mapping[str, float] = field(default_factory=dict)
    in_place: float = 0.0
    pasted_hands: float = 0.0
    open_hands: float = 0.0
    clutter: float = 0.15
    framings: Mapping[Framing, float] = field(default_factory=lambda: FRAMINGS)


# Sources of people, with weights. One that is not named here is of the first if its people are
# close, else of the second.
_CLOSE = {
    "faker": 10, "house": 8, "18f": 5, "interfaces": 5, "vm": 2, "openpeople": 1, "rembg": 0.1
}  # fmt: skip
_WHOLE = {"ccp": 1.0}
_WEBCAM = {"hands": 1.0}
PORTRAITS, STANDING, HALF = "portraits", "standing people", "half figures"
SEVERAL, NOBODY = "several people", "nobody"
WEBCAM, RAISED, THINGS = "webcam frames with hands", "portraits with pasted hands", "things alone"
# What a folder lacks is left out, and the rest makes up for it.
KINDS = {
    PORTRAITS: Kind(24, _CLOSE, in_place=0.65),
    WEBCAM: Kind(18, _WEBCAM, in_place=0.75, framings={}),
    RAISED: Kind(13, _CLOSE, in_place=0.55, pasted_hands=1),
    STANDING: Kind(
        15, _WHOLE, in_place=0.5, pasted_hands=0.3, framings=FRAMINGS | {WHOLE_FIGURE: 0.5}
    ),
    HALF: Kind(
        18, _WHOLE, in_place=0.35, open_hands=0.6, clutter=0.45, framings={HALF_FIGURE: 1.0}
    ),
    SEVERAL: Kind(17, _CLOSE | {"ccp": 15.0}, in_place=0.25),
    THINGS: Kind(3),
    NOBODY: Kind(8),
}
_ENOUGH = 0.5  # pixels of a photo for each of the picture, across
_TONES = 0.18  # of composites: the scene has the tone of the clothes before it
_DRESSED = 0.2  # of people: with headphones, a headband, a cap or a hat drawn on
_RECOLOURED = 0.25  # of people: in clothes of another colour
_SPREAD = 0.5  # of half figures over another scene: arms away from the body, if there is a gap
_MONITORS = 0.15  # of samples with people: a monitor at a side
_CHAIRS = 0.1  # of samples with people: a chair's back behind the shoulders
_STILL, _STILL_BUT_HANDS = 0.25, 0.15  # of clips: nothing moves; nothing but what is held up


@dataclass(frozen=True)
class Plan:
    """What one sample shows.

    scene: the place; without a layer in focus, what is nearest in it is.
    layers: what stands before it, from back to front. The scene's shot itself is somebody who is
        where they were photographed.
    camera: how the camera moves in a clip.
    lighting: what all of it is lit by, if not as it was photographed.
    webcam: through which it is seen.
    """

    scene: Shot
    layers: tuple[Layer, ...]
    camera: Sway
    lighting: Lighting | None
    webcam: Webcam

    @property
    def moves(self) -> bool:
        """Whether anything does in a clip."""
        return any(sway != Sway() for sway in (self.camera, *(x.own for x in self.layers)))

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
        for alike, close in ((_CLOSE, True), (_WHOLE, False)):
            if alike.keys() <= kind.sources.keys():
                sources |= {
                    source: 1.0 for source, people in pool.sources.items()
                    if source not in named and people[0].close == close
                }  # fmt: skip
        if sources or not kind.sources:
            found[name] = sources
    return found


class Planner:
    """Draws plans for a picture of `height` by `width` pixels from a pool."""

    def __init__(self, pool: Pool, rng: random.Random, height: int, width: int) -> None:
        self._pool, self._rng = pool, rng
        self._shape, self._least = height / width, width * _ENOUGH
        self._kinds = people_of(pool)

    def draw(self) -> Plan:
        rng = self._rng
        kind = rng.choices(list(self._kinds), [KINDS[name].share for name in self._kinds])[0]
        composer = Composer(self._pool, rng, self._shape)
        lighting = Lighting.draw(rng)
        webcam = Webcam.draw(rng, dark=lighting is not None and lighting.dark)
        hands: list[Layer] = []
        if self._kinds[kind]:
            scene, layers, hands = self._people(kind, composer)
        elif kind == THINGS:
            scene, layers = composer.scene(0.5), [composer.thing()]
        else:
            scene, layers = composer.scene(0.5), []
        if layers:
            hands += composer.front()
        camera, pause = Sway.draw(rng, 0.12), rng.random()
        if pause < _STILL + _STILL_BUT_HANDS:
            camera, layers = Sway(), [replace(layer, own=Sway()) for layer in layers]
            if pause < _STILL:
                hands = [replace(layer, own=Sway()) for layer in hands]
        return Plan(scene, (*layers, *hands), camera, lighting, webcam)

    def _people(self, kind: str, composer: Composer) -> tuple[Shot, list[Layer], list[Layer]]:
        """A scene, the people in it, and the hands before them, with what they hold."""
        rng = self._rng
        in_place = rng.random() < KINDS[kind].in_place
        people: list[Person]
        if kind == SEVERAL:
            people = self._together(in_place, composer)
        else:
            subject = self._somebody(kind)
            if kind == HALF and not in_place and rng.random() < _SPREAD:
                subject = self._with_arms_away(subject)
            if rng.random() < _RECOLOURED:
                subject = recolour(subject, rng)
            if kind != WEBCAM and rng.random() < _DRESSED:
                subject = dress(subject, rng)
            framing = draw_framing(rng, KINDS[kind].framings)
            people = [
                composer.in_place(subject, framing, self._least) if in_place
                else composer.cut_out(subject, framing)
            ]  # fmt: skip
        first = people[0]
        if in_place:
            scene = first.layer.shot
        elif rng.random() < _TONES:
            scene = composer.scene_like(first)
        else:
            scene = composer.scene(0.5)
        layers = [person.layer for person in rng.sample(people, len(people))]
        # about as often as several are in focus; with fewer, one further off comes to be in focus
        if rng.random() < (0.1 if in_place and kind != SEVERAL else 0.25):
            far = self._kinds.get(STANDING, self._kinds[kind])
            layers = [composer.further_off(self._of(far), first), *layers]
        if rng.random() < _CHAIRS:
            layers = [composer.chair(first), *layers]
        if rng.random() < _MONITORS:
            monitor = composer.monitor()
            layers = [monitor, *layers] if monitor.coc > 0 else [*layers, monitor]
        if rng.random() < KINDS[kind].clutter:
            layers = [*composer.clutter(first), *layers]
        hands = composer.hands(first) if rng.random() < KINDS[kind].pasted_hands else []
        if rng.random() < KINDS[kind].open_hands:
            hands = composer.open_hands(first)
        return scene, layers, hands

    def _together(self, in_place: bool, composer: Composer) -> list[Person]:
        """Two or three people at about the same distance."""
        rng = self._rng
        # those whom their photo cuts at a side stand at one best
        drawn = sorted((self._somebody(SEVERAL) for _ in range(5)), key=lambda s: sum(s.cut))
        subjects = drawn[: 2 if rng.random() < 0.7 else 3]
        return composer.together(subjects, self._least if in_place else None)

    def _with_arms_away(self, subject: Subject) -> Subject:
        """A half figure with its arms spread, or somebody else with theirs; as it is, if neither
        it nor two others have a gap between arm and body."""
        for one in (subject, self._somebody(HALF), self._somebody(HALF)):
            spread = spread_arms(one, self._rng)
            if spread is not one:
                return spread
        return subject

    def _somebody(self, kind: str) -> Subject:
        return self._of(self._kinds[kind])

    def _of(self, sources: Mapping[str, float]) -> Subject:
        source = self._rng.choices(list(sources), list(sources.values()))[0]
        return self._rng.choice(self._pool.sources[source])
