"""What a photograph says about itself, as far as its rendering may say the same.

A camera stores small sharp copies of a photo beside it. None of them may leave with a rendering:
they would show what was blurred.
"""

from collections.abc import Mapping
from typing import Any

from PIL import Image as Pillow
from PIL.ExifTags import IFD

_STRUCTURE = {
    254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 320, 322, 323, 324, 325,
    330, 338, 339, 347, 512, 513, 514, 519, 520, 521, 529, 530, 531, 532,
}  # fmt: skip
"""Where a TIFF file keeps its pixels and previews, and how; of no meaning in another file."""
_ELSEWHERE = {
    700,  # XMP and the profile are kept by themselves
    34675,
    33723,  # IPTC and Photoshop's resources, which have a thumbnail
    34377,
    0xC634,  # Adobe's private data: a raw file's maker note
}
_MAKER_NOTE = 0x927C  # a camera's own data, often with a preview
_LEFT_OUT = {_MAKER_NOTE, IFD.Exif, IFD.GPSInfo, IFD.Interop, *_STRUCTURE, *_ELSEWHERE}
_PICTURES = (b"/9j/", b"iVBORw0KGgo")  # how a JPEG and a PNG begin in base64


def kept_exif(picture: Pillow.Image) -> bytes:
    """The picture's EXIF block without previews and maker notes, and without tags that are not
    valid; b"" where none is left."""
    try:
        found = picture.getexif()
        exif = Pillow.Exif()
        exif.endian = found.endian
        for tag, value in _kept(found).items():
            exif[tag] = value
        for ifd in (IFD.Exif, IFD.GPSInfo):
            inner = _kept(found.get_ifd(ifd), ifd)
            if ifd == IFD.Exif and (interop := _kept(found.get_ifd(IFD.Interop))):
                inner[IFD.Interop] = interop
            if inner:
                exif[ifd] = inner
        return exif.tobytes() if len(exif) else b""
    except Exception:  # damaged throughout, as some programs leave it: the picture counts
        return b""


def _kept(tags: Mapping[int, Any], ifd: int | None = None) -> dict[int, Any]:
    wanted = {tag: tags[tag] for tag in tags if tag not in _LEFT_OUT}
    return {tag: value for tag, value in wanted.items() if _valid(tag, value, ifd)}


def _valid(tag: int, value: object, ifd: int | None) -> bool:
    """Whether Pillow can write a tag, whose type depends on the directory in which it stands."""
    trial = Pillow.Exif()
    trial[tag if ifd is None else ifd] = value if ifd is None else {tag: value}
    try:
        trial.tobytes()
    except Exception:  # Pillow raises half a dozen kinds
        return False
    return True


def kept_xmp(picture: Pillow.Image) -> bytes | None:
    """The picture's XMP packet, if it has one without pictures in it."""
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        packet = packet.encode()
    if not isinstance(packet, bytes) or any(mark in packet for mark in _PICTURES):
        return None
    return packet


def dots_per_inch(picture: Pillow.Image) -> tuple[float, float] | None:
    """The resolution at which the picture is printed, if it says so."""
    try:
        across, down = (float(value) for value in picture.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if min(across, down) >= 1 and max(across, down) < 1e5 else None
