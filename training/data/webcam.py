"""What a webcam does to an image: noise, softness, compression.

Images are float32 [n, 3, h, w] RGB in [0, 1], gamma-coded.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

# Annex K of the JPEG standard (ITU-T T.81)
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47),
    (18, 21, 26, 66),
    (24, 26, 56, 99),
    (47, 66, 99, 99),
)  # 99 beyond
_BLOTCH = 6  # pixels, of coloured noise
_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


@dataclass(frozen=True)
class Webcam:
    """The faults of one webcam.

    shot: standard deviation of the noise at white that grows with the root of the signal.
    read: standard deviation of the noise that is the same everywhere.
    coarse: the webcam smoothed its noise.
    soft: it smoothed the image.
    quality: of its JPEG compression, 1 to 100; None without compression.
    blotches: standard deviation of coloured noise that is some pixels wide, at black; less of it
        is seen in bright parts.
    denoiser: standard deviation of the noise that the webcam takes away, with the finest detail.
    """

    shot: float
    read: float
    coarse: bool
    soft: bool
    quality: float | None
    blotches: float = 0.0
    denoiser: float = 0.0

    @staticmethod
    def draw(rng: random.Random, dark: bool) -> "Webcam":
        """A random webcam; noisier if the room is dark, and then with a denoiser, as a rule."""
        level = rng.uniform(0.02, 0.09) if dark else rng.uniform(0, 0.03)
        noisy = dark or rng.random() < 0.6
        return Webcam(
            shot=level * noisy,
            read=0.5 * level * noisy,
            coarse=rng.random() < 0.4,
            soft=rng.random() < 0.15,
            quality=rng.uniform(25, 95) if rng.random() < 0.35 else None,
            blotches=rng.uniform(0, 0.4) * level * dark,
            denoiser=rng.uniform(0.4, 1.2) * level if dark and rng.random() < 0.7 else 0.0,
        )


def through_webcams(sharp: Tensor, webcams: Sequence[Webcam], seeds: Sequence[int]) -> Tensor:
    """Images as these webcams deliver them.

    Args:
        sharp: the images before, one for each webcam.
        seeds: of each image's noise.
    """
    delivered = []
    for image, webcam, seed in zip(sharp.chunk(len(sharp)), webcams, seeds, strict=True):
        if webcam.soft:
            image = _smoothed(image)
        if webcam.shot or webcam.read:
            generator = torch.Generator(sharp.device).manual_seed(seed)
            noise = torch.randn(image.shape, generator=generator, device=sharp.device)
            if webcam.coarse:
                noise = 2 * _smoothed(noise)
            noisy = image + noise * (webcam.shot * image.clamp(min=0).sqrt() + webcam.read)
            if webcam.blotches:
                noisy = noisy + _blotches(image, generator) * webcam.blotches * (1 - image)
            image = noisy
        if webcam.denoiser:
            image = _denoised(image, webcam.denoiser)
        image = image.clamp(0, 1)
        delivered.append(image if webcam.quality is None else jpeg(image, webcam.quality))
    return torch.cat(delivered)


def _blotches(image: Tensor, generator: torch.Generator) -> Tensor:
    """Noise of colour without brightness, some pixels wide, of standard deviation 1."""
    height, width = image.shape[2:]
    size = (1, 3, -(-height // _BLOTCH), -(-width // _BLOTCH))
    coarse = torch.randn(size, generator=generator, device=image.device)
    noise = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)
    luma = torch.tensor(_YCBCR[0], device=image.device).view(1, 3, 1, 1)
    noise = noise - (noise * luma).sum(1, keepdim=True)
    return noise / noise.std().clamp(min=1e-6)


def _denoised(image: Tensor, deviation: float) -> Tensor:
    """Local Wiener filter (Lee, "Digital Image Enhancement and Noise Filtering by Use of Local
    Statistics", IEEE T-PAMI 1980): smooth but where there is more contrast than noise makes."""
    padded = F.pad(image, (2,) * 4, mode="replicate")
    mean, square = F.avg_pool2d(padded, 5, 1), F.avg_pool2d(padded**2, 5, 1)
    variance = (square - mean**2).clamp(min=1e-8)
    return mean + (image - mean) * (1 - deviation**2 / variance).clamp(0, 1)


def _smoothed(image: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, 1)


def jpeg(image: Tensor, quality: float) -> Tensor:
    """JPEG's losses: 4:2:0, quantised 8x8 cosine transforms.

    Args:
        image: height and width multiples of 16.
        quality: 1 to 100, as libjpeg counts.
    """
    scale = (5000 / quality if quality < 50 else 200 - 2 * quality) / 100
    matrix = torch.tensor(_YCBCR, device=image.device)
    planes = torch.einsum("ij,njhw->nihw", matrix, image * 255)
    luma = _quantised(planes[:, :1] - 128, _table(_LUMA, image), scale) + 128
    chroma = _quantised(F.avg_pool2d(planes[:, 1:], 2), _table(_CHROMA, image), scale)
    planes = torch.cat([luma, F.interpolate(chroma, scale_factor=2.0, mode="bilinear")], 1)
    back = torch.einsum("ij,njhw->nihw", torch.linalg.inv(matrix), planes)
    return (back / 255).clamp(0, 1)


def _table(rows: tuple[tuple[int, ...], ...], like: Tensor) -> Tensor:
    known = torch.tensor(rows, dtype=torch.float32, device=like.device)
    missing = 8 - len(rows)
    return F.pad(known, (0, missing, 0, missing), value=99)


def _quantised(plane: Tensor, table: Tensor, scale: float) -> Tensor:
    """Through the cosine transform's quantised coefficients and back, [n, c, h, w]."""
    n, c, h, w = plane.shape
    frequency = torch.arange(8.0, device=plane.device)[:, None]
    place = torch.arange(8.0, device=plane.device)[None]
    cosine = torch.cos((2 * place + 1) * frequency * torch.pi / 16) / 2
    cosine[0] /= 2**0.5
    blocks = plane.view(n, c, h // 8, 8, w // 8, 8).transpose(3, 4)
    step = (table * scale).round().clamp(1, 255)
    coefficients = (cosine @ blocks @ cosine.T / step).round() * step
    return (cosine.T @ coefficients @ cosine).transpose(3, 4).reshape(n, c, h, w)
