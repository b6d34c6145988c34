"""A folder of drawn photographs in the layout that training reads."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from training.data.pool import Pool


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people (an ellipse in front of noise, nearer than it) and two scenes."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for name, people in (("people", True), ("people_auto", True), ("backgrounds", False)):
        (folder / name).mkdir()
        for number in range(2):
            stem = folder / name / f"{'call' if name == 'people_auto' else 'photo'}_{number}"
            image = random.integers(0, 256, (200, 300, 3), dtype=np.uint8)
            mask = np.zeros((200, 300), np.uint8)
            if people:
                cv2.ellipse(mask, (150, 140), (50, 90), 0, 0, 360, 255, -1)
                image[mask > 0] = (90, 120, 200)
                cv2.imwrite(f"{stem}.mask.png", mask)
            cv2.imwrite(f"{stem}.jpg", image)
            disparity = np.full((192, 320), 40, np.uint8)
            disparity[cv2.resize(mask, (320, 192)) > 127] = 220
            cv2.imwrite(f"{stem}.disparity.png", disparity)
    return folder


@pytest.fixture(scope="session")
def pool(photos: Path) -> Pool:
    """The drawn photographs in memory."""
    return Pool(photos)
