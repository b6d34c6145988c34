"""benchmarks/alternatives.py measures time; that its rivals blur backgrounds is checked here."""

import json
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import alternatives

COMMAND = [sys.executable, "-m", "benchmarks.alternatives"]


@pytest.mark.parametrize("rival", ["blur_at_a_quarter", "full_gaussian"])
def test_rivals_keep_the_person_and_blur_the_rest(rival: str) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)

    def right_half(_: NDArray[np.uint8]) -> NDArray[np.float32]:
        mask = np.zeros((36, 64), np.float32)
        mask[:, 32:] = 1
        return mask

    result = getattr(alternatives, rival)(right_half)(frame)
    assert np.array_equal(result[:, 700:], frame[:, 700:])
    assert result[:, :580].std() < 0.15 * frame.std()


def test_it_runs_without_the_segmentation_and_says_so() -> None:
    arguments = [*COMMAND, "--frames", "2"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert "left out" in result["segmentation"]
    for name in ("lite", "quarter_size_blur", "gaussian_sigma_12"):
        assert result[name]["ms"] > 0
        assert result[name]["processor_ms"] > 0


def test_a_missing_file_is_named() -> None:
    arguments = [*COMMAND, "--mediapipe", "none.tflite"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--mediapipe none.tflite is no file" in done.stderr
