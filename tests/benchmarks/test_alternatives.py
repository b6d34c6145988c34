"""benchmarks/alternatives.py measures time; that its rivals blur backgrounds is checked here."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

PATH = Path(__file__).parents[2] / "benchmarks" / "alternatives.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("alternatives", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("rival", ["blur_at_a_quarter", "full_gaussian"])
def test_rivals_keep_the_person_and_blur_the_rest(benchmark: ModuleType, rival: str) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)

    def right_half(_: NDArray[np.uint8]) -> NDArray[np.float32]:
        mask = np.zeros((36, 64), np.float32)
        mask[:, 32:] = 1
        return mask

    result = getattr(benchmark, rival)(right_half)(frame)
    assert np.array_equal(result[:, 700:], frame[:, 700:])
    assert result[:, :580].std() < 0.15 * frame.std()


def test_it_runs_without_the_segmentation_and_says_so() -> None:
    arguments = [sys.executable, str(PATH), "--frames", "2"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert "left out" in result["segmentation"]
    for name in ("lite", "quarter_size_blur", "gaussian_sigma_12"):
        assert result[name]["ms"] > 0
        assert result[name]["processor_ms"] > 0


def test_a_missing_file_is_named() -> None:
    arguments = [sys.executable, str(PATH), "--segmentation", "none.tflite"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--segmentation none.tflite is no file" in done.stderr
