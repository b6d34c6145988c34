"""Synthetic bokeh pairs: layered rendering of photographs with masks and disparities.

A sample is a person (or an object) either in their own photo or over another scene. Focus is on the
subject; the circle of confusion of everything else follows from its disparity. The scene without
the subject is blurred in linear light with discs of six radii by normalised convolution (so that
the subject's colours do not leak into it), interpolated per pixel, highlights lifted first; then
the subject is composited back.

Folder layout: `people/`, `people_auto/` (head and shoulders, masks made by a network) and
`backgrounds/` hold NAME.jpg, NAME.disparity.png and, for people, NAME.mask.png; `cutouts/` holds
pictures with alpha. Missing folders are skipped, except that people and backgrounds must not both
be empty.
"""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

GAMMA = 2.2
BLUR_SCALE = 0.032  # largest radius over sqrt(height * width): 2.4% of the width at 16:9
LEVELS = np.array([0.0, 0.16, 0.32, 0.52, 0.75, 1.0])  # the discs' radii over the largest
LONG_SIDE = 640  # photos are kept at this size in memory


class Sample(NamedTuple):
    """Float32 arrays [h, w, 3] RGB in [0, 1] (focus: [h, w, 1]).

    `input` is what the network sees; `sharp` the same before noise and compression; `bokeh` the
    rendering; `focus` is 1 where the circle of confusion is nothing and 0 from one pixel up.
    """

    input: Array
    sharp: Array
    bokeh: Array
    focus: Array


@dataclass(frozen=True)
class Subject:
    """Somebody or something that a picture is about, and the photo of it."""

    image: Array  # uint8 [h, w, 3] RGB
    mask: Array  # uint8 [h, w]
    disparity: Array | None  # uint8 [h, w], bright is near; None for a cutout
    box: tuple[int, int, int, int]  # of the mask: left, top, right, bottom
    close: bool  # head and shoulders, cut by the photo's lower edge


@dataclass(frozen=True)
class Scene:
    """A photo to stand behind a subject."""

    image: Array  # uint8 [h, w, 3] RGB
    disparity: Array  # uint8 [h, w]


def _read(path: Path, flag: int) -> Array:
    image = cv2.imread(str(path), flag)
    if image is None:
        raise ValueError(f"{path} is missing or not a picture")
    return np.asarray(image)


def _shrunk(image: Array) -> Array:
    scale = LONG_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _photo(path: Path, suffix: str, shape: tuple[int, ...]) -> Array:
    plane = _read(path.with_name(path.stem + suffix), cv2.IMREAD_GRAYSCALE)
    return np.asarray(cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_AREA))


def _subject(image: Array, mask: Array, disparity: Array | None, close: bool) -> Subject | None:
    ys, xs = np.nonzero(mask > 128)
    if len(ys) < 500:
        return None
    box = (int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max()))
    return Subject(image, mask, disparity, box, close)


class Pool:
    """The photographs of a folder (see the module's docstring), in memory.

    Raises:
        ValueError: when the folder has no people or no backgrounds, or a file cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.people: list[Subject] = []
        self.close: list[Subject] = []
        self.objects: list[Subject] = []
        self.scenes: list[Scene] = []
        for name, subjects in (("people", self.people), ("people_auto", self.close)):
            for path in sorted((folder / name).glob("*.jpg")):
                image = _shrunk(_read(path, cv2.IMREAD_COLOR)[..., ::-1])
                mask = _photo(path, ".mask.png", image.shape)
                disparity = _photo(path, ".disparity.png", image.shape)
                subject = _subject(image, mask, disparity, name == "people_auto")
                if subject:
                    subjects.append(subject)
        for path in sorted((folder / "cutouts").glob("*.webp")):
            image = _shrunk(_read(path, cv2.IMREAD_UNCHANGED))
            if image.shape[2] == 4:
                subject = _subject(image[..., 2::-1], image[..., 3], None, False)
                if subject:
                    self.objects.append(subject)
        for path in sorted((folder / "backgrounds").glob("*.jpg")):
            image = _shrunk(_read(path, cv2.IMREAD_COLOR)[..., ::-1])
            self.scenes.append(Scene(image, _photo(path, ".disparity.png", image.shape)))
        if not (self.people or self.close) or not self.scenes:
            raise ValueError(f"{folder} needs pictures in people/ or people_auto/ and backgrounds/")
        self.people = self.people or self.close
        self.close = self.close or self.people


def _disc(radius: float) -> Array:
    half = int(np.ceil(radius))
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return np.asarray(kernel / kernel.sum())


def largest_radius(height: int, width: int) -> float:
    """The largest circle of confusion's radius in pixels for a picture of this size."""
    return float(BLUR_SCALE * np.sqrt(height * width))


