import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from realtime_bokeh.metadata import dots_per_inch, kept_exif, kept_xmp
from realtime_bokeh.stills import read_still, write_still

PICTURE = Pillow.fromarray(np.full((32, 48, 3), (200, 30, 90), np.uint8))
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="%s"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def _preview() -> bytes:
    """A sharp copy, as cameras leave it in a maker note."""
    file = io.BytesIO()
    PICTURE.save(file, "JPEG")
    return file.getvalue()


def _saved(path: Path, **options: Any) -> Pillow.Image:
    PICTURE.save(path, **options)
    return Pillow.open(path)


def _kept(picture: Pillow.Image) -> Pillow.Exif:
    exif = Pillow.Exif()
    exif.load(kept_exif(picture))
    return exif


def test_no_preview_is_kept(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x010F] = "Maker"
    exif[34377] = b"8BIM" + _preview()
    exif.get_ifd(0x8769)[0x927C] = b"Maker\0" + _preview()
    exif.get_ifd(0x8769)[0x9003] = "2024:01:01 00:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    path = tmp_path / "in.jpg"
    picture = _saved(path, exif=exif)
    assert path.read_bytes().count(b"\xff\xd8\xff") == 3
    kept = _kept(picture)
    assert kept[0x010F] == "Maker"
    assert kept.get_ifd(0x8769) == {0x9003: "2024:01:01 00:00:00"}
    assert kept.get_ifd(0x8825)[1] == "N"
    still = read_still(path)
    write_still(tmp_path / "out.jpg", still.image, still)
    assert (tmp_path / "out.jpg").read_bytes().count(b"\xff\xd8\xff") == 1


def test_one_tag_that_is_not_valid_costs_no_other(tmp_path: Path) -> None:
    # a maker, a model, and a text where a resolution belongs
    texts = b"Maker\0Model\0"
    end = 8 + 2 + 3 * 12 + 4
    abc = int.from_bytes(b"abc\0", "little")
    tags = [(0x010F, 2, 6, end), (0x0110, 2, 6, end + 6), (0x011A, 2, 4, abc)]
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    block += b"".join(struct.pack("<HHII", *tag) for tag in tags) + b"\0\0\0\0" + texts
    picture = _saved(tmp_path / "in.jpg", exif=b"Exif\0\0" + block)
    with pytest.raises((TypeError, ValueError)):  # Pillow cannot write all of it
        picture.getexif().tobytes()
    kept = _kept(picture)
    assert (kept[0x010F], kept[0x0110]) == ("Maker", "Model")
    assert 0x011A not in kept


def test_how_a_tiff_keeps_its_pixels_is_not_told(tmp_path: Path) -> None:
    kept = _kept(_saved(tmp_path / "in.tiff", description="A title"))
    assert kept[270] == "A title"
    assert not {256, 273, 279} & set(kept)


@pytest.mark.parametrize("source", ["in.jpg", "in.png", "in.webp"])
@pytest.mark.parametrize("target", ["out.jpg", "out.png", "out.webp"])
def test_xmp_is_kept(tmp_path: Path, source: str, target: str) -> None:
    packet = PACKET % b"Sea"
    if source == "in.png":
        from PIL.PngImagePlugin import PngInfo

        texts = PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", packet.decode())
        PICTURE.save(tmp_path / source, pnginfo=texts)
    else:
        PICTURE.save(tmp_path / source, xmp=packet)
    still = read_still(tmp_path / source)
    write_still(tmp_path / target, still.image, still)
    assert kept_xmp(Pillow.open(tmp_path / target)) == packet


@pytest.mark.parametrize("inside", [b"/9j/4AAQSkZJRg", b"iVBORw0KGgoAAAA"])
def test_xmp_with_a_picture_in_it_is_not_kept(tmp_path: Path, inside: bytes) -> None:
    assert kept_xmp(_saved(tmp_path / "in.jpg", xmp=PACKET % inside)) is None


@pytest.mark.parametrize(
    ("dpi", "expected"), [((300, 150), (300, 150)), ((0, 0), None), ("x", None), (None, None)]
)
def test_resolutions(dpi: object, expected: object) -> None:
    picture = PICTURE.copy()
    if dpi:
        picture.info["dpi"] = dpi
    assert dots_per_inch(picture) == expected
