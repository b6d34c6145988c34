"""Real conversions of lite, run by LiteRT; they need the extra [export]."""

import copy
import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from realtime_bokeh import weights
from realtime_bokeh.architectures import FINER
from realtime_bokeh.errors import EngineError, UsageError
from realtime_bokeh.export import tflite
from realtime_bokeh.export.compare import compare, in_torch
from realtime_bokeh.export.litert import METADATA, Interpreter
from realtime_bokeh.export.tflite import (
    TfliteSpec,
    compare_with_pytorch,
    convert,
    describe,
    quantize,
)
from realtime_bokeh.frame import Image
from realtime_bokeh.network.core import BokehCore
from realtime_bokeh.network.dmshn import build
from realtime_bokeh.network.phone import integer_ratio
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources import demo

pytest.importorskip("litert_torch")

# Operators that XNNPACK runs (tflite/delegates/xnnpack/README.md of google-ai-edge/LiteRT)
XNNPACK = """
    ABS ADD AVERAGE_POOL_2D CEIL CONCATENATION CONV_2D DEPTH_TO_SPACE DEPTHWISE_CONV_2D DIV ELU
    FULLY_CONNECTED FLOOR HARD_SWISH LEAKY_RELU LOGISTIC MAX_POOL_2D MAXIMUM MEAN MINIMUM MUL NEG
    PAD PRELU RELU RELU6 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR ROUND SLICE SOFTMAX SPACE_TO_DEPTH
    SPLIT SQRT SQUARE SQUARED_DIFFERENCE STRIDED_SLICE SUB TANH TRANSPOSE TRANSPOSE_CONV
"""
# and the GPU delegate (NewOperationParser in its tflite/delegates/gpu/common/model_builder.cc)
GPU = """
    ABS ADD AVERAGE_POOL_2D CAST CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DIV ELU
    EXP FLOOR FULLY_CONNECTED HARD_SWISH LEAKY_RELU LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM
    MIRROR_PAD MUL NEG PAD PADV2 PRELU RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR
    SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SQRT SQUARE SQUARED_DIFFERENCE STRIDED_SLICE SUB TANH TILE
    TRANSPOSE TRANSPOSE_CONV
"""
ENDS = {"CAST", "QUANTIZE", "DEQUANTIZE"}  # between a picture's bytes and numbers

LITE = weights.find("lite")


def _pictures(size: Size, count: int) -> list[Image]:
    return [image[:, :, ::-1].copy() for image in demo.images(size, count)]


def _converted(spec: TfliteSpec) -> bytes:
    return describe(convert(spec), spec.metadata())


@pytest.fixture(scope="module")
def core() -> bytes:
    return _converted(TfliteSpec(LITE, Size(96, 128), "f32"))


@pytest.fixture(scope="module")
def frame() -> bytes:
    return _converted(TfliteSpec(LITE, Size(192, 256), "int8-float-io", whole_frame=True))


def test_float32_is_pytorchs_over_a_hundred_frames(core: bytes) -> None:
    spec = TfliteSpec(LITE, Size(96, 128), "f32")
    said = compare_with_pytorch(spec, core, spec.module(), _pictures(spec.seen, 100))
    assert said.startswith(("within 0/255", "within 1/255"))


@pytest.mark.parametrize("precision", ["f16", "int8"])
def test_smaller_ones_are_near(core: bytes, precision: str) -> None:
    spec = TfliteSpec(LITE, Size(96, 128), precision)
    pictures = _pictures(spec.seen, 8)
    content = quantize(spec, core, pictures)
    assert len(content) < (0.6 if precision == "f16" else 0.4) * len(core)
    assert "dB" in compare_with_pytorch(spec, content, spec.module(), pictures)


def test_the_whole_frame_with_floats_at_its_ends(frame: bytes) -> None:
    spec = TfliteSpec(LITE, Size(192, 256), "int8-float-io", whole_frame=True)
    pictures = _pictures(spec.seen, 8)
    content = quantize(spec, frame, pictures)
    assert "dB" in compare_with_pytorch(spec, content, spec.module(), pictures)
    assert Interpreter(content).metadata["values"] == "float32 in [0, 1]"


