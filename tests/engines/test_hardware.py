from collections.abc import Callable
from pathlib import Path

import pytest

from realtime_bokeh import weights
from realtime_bokeh.app import doctor
from realtime_bokeh.engines import hardware, open_engine
from realtime_bokeh.engines.hardware import Gpu
from realtime_bokeh.errors import EngineError

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


def test_a_driver_without_what_uses_it_falls_back_and_says_why(
    nvidia_smi: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    nvidia_smi(LISTED)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(hardware, "tensorrt_module", lambda: None)
    opened = open_engine(weights.find("lite"))
    assert opened.reason.startswith("lite, openvino")
    tensorrt, pytorch = opened.passed_over
    assert tensorrt.startswith("tensorrt is passed over: TensorRT is not installed")
    assert "[rtx]" in tensorrt
    assert "is built for CPUs" in pytorch
    monkeypatch.setattr(hardware, "tensorrt_module", lambda: "tensorrt_rtx")
    with pytest.raises(EngineError, match="is built for CPUs; install its build for the GPU"):
        open_engine(weights.find("lite"), "tensorrt")


def test_rtx_is_not_chosen_for_a_gpu_that_it_does_not_support(
    nvidia_smi: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    import realtime_bokeh.engines as engines

    nvidia_smi("NVIDIA H100 80GB HBM3, 9.0\n")
    monkeypatch.setattr(engines, "why_not_tensorrt", lambda: None)
    monkeypatch.setattr(engines, "tensorrt_module", lambda: "tensorrt_rtx")
    reason = engines._why_pass_over_tensorrt()
    assert reason is not None
    assert "does not support NVIDIA H100" in reason
    nvidia_smi("NVIDIA GeForce RTX 4070, 8.9\n")
    assert engines._why_pass_over_tensorrt() is None


def test_photos_take_no_engine_that_compiles_for_every_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import realtime_bokeh.engines as engines

    runtimes = [engines.Runtime("tensorrt", lambda: None, lambda: None, True), engines.ENGINES[2]]
    monkeypatch.setattr(engines, "ENGINES", runtimes)
    opened = open_engine(weights.find("lite"), photos=True)
    assert opened.describe().startswith("openvino")
    assert opened.passed_over == (
        "tensorrt is passed over: it would compile for every size of photo",
    )
