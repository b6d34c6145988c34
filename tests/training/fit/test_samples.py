import cv2
import numpy as np
import torch

from training.fit.samples import labelled_sheet


def test_rows_and_columns_have_their_names_beside_them() -> None:
    level = torch.full((3, 3, 48, 80), 0.5)
    rows = {"input": level, "focus": level[:, :1] * 0}

    def drawn(*columns: str) -> np.ndarray:
        sheet = np.frombuffer(labelled_sheet(rows, columns), np.uint8)
        return np.asarray(cv2.imdecode(sheet, cv2.IMREAD_GRAYSCALE)).astype(int)

    sheet = drawn("one", "two")
    height, width = sheet.shape
    top, left = height - 2 * 48, width - 2 * 80
    assert abs(sheet[top : top + 48, left:] - 128).max() < 8
    assert sheet[top + 56 :, left + 8 :].max() < 8  # the second row
    for row in range(2):
        beside = sheet[top + 48 * row : top + 48 * (row + 1), : left - 8]
        assert beside.min() < 120  # ink
        assert np.median(beside) > 240  # on paper
    for column in range(2):
        above = sheet[: top - 4, left + 80 * column : left + 80 * (column + 1)]
        assert above.min() < 120
