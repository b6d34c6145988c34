"""The icon in the tray: the page's icon (panel/static/icon.svg), drawn anew for each look."""

from functools import cache

from PIL import Image, ImageDraw

from realtime_bokeh.tray.menu import Look

_UNITS = 64  # the drawing's own coordinates
_FINER = 4  # drawn so much larger, because Pillow's circles have hard edges
_GROUND, _CREAM = (0x1F, 0x2E, 0x34), (0xF5, 0xF3, 0xEA)
_TEAL, _AMBER, _GRAY, _RED = (
    (0x3C, 0xB5, 0xA8),
    (0xF0, 0xB6, 0x5A),
    (0x66, 0x70, 0x73),
    (226, 70, 60),
)

# x, y, radius, opacity; the second is the light that has a color of its own
_DISCS = ((23, 25, 13, 0.8), (43, 20, 8, 0.8), (46, 41, 10, 0.45), (27, 41, 12, 0.16))


@cache
def draw(look: Look, size: int) -> Image.Image:
    """The icon, RGBA, size x size pixels; do not draw on it.

    It tells the looks apart by shape as well as by color: stopped is gray, blanked is crossed out,
    a shown room has an amber dot, trouble a red one.
    """
    scale = size * _FINER / _UNITS
    image = Image.new("RGBA", (size * _FINER, size * _FINER))
    ImageDraw.Draw(image).rounded_rectangle(
        (0, 0, *(side - 1 for side in image.size)), 15 * scale, (*_GROUND, 255)
    )
    gray = look in (Look.STOPPED, Look.BLANKED)
    colors = [_GRAY] * 3 if gray else [_TEAL, _AMBER, _TEAL]
    for disc, color in zip(_DISCS, [*colors, _CREAM], strict=True):
        _lay(image, scale, disc, color)
    pen = ImageDraw.Draw(image)
    pen.ellipse(_box(27, 41, 13.25, scale), outline=(*_CREAM, 255), width=round(2.5 * scale))
    if look is Look.BLANKED:
        ends = [part * scale for part in (12, 52, 52, 12)]
        pen.line(ends, (*_CREAM, 255), round(6 * scale))
    elif look in (Look.ROOM, Look.TROUBLE):
        pen.ellipse(_box(49, 49, 15, scale), (*_GROUND, 255))
        pen.ellipse(_box(49, 49, 12, scale), (*(_RED if look is Look.TROUBLE else _AMBER), 255))
    return image.resize((size, size), Image.Resampling.BOX)


def _lay(
    image: Image.Image, scale: float, disc: tuple[int, int, int, float],
    color: tuple[int, int, int],
) -> None:  # fmt: skip
    """Lay a disc over what is there: to draw it would replace that."""
    x, y, radius, opacity = disc
    over = Image.new("RGBA", image.size)
    ImageDraw.Draw(over).ellipse(_box(x, y, radius, scale), (*color, round(255 * opacity)))
    image.alpha_composite(over)


def _box(x: float, y: float, radius: float, scale: float) -> tuple[float, float, float, float]:
    return (
        (x - radius) * scale,
        (y - radius) * scale,
        (x + radius) * scale,
        (y + radius) * scale,
    )