def test_networks_without_the_focus_head_convert(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the authors' checkpoints are; their last convolution is clamped straight away."""
    torch.manual_seed(0)
    network = build("lite", False).eval()

    def load(*ignored: object) -> BokehCore:
        return BokehCore(copy.deepcopy(network)).eval()

    monkeypatch.setattr(tflite, "load_core", load)
    spec = TfliteSpec(dataclasses.replace(LITE, focus_head=False, finer=1), Size(64, 64), "f32")
    assert "dB" in compare_with_pytorch(
        spec, _converted(spec), spec.module(), _pictures(spec.seen, 3)
    )


@pytest.mark.parametrize("whole_frame", [False, True])
def test_one_that_sees_finer_converts(whole_frame: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    network = build("lite", True, FINER).eval()

    def load(*ignored: object) -> BokehCore:
        return BokehCore(copy.deepcopy(network), FINER).eval()

    monkeypatch.setattr(tflite, "load_core", load)
    model = dataclasses.replace(LITE, finer=FINER, inference_size=Size(48, 64))
    spec = TfliteSpec(model, Size(144, 192) if whole_frame else Size(64, 64), "f32", whole_frame)
    runtime = Interpreter(_converted(spec))
    found = compare(spec, runtime, in_torch(spec.module()), _pictures(spec.seen, 3))
    assert found.levels <= 2
    assert found.worst_psnr > 80
    if not whole_frame:
        assert runtime.operators() - ENDS <= set(XNNPACK.split()) & set(GPU.split())


def test_accelerators_have_every_operator(core: bytes, frame: bytes) -> None:
    spec = TfliteSpec(LITE, Size(96, 128), "int8")
    for content in (core, frame, quantize(spec, core, _pictures(spec.seen, 2))):
        operators = Interpreter(content).operators() - ENDS
        assert "CONV_2D" in operators
        assert "TRANSPOSE_CONV" not in operators  # slow on GPUs; see network.phone.Upsample
        assert operators <= set(XNNPACK.split())
        assert operators <= set(GPU.split())


def test_a_model_says_what_it_is(core: bytes) -> None:
    found = Interpreter(core).metadata
    assert found["colour_order"] == "RGB"
    assert found["size"] == [96 * LITE.finer, 128 * LITE.finer]
    assert found["network_size"] == [96, 128]
    assert found["state"] == {"shape": [1, 96, 128, 8], "first": "zeros", "next": "next_state"}
    assert found["weights_sha256"] == LITE.sha256[weights.WEIGHTS]
    assert found["license"] == "MIT"


def test_the_model_in_the_repository_is_of_the_shipped_weights() -> None:
    path = Path(__file__).parents[2] / "engines" / "lite-256x144-int8.tflite"
    content = path.read_bytes()
    assert len(content) < 3_000_000
    spec = TfliteSpec(LITE, Size(144, 256), "int8")
    assert Interpreter(content).metadata | {"version": ""} == spec.metadata() | {"version": ""}
    assert "dB" in compare_with_pytorch(spec, content, spec.module(), _pictures(spec.seen, 4))


def test_what_does_not_match_is_refused(core: bytes) -> None:
    other = TfliteSpec(weights.find("lite"), Size(96, 128), "f32")
    module = other.module()
    with np.errstate(all="ignore"):
        next(module.parameters()).data.mul_(1.5)
    with pytest.raises(EngineError, match="nothing was written"):
        compare_with_pytorch(other, core, module, _pictures(other.seen, 2))


@pytest.mark.parametrize("damage", ["truncated", "header", "garbage", "empty", "stranger"])
def test_damaged_models_are_one_sentence(core: bytes, damage: str) -> None:
    content = {
        "truncated": core[: len(core) // 3],
        "header": core[:4] + b"TFL9" + core[8:],
        "garbage": b"\xff" * 4 + b"TFL3" + bytes(range(200)),
        "empty": b"",
        "stranger": core.replace(METADATA.encode(), b"x" * len(METADATA)),
    }[damage]
    with pytest.raises(UsageError, match="TFLite model") as caught:
        Interpreter(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "precision", "whole", "says"),
    [
        (Size(100, 128), "int8", False, "take 128x96"), (Size(0, 16), "int8", False, "is no size"),
        (Size(0, 0), "int8", True, "is no size"),
        (Size(96, 128), "int4", False, "choose f32, f16, int8, int8-float-io"),
        (Size(1080, 1920), "int8", True, "do not divide"),
        (Size(100, 100), "int8", True, "or use --core"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_said(
    size: Size, precision: str, whole: bool, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        TfliteSpec(LITE, size, precision, whole)


def test_ratios_bring_a_frame_near_the_networks_size() -> None:
    area = 144 * 256
    assert integer_ratio(Size(720, 1280), area) == 5
    assert integer_ratio(Size(480, 640), area) == 2
    assert integer_ratio(Size(144, 256), area) == 1
    assert integer_ratio(Size(1080, 1920), area) is None
    for height, width in itertools.product((64, 720), (96, 1280)):
        ratio = integer_ratio((height, width), area)
        assert ratio is None or (height % (16 * ratio), width % (16 * ratio)) == (0, 0)


def test_the_command_writes_a_model_or_nothing(
    command: Callable[..., Any], core: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tflite, "convert", lambda spec: core)
    arguments = ("export", "tflite", tmp_path / "a.tflite", "--size", "128x96")
    outcome = command(*arguments, "--precision", "f32")
    assert outcome.status == 0, outcome.lines
    assert "of PyTorch" in outcome.lines[0]
    assert Interpreter((tmp_path / "a.tflite").read_bytes()).metadata["model"] == "lite"
    monkeypatch.setattr(tflite, "_LEAST_PSNR", 99.0)
    (tmp_path / "a.tflite").unlink()
    outcome = command(*arguments, "--precision", "int8")
    assert outcome.status == 1
    assert "nothing was written" in outcome.lines[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tflite", "a.onnx"], "end its name with one of .tflite"),
        (["tflite", "a.tflite", "--precision", "int4"], "unknown"),
        (["tflite", "a.tflite", "--size", "big"], "not a size"),
        (["tflite", "a.tflite", "--frame", "--size", "1920x1080"], "do not divide"),
        (["tflite", "a.tflite", "--pictures", "nowhere"], "not a folder"),
        (["tflite", "a.tflite", "--model", "big"], "no model"),
        (["onnx", "a.tflite"], "end its name with one of .onnx"),
        (["onnx", "a.onnx", "--size", "128x96"], "--size is for --frame"),
    ],
)
def test_mistakes_are_one_sentence(
    command: Callable[..., Any], arguments: list[str], says: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    outcome = command("export", *arguments)
    assert outcome.status == 2
    assert len(outcome.lines) == 1
    assert says in outcome.lines[0]
    assert list(tmp_path.iterdir()) == []
