import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.stills import (
    is_still,
    name_of_rendering,
    photos_in,
    read_still,
    write_still,
)

ROWS, COLUMNS = np.indices((40, 60))
RGB = np.dstack([ROWS * 4, COLUMNS * 3, 255 - ROWS * 2]).astype(np.uint8)
ALPHA = (COLUMNS * 4).astype(np.uint8)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _copy(path: Path, target: str) -> Pillow.Image:
    """What comes out when nothing is rendered."""
    still = read_still(path)
    write_still(path.with_name(target), still.image, still)
    result = Pillow.open(path.with_name(target))
    result.load()
    return result


def _error(image: Pillow.Image, expected: Image) -> float:
    assert image.size == expected.shape[1::-1]
    return float(np.abs(np.asarray(image.convert("RGB")).astype(int) - expected).mean())


@pytest.mark.parametrize("source", ["in.jpg", "in.png", "in.webp"])
@pytest.mark.parametrize("target", ["out.jpeg", "out.PNG", "out.webp"])
def test_exif_profile_and_picture_are_kept(tmp_path: Path, source: str, target: str) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # a portrait photograph
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0x9003] = "2024:01:01 00:00:00"
    Pillow.fromarray(RGB).save(tmp_path / source, exif=exif, icc_profile=PROFILE, quality=98)
    result = _copy(tmp_path / source, target)
    assert _error(result, np.rot90(RGB, -1)) < 3
    assert result.info["icc_profile"] == PROFILE
    found = result.getexif()
    assert found.get(0x0112, 1) == 1
    assert found[0x010F] == "Maker"
    assert found.get_ifd(0x8769)[0x9003] == "2024:01:01 00:00:00"


@pytest.mark.parametrize("source", ["in.png", "in.webp"])
@pytest.mark.parametrize("target", ["out.png", "out.webp"])
def test_transparency_is_kept(tmp_path: Path, source: str, target: str) -> None:
    Pillow.fromarray(np.dstack([RGB, ALPHA])).save(tmp_path / source, lossless=True, exact=True)
    result = _copy(tmp_path / source, target)
    assert result.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(result)[..., 3], ALPHA)


def test_transparency_does_not_fit_into_jpeg(tmp_path: Path) -> None:
    Pillow.fromarray(np.dstack([RGB, ALPHA])).save(tmp_path / "in.png")
    with pytest.raises(UsageError, match=r"out.jpg cannot hold transparency; .*\.png or \.webp"):
        _copy(tmp_path / "in.png", "out.jpg")
    Pillow.fromarray(np.dstack([RGB, np.full_like(ALPHA, 255)])).save(tmp_path / "in.png")
    assert _copy(tmp_path / "in.png", "out.jpg").mode == "RGB"


@pytest.mark.parametrize(
    ("image", "options", "mode"),
    [
        (Pillow.fromarray(ALPHA), {}, "RGB"),
        (Pillow.fromarray(ALPHA), {"transparency": 100}, "RGBA"),
        (Pillow.fromarray(ALPHA > 60), {}, "RGB"),
        (Pillow.fromarray(np.dstack([ALPHA, ALPHA]), "LA"), {}, "RGBA"),
        (Pillow.fromarray(RGB).quantize(16), {}, "RGB"),
        (Pillow.fromarray(RGB).quantize(16), {"transparency": bytes(range(16))}, "RGBA"),
        (Pillow.fromarray(RGB[:1, :1]), {}, "RGB"),
        (Pillow.fromarray(RGB).resize((3000, 2)), {}, "RGB"),
    ],
)
def test_every_kind_of_png(
    tmp_path: Path, image: Pillow.Image, options: dict[str, Any], mode: str
) -> None:
    image.save(tmp_path / "in.png", **options)
    result = _copy(tmp_path / "in.png", "out.png")
    assert result.mode == mode
    assert _error(result, np.asarray(image.convert("RGB"))) == 0


def test_the_profile_of_a_grey_picture_is_not_put_on_a_coloured_one(tmp_path: Path) -> None:
    Pillow.fromarray(ALPHA).save(tmp_path / "in.png", icc_profile=PROFILE)
    assert "icc_profile" not in _copy(tmp_path / "in.png", "out.png").info


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("block", [b"", b"garbage", b"MM\0*\0\0\0\x08\xff\xff\x01\x12junk"])
def test_damaged_exif_does_not_spoil_the_picture(tmp_path: Path, block: bytes) -> None:
    Pillow.fromarray(RGB).save(tmp_path / "in.jpg", exif=b"Exif\0\0" + block)
    assert _copy(tmp_path / "in.jpg", "out.jpg").size == (60, 40)


def _cut(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, RGB.shape).astype(np.uint8)
    Pillow.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])


def _size(path: Path, width: int, height: int) -> None:
    """A PNG that states its size and then ends."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    sum_ = struct.pack(">I", zlib.crc32(header))
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\r" + header + sum_ + b"\0\0\0\x09IDAT")


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("a.png", lambda path: None, "does not exist"),
        ("a.png", Path.mkdir, "is not a file"),
        ("x" * 300 + ".png", lambda path: None, "does not exist"),
        ("a.jpg", Path.touch, "is empty"),
        ("a.jpg", lambda path: path.write_text("hello"), "is not a picture"),
        ("a.jpg", _cut, "is damaged or cut off"),
        ("a.png", _cut, "is damaged or cut off"),
        ("a.webp", _cut, "is damaged or cut off"),
        ("a.jpg", lambda path: Pillow.new("CMYK", (9, 9)).save(path), "CMYK.*convert it"),
        ("a.png", lambda path: cv2.imwrite(str(path), RGB.astype(np.uint16) * 99), "8 bits"),
        ("a.png", lambda path: cv2.imwrite(str(path), ALPHA.astype(np.uint16) * 99), "8 bits"),
        ("a.png", lambda path: _size(path, 20000, 20000), "20000x20000: too large"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, name: str, make: Any, sentence: str
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(UsageError, match=sentence) as caught:
        read_still(path)
    assert name in str(caught.value)


@pytest.mark.filterwarnings("error")
def test_the_largest_cameras_are_not_complained_about(tmp_path: Path) -> None:
    _size(tmp_path / "a.png", 12000, 9000)
    with pytest.raises(UsageError, match="is damaged or cut off"):  # not: too large
        read_still(tmp_path / "a.png")


def test_importing_this_leaves_pillows_own_guard_alone() -> None:
    program = """
