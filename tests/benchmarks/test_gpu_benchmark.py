"""benchmarks/gpu.py measures on a GPU; what it computes beside that is checked here."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from realtime_bokeh.sizes import Size

PATH = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_benchmark", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_floors_follow_from_the_rates(benchmark: ModuleType) -> None:
    rates = {"matmul_tflops": 100.0, "copy_gb_s": 1000.0, "host_gb_s": 10.0}
    floor = benchmark.floors("dmshn", Size(720, 1280), Size(720, 1280), rates)
    # 652,344 FLOP a pixel, and the focus head's 2 * 9 * 32
    assert floor["gflop"] == pytest.approx((652_344 + 576) * 720 * 1280 / 1e9, rel=1e-3)
    assert floor["arithmetic_ms"] == pytest.approx(floor["gflop"] / 100, rel=1e-3)
    assert floor["upload_and_download_ms"] == pytest.approx(2 * 3 * 720 * 1280 / 1e7, rel=1e-3)
    twice = benchmark.floors("stacked", Size(720, 1280), Size(720, 1280), rates)
    assert twice["memory_ms"] == pytest.approx(2 * floor["memory_ms"], rel=1e-2)


def test_it_runs_and_prints_json() -> None:
    arguments = [sys.executable, str(PATH), "--model", "lite", "--frames", "5"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (result, *_) = json.loads(done.stdout)["results"]
    assert result["model"] == "lite"
    for engine in result["engines"].values():
        assert "error" in engine or engine["frame"]["median_ms"] >= engine["network"]["median_ms"]
