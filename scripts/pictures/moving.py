"""Makes docs/moving.webp: the built-in scene, while the effect sweeps over it and back.

Usage, in the repository's folder: python scripts/pictures/moving.py [OUT.webp]
"""

import math
import sys

import cv2
from PIL import Image

from realtime_bokeh import Size, open_engine
from realtime_bokeh.sources.demo import Demo

SIZE = Size(360, 480)
FPS = 10.0
SECONDS = 4  # of one sweep there and back
LINE = 2  # pixels between before and after

out = sys.argv[1] if len(sys.argv) > 1 else "docs/moving.webp"
count = round(FPS * SECONDS)
scene = Demo(SIZE, fps=FPS, total=2 * count, live=False)
pictures = []
with open_engine("lite") as engine:
    for index in range(2 * count):  # two rounds of the scene, so that the loop has no jump
        frame = scene.read()
        assert frame is not None
        picture = engine(frame.image)
        across = 0.5 - 0.55 * math.cos(2 * math.pi * index / count)
        split = round(min(max(across, 0.0), 1.0) * SIZE.width)
        picture[:, :split] = frame.image[:, :split]
        picture[:, max(0, split - LINE) : split] = 255
        pictures.append(Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)))
pictures[0].save(
    out, save_all=True, append_images=pictures[1:], duration=round(1000 / FPS), loop=0,
    quality=45, method=6,
)  # fmt: skip
