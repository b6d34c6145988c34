from collections.abc import Callable
from pathlib import Path

import pytest

from realtime_bokeh.app import doctor
from realtime_bokeh.engines import hardware
from realtime_bokeh.engines.hardware import Gpu

LISTED = "NVIDIA GeForce RTX 4070, 8.9\nNVIDIA H100 80GB HBM3, 9.0\n"


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a driver's tool on the path that answers what it is told to."""

    def answer(text: str, status: int = 0) -> None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\nexit {status}\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return answer


def test_gpus_and_the_tensorrt_that_fits_them(nvidia_smi: Callable[[str], None]) -> None:
    nvidia_smi(LISTED)
    assert hardware.nvidia_driver()
    geforce, server = hardware.nvidia_gpus()
    assert geforce == Gpu("NVIDIA GeForce RTX 4070", (8, 9))
    assert "[rtx]" in geforce.install_line
    assert "[tensorrt]" in server.install_line
    assert str(server) == "NVIDIA H100 80GB HBM3 (compute capability 9.0)"


@pytest.mark.parametrize(
    ("capability", "fits"),
    [((7, 0), 0), ((7, 5), 1), ((8, 0), 1), ((8, 9), 1), ((9, 0), 0), ((10, 0), 0), ((12, 0), 1)],
)
def test_rtx_support(capability: tuple[int, int], fits: int) -> None:
    assert Gpu("any", capability).runs_rtx == bool(fits)


@pytest.mark.parametrize("answer", ["", "No devices were found\n", "a, b\nc\n"])
def test_odd_answers_of_the_driver(nvidia_smi: Callable[[str], None], answer: str) -> None:
    nvidia_smi(answer)
    assert hardware.nvidia_gpus() == []


def test_a_failing_driver(nvidia_smi: Callable[..., None]) -> None:
    nvidia_smi(LISTED, 9)
    assert hardware.nvidia_gpus() == []


def test_doctor_names_what_to_install(nvidia_smi: Callable[[str], None]) -> None:
    nvidia_smi(LISTED)
    geforce, server = (f.sentence for f in doctor._gpus())
    assert geforce.startswith("NVIDIA GeForce RTX 4070 (compute capability 8.9); for TensorRT: pip")
    assert '[rtx]".' in geforce
    assert '[tensorrt]".' in server


@pytest.mark.parametrize(
    ("device", "kind"), [("CPU", "cpu"), ("GPU.1", "gpu"), ("cuda:1", "cuda"), ("mps", "mps")]
)
def test_the_kind_of_a_device_is_read_from_its_name(device: str, kind: str) -> None:
    assert hardware.device_kind(device) == kind
