import numpy as np
import pytest

from realtime_bokeh.live.letterbox import letterbox
from realtime_bokeh.sizes import Size
from tests import clips


def test_a_right_size_costs_nothing() -> None:
    image = clips.solid((9, 99, 199))
    assert letterbox(image, Size(48, 64)) is image


@pytest.mark.parametrize(
    ("given", "size", "inner"),
    [
        (Size(64, 48), Size(48, 64), Size(48, 36)),  # turned
        (Size(480, 640), Size(72, 128), Size(72, 96)),
        (Size(36, 64), Size(480, 640), Size(360, 640)),
        (Size(1, 1), Size(48, 64), Size(48, 48)),
        (Size(1, 3000), Size(48, 64), Size(1, 64)),
        (Size(48, 64), Size(1, 1), Size(1, 1)),
        (Size(3, 2), Size(2, 3), Size(2, 1)),
    ],
)
def test_the_shape_is_kept_and_the_rest_is_black(given: Size, size: Size, inner: Size) -> None:
    fitted = letterbox(clips.solid((200, 200, 200), given), size)
    assert fitted.shape == (*size, 3)
    assert fitted.dtype == np.uint8
    assert fitted.flags["C_CONTIGUOUS"]
    rows, columns = np.nonzero(fitted.any((1, 2)))[0], np.nonzero(fitted.any((0, 2)))[0]
    assert (len(rows), len(columns)) == inner
    assert (fitted[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 200).all()
    margins = (rows[0], size.height - 1 - rows[-1], columns[0], size.width - 1 - columns[-1])
    assert abs(margins[0] - margins[1]) <= 1
    assert abs(margins[2] - margins[3]) <= 1
