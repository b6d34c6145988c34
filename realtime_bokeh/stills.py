"""Photographs: read upright, written with what they say about themselves."""

import io
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL import Image as Pillow

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.files import check_output, reason, write_atomically
from realtime_bokeh.frame import Image
from realtime_bokeh.metadata import dots_per_inch, kept_exif, kept_xmp

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
"""Endings that are read and written."""
CLEAR = (".png", ".webp")
"""Those that hold transparency."""
_READ_ONLY = {
    ".heic": ".jpg", ".heif": ".jpg", ".avif": ".jpg", ".bmp": ".png", ".tif": ".png",
    ".tiff": ".png", ".gif": ".png",
}  # fmt: skip
"""Endings that are read, and those of their renderings."""
READ = (*FORMATS, *_READ_ONLY)
_SAVE: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {},
    "WEBP": {"quality": 95},
}
_RGB = ("RGB", "RGBA", "P", "PA")
_HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_HDR = (16, 18)  # transfer characteristics of PQ and HLG (ITU-T H.273)
_END = b"\xff\xd9"  # of a JPEG
_MOST_XMP = 65_000  # bytes, of which a JPEG's segment has room for no more
_MOST_PIXELS = 200_000_000  # a picture of this size takes 3 GB to render


@dataclass(frozen=True)
class Still:
    """A photograph.

    image: uint8 [H, W, 3] BGR, upright.
    alpha: uint8 [H, W] where it has transparency.
    exif: its EXIF block, the orientation now normal, without previews; b"" if none.
    profile: its ICC profile, if any.
    xmp: its XMP packet, if any.
    dpi: dots an inch, across and down, at which it is printed, if it says so.
    """

    image: Image
    alpha: Image | None = None
    exif: bytes = b""
    profile: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None

    def seen_through(self, opacity: Image) -> "Still":
        """The same with less opacity, uint8 [H, W]."""
        if self.alpha is not None:
            opacity = np.rint(self.alpha * (opacity / 255)).astype(np.uint8)
        return replace(self, alpha=opacity)


def photos_in(folder: Path) -> list[Path]:
    """The photos of a folder, by name, without hidden ones: macOS leaves notes beside photos on
    memory sticks, with a photo's ending behind `._`.

    Raises:
        UsageError: when there are none.
    """
    photos = sorted(
        p for p in folder.iterdir()
        if not p.name.startswith(".") and p.is_file() and is_still(p)
    )  # fmt: skip
    if not photos:
        raise UsageError(f"There are no photos ({', '.join(READ)}) in {folder}")
    return photos


def is_still(path: Path) -> bool:
    """Whether a file's ending is that of a photograph that can be read."""
    return path.suffix.lower() in READ


def name_of_rendering(photo: Path) -> str:
    """The name of a photo's rendering, in the photo's own format if that can be written."""
    ending = _READ_ONLY.get(photo.suffix.lower())
    return f"{photo.stem}{ending}" if ending else photo.name


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
            picture = ImageOps.exif_transpose(_loaded(path, file))
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
    image = np.ascontiguousarray(rgb[..., ::-1])
    return Still(image, alpha, kept_exif(picture), profile, kept_xmp(picture),
                 dots_per_inch(picture))  # fmt: skip