def lens_blur(scene: Array, valid: Array, coc: Array) -> Array:
    """Blur a scene by a circle of confusion that varies per pixel.

    Args:
        scene: float32 [h, w, 3], linear light in [0, 1].
        valid: float32 [h, w], the weight of each pixel as a source of light.
        coc: float32 [h, w], radius in pixels, at most `largest_radius`.

    Returns:
        float32 [h, w, 3], linear light in [0, 1].
    """
    height, width = coc.shape
    radii = LEVELS * largest_radius(height, width)
    lifted = scene * (1 + 1.5 * np.clip((scene.max(2, keepdims=True) - 0.75) / 0.25, 0, 1))
    light = np.dstack([lifted * valid[..., None], valid]).astype(np.float32)
    stack = np.empty((len(radii), height, width, 3), np.float32)
    stack[0] = lifted
    for i, radius in enumerate(radii[1:], 1):
        blurred = cv2.filter2D(light, -1, _disc(radius), borderType=cv2.BORDER_REFLECT)
        stack[i] = blurred[..., :3] / np.maximum(blurred[..., 3:], 1e-3)
    position = np.interp(coc, radii, np.arange(len(radii))).astype(np.float32)
    below = np.minimum(position.astype(np.intp), len(radii) - 2)
    part = (position - below)[..., None]
    ys, xs = np.mgrid[:height, :width]
    blurred = stack[below, ys, xs] * (1 - part) + stack[below + 1, ys, xs] * part
    return np.asarray(np.minimum(blurred, 1))


