import cv2
import numpy as np
import pytest

from realtime_bokeh import weights
from realtime_bokeh.engines import Controls, Engine, open_engine
from realtime_bokeh.errors import EngineError
from realtime_bokeh.sizes import Size
from realtime_bokeh.sources.demo import Demo

MODELS = ["lite", "dmshn", "stacked"]


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(((a.astype(float) - b) ** 2).mean(), 1e-9)))


@pytest.fixture(params=[("openvino", "int8"), ("openvino", "f32"), ("pytorch", "f32")])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every engine and precision, with the lite model."""
    name, precision = request.param
    return open_engine(weights.find("lite"), name, precision=precision).engine


@pytest.mark.parametrize("shape", [Size(180, 320), Size(320, 180), Size(97, 131), (1, 1)])
def test_any_frame_comes_back_in_its_size(engine: Engine, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    before = image.copy()
    result = engine(image, Controls())
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert np.array_equal(image, before)  # not written to
    assert engine.network_seconds > 0


def test_strength_zero_is_the_camera_and_one_is_not(engine: Engine, portrait: np.ndarray) -> None:
    assert np.abs(engine(portrait, Controls(0.0)).astype(int) - portrait).max() <= 1
    engine.reset()
    assert np.abs(engine(portrait, Controls(1.0)).astype(int) - portrait).max() > 40


def test_past_matters_until_reset(engine: Engine, portrait: np.ndarray) -> None:
    other = cv2.convertScaleAbs(portrait, alpha=1, beta=3)  # still, by the motion gate
    fresh = engine(portrait, Controls(smoothing=1.0))
    engine.reset()
    engine(other, Controls(smoothing=1.0))
    assert not np.array_equal(engine(portrait, Controls(smoothing=1.0)), fresh)
    engine.reset()
    assert np.array_equal(engine(portrait, Controls(smoothing=1.0)), fresh)


@pytest.mark.parametrize("model", MODELS)
def test_openvino_equals_pytorch_over_frames(model: str) -> None:
    scene = Demo(Size(180, 320), live=False)
    found = weights.find(model)
    openvino = open_engine(found, "openvino", precision="f32").engine
    pytorch = open_engine(found, "pytorch").engine
    for _ in range(3):
        frame = scene.read()
        assert frame is not None
        ours, reference = (e(frame.image, Controls()) for e in (openvino, pytorch))
        assert np.abs(ours.astype(int) - reference).max() <= 2


@pytest.mark.parametrize("model", MODELS)
def test_int8_is_over_40_db_of_f32(model: str, portrait: np.ndarray) -> None:
    found = weights.find(model)
    full, fast = (open_engine(found, "openvino", precision=p).engine for p in ("f32", "int8"))
    assert _psnr(fast(portrait, Controls()), full(portrait, Controls())) > 40


def test_full_inference_size(portrait: np.ndarray) -> None:
    photo = portrait[100:227, 150:341]  # neither side a multiple of 16
    found = weights.find("lite")
    ours = open_engine(found, "openvino", "full", precision="f32").engine(photo, Controls())
    reference = open_engine(found, "pytorch", "full").engine(photo, Controls())
    assert ours.shape == photo.shape
    assert np.abs(ours.astype(int) - reference).max() <= 2


def test_the_choice_is_explained() -> None:
    opened = open_engine(weights.find("lite"))
    assert opened.engine.describe() in opened.reason
    if "openvino" in opened.reason.split("(")[0]:
        assert "not tensorrt:" in opened.reason
        assert "not pytorch:" in opened.reason


@pytest.mark.parametrize(
    ("engine", "device", "precision", "says"),
    [
        ("tensorrt", None, "f32", "cannot be used: no NVIDIA driver was found"),
        ("openvino", "TPU", None, "use CPU, GPU or NPU"),
        ("openvino", None, "int4", "no int4 graph"),
        ("pytorch", "abacus", None, "use cpu, cuda or mps"),
        ("pytorch", None, "int8", "f32"),
    ],
)
def test_what_is_not_there_is_said(
    engine: str, device: str | None, precision: str | None, says: str
) -> None:
    with pytest.raises(EngineError, match=says):
        open_engine(weights.find("lite"), engine, None, device, precision)