def _open(path: Path) -> ImageFile.ImageFile:
    """Read a picture's header.

    Not by `Image.open`, which warns of or refuses what today's largest cameras make: its limit,
    `MAX_IMAGE_PIXELS`, belongs to the whole process, as warnings' filters do, and whoever imports
    this module may rely on it in other threads. Nothing is decoded before `_check` holds our own.

    Raises:
        UsageError: when it is none of our kinds, whatever its ending says.
    """
    with path.open("rb") as file:
        prefix = file.read(64)
    if prefix.startswith(b"\xff\xd8\xff"):
        return JpegImagePlugin.JpegImageFile(path)
    if prefix.startswith(b"\x89PNG\r\n\x1a\n"):
        return PngImagePlugin.PngImageFile(path)
    if prefix.startswith(b"RIFF") and prefix[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile(path)
    if prefix.startswith((b"GIF87a", b"GIF89a")):
        return GifImagePlugin.GifImageFile(path)
    if prefix.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return TiffImagePlugin.TiffImageFile(path)
    if prefix.startswith(b"BM"):
        return BmpImagePlugin.BmpImageFile(path)
    if prefix[4:8] == b"ftyp":
        length = int.from_bytes(prefix[:4], "big")
        brands = [prefix[at : at + 4] for at in range(8, min(length, len(prefix)), 4)]
        if b"avif" in brands or b"avis" in brands:
            return AvifImagePlugin.AvifImageFile(path)
        if any(brand in _HEIF for brand in brands):
            from pillow_heif import HeifImageFile

            heif: ImageFile.ImageFile = HeifImageFile(path)  # type: ignore[no-untyped-call]
            return heif
    raise UsageError(
        f"{path} is not a picture that is read; save it as JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP "
        "or GIF"
    )


def _check(path: Path, file: Pillow.Image) -> None:
    if file.width * file.height > _MOST_PIXELS:
        raise UsageError(f"{path} is {file.width}x{file.height}: too large; shrink it first")
    frames = getattr(file, "n_frames", 1)
    if frames > 1 and file.format in ("TIFF", "HEIF"):
        raise UsageError(f"{path} holds {frames} pictures; save the one you want by itself")
    if frames > 1:
        raise UsageError(
            f"{path} is animated ({frames} frames), and a photo is still; save the frame you want "
            "by itself, or all of them as a video"
        )
    if file.mode == "CMYK":
        raise UsageError(f"{path} is in CMYK, for print; convert it to RGB first")
    if file.mode.startswith(("I", "F")) or _png_depth(path) == 16 or _tiff_depth(file) > 8:
        raise UsageError(f"{path} has more than 8 bits per channel; convert it to 8 bits first")
    if file.info.get("nclx_profile", {}).get("transfer_characteristics") in _HDR:
        raise UsageError(f"{path} is in high dynamic range; save it in standard range first")


def _loaded(path: Path, file: ImageFile.ImageFile) -> Pillow.Image:
    """The picture with its pixels; a JPEG may lack its end mark, if nothing else is missing."""
    try:
        file.load()
        return file
    except OSError:
        if file.format != "JPEG":
            raise
        content = path.read_bytes().rstrip(b"\xff")
        whole, filled = (_decoded(content + more + _END) for more in (b"", bytes(range(1, 200))))
        if whole.tobytes() != filled.tobytes():  # what is put where pixels are missing shows
            raise
        return whole


def _decoded(content: bytes) -> Pillow.Image:
    file = JpegImagePlugin.JpegImageFile(io.BytesIO(content))
    file.load()
    return file


def _png_depth(path: Path) -> int:
    """Bits per channel of a PNG (Pillow would drop half of 16 without a word); 0 if it is none."""
    with path.open("rb") as file:
        header = file.read(25)
    return header[24] if header.startswith(b"\x89PNG") and len(header) == 25 else 0


def _tiff_depth(file: Pillow.Image) -> int:
    """Bits per channel of a TIFF, of which Pillow drops half likewise; 0 if it is none."""
    if not isinstance(file, TiffImagePlugin.TiffImageFile):
        return 0
    depths = file.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    return max(int(depth) for depth in (depths if isinstance(depths, tuple) else (depths,)))


def write_still(path: Path, image: Image, original: Still) -> None:
    """Write a rendering with its original's transparency, EXIF, XMP, profile and resolution, whole
    or not at all.

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
    described: dict[str, Any] = {
        "exif": original.exif, "icc_profile": original.profile, "dpi": original.dpi,
    }  # fmt: skip
    if original.xmp and kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", original.xmp.decode(errors="replace"))
        described["pnginfo"] = texts
    elif original.xmp and len(original.xmp) < _MOST_XMP:
        described["xmp"] = original.xmp
    options = _SAVE[kind] | {name: value for name, value in described.items() if value}
    encoded = io.BytesIO()  # Pillow itself does not notice when a full disk takes half of it
    try:
        Pillow.fromarray(rgb).save(encoded, kind, **options)
    except (OSError, ValueError) as error:
        raise SinkError(f"{path} cannot be written ({reason(error)}); nothing was kept") from error
    write_atomically(path, encoded.getvalue())