class Renderer:
    """Draws random samples of one pool.

    Args:
        pool: the photographs.
        seed: of the random choices.
    """

    def __init__(self, pool: Pool, seed: int) -> None:
        self._pool = pool
        self._random = random.Random(seed)
        self._numpy = np.random.default_rng(seed)

    def sample(self, height: int, width: int) -> Sample:
        """One sample of this size in pixels."""
        chance = self._random.random()
        if chance < 0.40:
            return self._in_place(height, width)
        if chance < 0.90:
            people = self._pool.close if self._random.random() < 0.35 else self._pool.people
            return self._composite(self._random.choice(people), height, width)
        if chance < 0.95 and self._pool.objects:
            return self._composite(self._random.choice(self._pool.objects), height, width)
        return self._scene_alone(height, width)

    def _cut(self, images: list[Array], window: tuple[float, ...], size: tuple[int, int],
             flip: bool, border: int = cv2.BORDER_REFLECT) -> list[Array]:  # fmt: skip
        """Resample a window (x, y, width, height) of equally large images to size (h, w)."""
        x, y, w, h = window
        height, width = size
        shrink = max(1, int(w / width))  # averaged first, so that nothing aliases
        matrix = np.array([[width / w, 0, -x * width / w], [0, height / h, -y * height / h]])
        matrix[:, :2] *= shrink
        result = []
        for image in images:
            if shrink > 1:
                image = cv2.resize(
                    image, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA
                )
            cut = cv2.warpAffine(image, matrix, (width, height), borderMode=border)
            result.append(np.asarray(cut[:, ::-1] if flip else cut).astype(np.float32) / 255)
        return result

    def _light(self, image: Array) -> Array:
        """To linear light, with a random exposure and tint."""
        uniform = self._random.uniform
        gain = 2 ** uniform(-0.7, 0.4) * np.array([uniform(0.88, 1.12) for _ in range(3)])
        return np.asarray(np.clip(image**GAMMA * gain, 0, 1).astype(np.float32))

    def _window(self, subject: Subject, height: int, width: int) -> tuple[float, ...]:
        """A window inside the subject's own photo."""
        uniform = self._random.uniform
        h, w = subject.mask.shape
        left, top, right, bottom = subject.box
        fit_w = min(w, h * width / height)  # the widest window of this shape
        if subject.close:
            cw = fit_w * uniform(0.75, 1)
            ch = cw * height / width
            return uniform(0, w - cw), uniform(0, h - ch) * uniform(0, 0.6), cw, ch
        tall = bottom - top + 1
        share = uniform(1.02, 1.4) if self._random.random() < 0.4 else uniform(0.25, 0.8)
        cw = min(fit_w, max(tall * share * width / height, 0.3 * w))
        ch = cw * height / width
        x = (left + right) / 2 - cw * uniform(0.3, 0.7)
        y = top - ch * uniform(0.02, 0.3)
        if self._random.random() < 0.15:  # anywhere: legs, hands, half a person
            y = uniform(0, h - ch)
        return float(np.clip(x, 0, w - cw)), float(np.clip(y, 0, h - ch)), cw, ch

    def _in_place(self, height: int, width: int) -> Sample:
        close = self._random.random() < 0.25
        subject = self._random.choice(self._pool.close if close else self._pool.people)
        assert subject.disparity is not None
        window = self._window(subject, height, width)
        image, mask, disparity = self._cut(
            [subject.image, subject.mask, subject.disparity],
            window,
            (height, width),
            self._random.random() < 0.5,
        )
        alpha = cv2.GaussianBlur(mask, (3, 3), 0)
        light = self._light(image)
        near = float((disparity * alpha).sum() / alpha.sum()) if alpha.sum() > 50 else 1.0
        # fully out of focus from half as near, or half as near again, as the subject
        coc = np.clip(np.abs(near - disparity) / max(near, 0.2) * 2, 0, 1)
        return self._render(light, light, alpha, coc, 1 - alpha + 1e-3)

    def _composite(self, subject: Subject, height: int, width: int) -> Sample:
        uniform = self._random.uniform
        scene, disparity = self._scene(height, width, 0.5)
        h, w = subject.mask.shape
        left, top, right, bottom = subject.box
        tall = bottom - top + 1
        if subject.close:
            cw = w / uniform(0.35, 0.8)
            ch = cw * height / width
            y = h - ch  # the photo's lower edge is the frame's
        else:
            whole = self._random.random() < 0.25
            shown = tall * (1 if whole else uniform(0.25, 1))  # from the top of the head down
            ch = shown / uniform(0.7, 0.95)
            cw = ch * width / height
            y = top - (ch - shown) * uniform(0.3 if whole else 0.6, 1)
        x = (left + right) / 2 - cw * uniform(0.25, 0.75)
        size, flip = (height, width), self._random.random() < 0.5
        (image,) = self._cut([subject.image], (x, y, cw, ch), size, flip, cv2.BORDER_REPLICATE)
        (alpha,) = self._cut([subject.mask], (x, y, cw, ch), size, flip, cv2.BORDER_CONSTANT)
        if subject.close:  # a soft mask: pull its edge inwards
            alpha = np.clip(alpha * 1.3 - 0.15, 0, 1)
        else:
            alpha = cv2.erode(alpha, np.ones((2, 2)))
        alpha = cv2.GaussianBlur(alpha, (3, 3), 0)
        coc = np.clip((1 - 0.7 * disparity) * 1.1, 0, 1)
        return self._render(self._light(image), self._light(scene), alpha, coc, np.ones_like(alpha))

    def _scene_alone(self, height: int, width: int) -> Sample:
        """A scene without a subject: what is nearest is in focus."""
        scene, disparity = self._scene(height, width, 0.6)
        near = float(np.quantile(disparity, 0.97))
        coc = np.clip((near - disparity) / max(near, 0.2) * 1.4 - 0.3, 0, 1)
        light = self._light(scene)
        none = np.zeros((height, width), np.float32)
        return self._render(light, light, none, coc, none + 1)

    def _scene(self, height: int, width: int, least: float) -> list[Array]:
        scene = self._random.choice(self._pool.scenes)
        h, w = scene.disparity.shape
        cw = min(w, h * width / height) * self._random.uniform(least, 1)
        ch = cw * height / width
        window = (self._random.uniform(0, w - cw), self._random.uniform(0, h - ch), cw, ch)
        flip = self._random.random() < 0.5
        return self._cut([scene.image, scene.disparity], window, (height, width), flip)

    def _render(self, subject: Array, scene: Array, alpha: Array, coc: Array,
                valid: Array) -> Sample:  # fmt: skip
        """Composite and blur; `coc` is over the largest radius, light is linear."""
        radius = (coc * largest_radius(*coc.shape)).astype(np.float32)
        matte = alpha[..., None]
        sharp = matte * subject + (1 - matte) * scene
        bokeh = matte * subject + (1 - matte) * lens_blur(scene, valid, radius)
        focus = matte + (1 - matte) * np.clip(1 - radius, 0, 1)[..., None]
        sharp, bokeh = (np.clip(t, 0, 1) ** (1 / GAMMA) for t in (sharp, bokeh))
        return Sample(self._webcam(sharp), sharp, bokeh, focus.astype(np.float32))

    def _webcam(self, sharp: Array) -> Array:
        """Sensor noise and compression, as in a call's picture."""
        uniform, chance = self._random.uniform, self._random.random
        image = sharp
        if chance() < 0.5:
            noise = self._numpy.standard_normal(image.shape, np.float32)
            image = np.clip(image + noise * uniform(0, 0.035), 0, 1)
        if chance() < 0.25:
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(uniform(35, 95))]
            coded = cv2.imencode(".jpg", (image * 255).round().astype(np.uint8), quality)[1]
            image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.float32) / 255
        return image