import PIL.Image
before = PIL.Image.MAX_IMAGE_PIXELS
import realtime_bokeh.stills
assert before is not None
assert PIL.Image.MAX_IMAGE_PIXELS == before
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("limit", [1, None])
def test_another_limit_of_the_process_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    for name in ("a.jpg", "a.png"):
        Pillow.fromarray(RGB).save(tmp_path / name)
    _size(tmp_path / "bomb.png", 20000, 20000)
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", limit)
    for name in ("a.jpg", "a.png"):
        assert read_still(tmp_path / name).image.shape == RGB.shape
    with pytest.raises(UsageError, match="20000x20000: too large"):
        read_still(tmp_path / "bomb.png")
    assert limit == Pillow.MAX_IMAGE_PIXELS


def test_the_kind_is_read_from_the_file_not_from_its_name(tmp_path: Path) -> None:
    Pillow.fromarray(RGB).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert _error(_copy(tmp_path / "a.jpg", "b.png"), RGB) == 0


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    Pillow.new("RGB", (17000, 1)).save(tmp_path / "in.png")
    (tmp_path / "out.webp").write_text("old")
    with pytest.raises(SinkError, match=r"out.webp cannot be written .*16383"):
        _copy(tmp_path / "in.png", "out.webp")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.png", "out.webp"]
    assert (tmp_path / "out.webp").read_text() == "old"


@pytest.mark.parametrize(
    "name", ["in.heic", "in.heif", "in.avif", "in.bmp", "in.tif", "in.tiff", "in.gif"]
)
def test_what_phones_and_old_programs_save_is_read(tmp_path: Path, name: str) -> None:
    picture = Pillow.fromarray(np.kron(RGB, np.ones((4, 4, 1), np.uint8)))
    if name.startswith("in.hei"):
        pillow_heif.from_pillow(picture).save(tmp_path / name, quality=90)
    else:
        picture.save(tmp_path / name)
    assert is_still(tmp_path / name)
    assert _error(_copy(tmp_path / name, "out.png"), np.asarray(picture)) < 6
    (tmp_path / name).rename(tmp_path / "misnamed.jpg")
    assert _error(_copy(tmp_path / "misnamed.jpg", "out.png"), np.asarray(picture)) < 6


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.gif", "a.avif", "a.tiff"])
def test_several_frames_or_pictures_are_refused(tmp_path: Path, name: str) -> None:
    first, *others = (Pillow.fromarray(np.roll(RGB, 9 * n, 1)) for n in range(3))
    first.save(tmp_path / name, save_all=True, append_images=others, duration=200)
    what = "holds 3 pictures" if name == "a.tiff" else r"is animated \(3 frames\)"
    with pytest.raises(UsageError, match=f"{name} {what}"):
        read_still(tmp_path / name)


def test_sixteen_bits_of_a_tiff_are_not_cut(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.tiff"), RGB.astype(np.uint16) * 99)
    with pytest.raises(UsageError, match="more than 8 bits"):
        read_still(tmp_path / "a.tiff")


def test_high_dynamic_range_is_refused(tmp_path: Path) -> None:
    heif = pillow_heif.from_pillow(Pillow.fromarray(RGB))
    heif.save(tmp_path / "a.heic", transfer_characteristics=16, save_nclx_profile=True)
    with pytest.raises(UsageError, match="high dynamic range"):
        read_still(tmp_path / "a.heic")


def test_a_jpeg_that_lacks_only_its_end_mark_is_read(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, RGB.shape).astype(np.uint8)
    for progressive in (False, True):
        Pillow.fromarray(noise).save(tmp_path / "in.jpg", progressive=progressive)
        whole = (tmp_path / "in.jpg").read_bytes()
        expected = np.asarray(Pillow.open(tmp_path / "in.jpg"))
        for missing in (1, 2):
            (tmp_path / "cut.jpg").write_bytes(whole[:-missing])
            assert _error(_copy(tmp_path / "cut.jpg", "out.png"), expected) == 0
        for missing in (20, 200):
            (tmp_path / "cut.jpg").write_bytes(whole[:-missing])
            with pytest.raises(UsageError, match="is damaged or cut off"):
                read_still(tmp_path / "cut.jpg")


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_the_size_in_print_is_kept(tmp_path: Path, name: str) -> None:
    Pillow.fromarray(RGB).save(tmp_path / name, dpi=(300, 300))
    assert _copy(tmp_path / name, f"out{name}").info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_photos_of_a_folder_are_its_visible_photos(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.heic", "._b.jpg", ".c.png", "d.txt", "e.mp4"):
        (tmp_path / name).touch()
    assert [path.name for path in photos_in(tmp_path)] == ["a.heic", "b.JPG"]
    named = [name_of_rendering(Path(name)) for name in ("a.HEIC", "b.JPG", "c.gif", "d.webp")]
    assert named == ["a.jpg", "b.JPG", "c.png", "d.webp"]
