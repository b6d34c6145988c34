"""Photographs: read upright, written with their EXIF and colour profile."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from PIL import ImageFile, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.files import check_output, reason, write_atomically
from realtime_bokeh.frame import Image

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
_SAVE: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {},
    "WEBP": {"quality": 95},
}
_RGB = ("RGB", "RGBA", "P", "PA")
_MOST_PIXELS = 200_000_000  # a picture of this size takes 3 GB to render


@dataclass(frozen=True)
class Still:
    """A photograph.

    image: uint8 [H, W, 3] BGR, upright.
    alpha: uint8 [H, W] where it has transparency.
    exif: its EXIF block, the orientation now normal; b"" if none.
    profile: its ICC profile, if any.
    """

    image: Image
    alpha: Image | None
    exif: bytes
    profile: bytes | None


def photos_in(folder: Path) -> list[Path]:
    """The photos of a folder, by name.

    Raises:
        UsageError: when there are none.
    """
    photos = sorted(p for p in folder.iterdir() if p.is_file() and is_still(p))
    if not photos:
        raise UsageError(f"There are no photos (.jpg, .png, .webp) in {folder}")
    return photos


def is_still(path: Path) -> bool:
    """Whether a file's ending is a photograph's."""
    return path.suffix.lower() in FORMATS


def read_still(path: Path) -> Still:
    """Read a photograph.

    Raises:
        UsageError: when it is missing, damaged, too large or in colours that are not supported.
    """
    if not os.path.isfile(path):
        raise UsageError(f"{path} does not exist or is not a file")
    if path.stat().st_size == 0:
        raise UsageError(f"{path} is empty")
    try:
        with _open(path) as file:
            _check(path, file)
            picture = ImageOps.exif_transpose(file)
            # a profile of grey or Lab values does not describe RGB
            profile = file.info.get("icc_profile") if file.mode in _RGB else None
    except UsageError:
        raise
    except Pillow.DecompressionBombError as error:  # Pillow's own limit on some kinds of files
        raise UsageError(f"{path} is too large; shrink it first ({error})") from error
    except Exception as error:  # Pillow raises a dozen kinds for a broken file
        raise UsageError(f"{path} is damaged or cut off ({error})") from error
    alpha = None
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = np.asarray(picture.getchannel("A"))
    rgb = np.asarray(picture.convert("RGB"))
    return Still(np.ascontiguousarray(rgb[..., ::-1]), alpha, _exif(picture), profile)


def _open(path: Path) -> ImageFile.ImageFile:
    """Read a picture's header.

    Not by `Image.open`, which warns of or refuses what today's largest cameras make: its limit,
    `MAX_IMAGE_PIXELS`, belongs to the whole process, as warnings' filters do, and whoever imports
    this module may rely on it in other threads. Nothing is decoded before `_check` holds our own.

    Raises:
        UsageError: when it is none of our kinds, whatever its ending says.
    """
    with path.open("rb") as file:
        prefix = file.read(16)
    if prefix.startswith(b"\xff\xd8\xff"):
        return JpegImagePlugin.JpegImageFile(path)
    if prefix.startswith(b"\x89PNG\r\n\x1a\n"):
        return PngImagePlugin.PngImageFile(path)
    if prefix.startswith(b"RIFF") and prefix[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile(path)
    raise UsageError(f"{path} is not a picture in JPEG, PNG or WebP")


def _check(path: Path, file: Pillow.Image) -> None:
    if file.width * file.height > _MOST_PIXELS:
        raise UsageError(f"{path} is {file.width}x{file.height}: too large; shrink it first")
    if file.mode == "CMYK":
        raise UsageError(f"{path} is in CMYK, for print; convert it to RGB first")
    if file.mode.startswith(("I", "F")) or _png_depth(path) == 16:
        raise UsageError(f"{path} has more than 8 bits per channel; convert it to 8 bits first")


def _exif(picture: Pillow.Image) -> bytes:
    try:
        return picture.getexif().tobytes()
    except Exception:  # damaged, as some programs leave it: the picture counts
        return b""


def _png_depth(path: Path) -> int:
    """Bits per channel of a PNG (Pillow would drop half of 16 without a word); 0 if it is none."""
    with path.open("rb") as file:
        header = file.read(25)
    return header[24] if header.startswith(b"\x89PNG") and len(header) == 25 else 0


def write_still(path: Path, image: Image, original: Still) -> None:
    """Write a rendering with its original's transparency, EXIF and profile, whole or not at all.

    Args:
        image: uint8 [H, W, 3] BGR.

    Raises:
        UsageError: as `files.check_output`, or when the format has no transparency and it has.
        SinkError: when it cannot be written.
    """
    check_output(path, "a photo", FORMATS)
    kind = FORMATS[path.suffix.lower()]
    rgb = np.ascontiguousarray(image[..., ::-1])
    if original.alpha is not None and original.alpha.min() < 255:
        if kind == "JPEG":
            raise UsageError(f"{path} cannot hold transparency; end its name in .png or .webp")
        rgb = np.dstack([rgb, original.alpha])
    options = dict(_SAVE[kind])
    if original.exif:
        options["exif"] = original.exif
    if original.profile:
        options["icc_profile"] = original.profile
    encoded = io.BytesIO()  # Pillow itself does not notice when a full disk takes half of it
    try:
        Pillow.fromarray(rgb).save(encoded, kind, **options)
    except (OSError, ValueError) as error:
        raise SinkError(f"{path} cannot be written ({reason(error)}); nothing was kept") from error
    write_atomically(path, encoded.getvalue())
