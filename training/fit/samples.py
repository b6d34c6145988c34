"""The picture that shows how a run does: labelled rows of samples."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from torch import Tensor

from training.data.pictures import to_images

_MARGIN, _HEADING = 64, 20  # pixels left of the rows and above the columns, for the labels
_FONT, _SCALE, _INK = cv2.FONT_HERSHEY_SIMPLEX, 0.4, (40, 40, 40)


def labelled_sheet(rows: Mapping[str, Tensor], columns: Sequence[str]) -> bytes:
    """A JPEG of pictures in rows and columns, with the name of each drawn beside and above.

    Args:
        rows: float [n, 3 or 1, h, w] in [0, 1], RGB or gray, of one size, by the row's name.
        columns: names of the columns; there are as many as names.
    """
    lines = [
        np.hstack(to_images(pictures[: len(columns)].expand(-1, 3, -1, -1)))
        for pictures in rows.values()
    ]
    height, width = lines[0].shape[0], lines[0].shape[1] // len(columns)
    grid = np.vstack(lines)
    sheet = cv2.copyMakeBorder(
        grid, _HEADING, 0, _MARGIN, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255)
    )
    for number, name in enumerate(columns):
        cv2.putText(sheet, name, (_MARGIN + number * width + 4, _HEADING - 6), _FONT, _SCALE,
                    _INK, 1, cv2.LINE_AA)  # fmt: skip
    for number, name in enumerate(rows):
        middle = _HEADING + number * height + height // 2 + 4
        cv2.putText(sheet, name, (6, middle), _FONT, _SCALE, _INK, 1, cv2.LINE_AA)
    return cv2.imencode(".jpg", sheet)[1].tobytes()
