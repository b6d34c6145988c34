"""What every engine does, over all that run here."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_bokeh import weights
from realtime_bokeh.architectures import Form
from realtime_bokeh.engines import Controls, Engine, open_engine
from realtime_bokeh.engines.hardware import why_not_cuda, why_not_tensorrt
from realtime_bokeh.errors import EngineError
from realtime_bokeh.frame import Image
from realtime_bokeh.network.core import BokehCore
from realtime_bokeh.network.load import load_core
from realtime_bokeh.sizes import Size, content_size
from realtime_bokeh.sources import demo

RUNNERS = [
    ("openvino", "CPU", "int8"),
    ("openvino", "CPU", "f32"),
    ("pytorch", "cpu", "f32"),
    ("pytorch", "cuda", "f16"),
    ("tensorrt", "cuda", "f16"),
]


@pytest.fixture(params=RUNNERS, ids=lambda runner: "-".join(runner))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Every engine that runs here, with the lite model."""
    name, device, precision = request.param
    missing = why_not_tensorrt() if name == "tensorrt" else why_not_cuda()
    if device == "cuda" and missing:
        pytest.skip(missing)
    with open_engine(weights.find("lite"), name, device=device, precision=precision) as opened:
        yield opened


def _frames(count: int, size: Size = Size(180, 320)) -> list[Image]:
    return demo.images(size, count)


def _scaled(image: Image, *gains: float) -> Image:
    """An image at another exposure, or with a gain for each channel."""
    return np.asarray(np.clip(image * np.array(gains), 0, 255).round(), np.uint8)


def _alone(engine: Engine, image: Image, *controls: Controls) -> Image:
    """A frame without a past."""
    engine.reset()
    return engine(image, *controls)


@pytest.mark.parametrize("size", [Size(180, 320), Size(320, 180), Size(97, 131), Size(1, 1)])
def test_any_frame_comes_back_in_its_size(engine: Engine, size: Size) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    before = image.copy()
    result = engine(image)
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert np.array_equal(image, before)  # not written to
    assert engine.network_seconds > 0
    assert engine.busy == ""


def test_a_rendering_is_a_new_array_each_time(engine: Engine) -> None:
    first, second, third = _frames(3)
    rendering = engine(first)
    copy = rendering.copy()
    for image in (second, third):
        assert not np.shares_memory(engine(image), rendering)
    assert np.array_equal(rendering, copy)


def test_strength_zero_is_the_camera_and_one_is_not(engine: Engine, portrait: Image) -> None:
    assert np.abs(engine(portrait, Controls(0.0)).astype(int) - portrait).max() <= 1
    engine.reset()
    assert np.abs(engine(portrait, Controls(1.0)).astype(int) - portrait).max() > 40
    assert np.array_equal(_alone(engine, portrait), _alone(engine, portrait, Controls(1.0, 0.5)))


def test_past_matters_until_reset(engine: Engine, portrait: Image) -> None:
    other = np.asarray(cv2.convertScaleAbs(portrait, alpha=1, beta=3))  # still, by the motion gate
    steady = Controls(smoothing=1.0)
    fresh = engine(portrait, steady)
    _alone(engine, other, steady)
    assert not np.array_equal(engine(portrait, steady), fresh)
    assert np.array_equal(_alone(engine, portrait, steady), fresh)


@pytest.mark.parametrize("brightness", [1.0, 0.3])
def test_after_a_scene_cut_all_is_the_new_scene(
    engine: Engine, portrait: Image, brightness: float
) -> None:
    """Also where the two are alike: the same wall, the same colours."""
    steady = Controls(smoothing=1.0)
    before = _scaled(portrait, brightness)
    after = np.ascontiguousarray(before[:, ::-1])
    alone = _alone(engine, after, steady)
    _alone(engine, before, steady)
    assert np.array_equal(engine(after, steady), alone)


@pytest.mark.parametrize("gains", [(1.05,) * 3, (0.9,) * 3, (0.95, 1.0, 1.06)], ids=str)
def test_a_step_of_exposure_neither_smears_nor_flickers(
    engine: Engine, portrait: Image, gains: tuple[float, ...]
) -> None:
    """A webcam's exposure or white balance moves by some percent from one frame to the next."""
    steady = Controls(smoothing=1.0)
    # room at both ends, so that nothing is cut off
    before = _scaled(portrait, 0.85)
    after = _scaled(portrait, *(0.85 * gain for gain in gains))
    alone = _alone(engine, after, steady)
    unsteady = engine.focus_map()
    _alone(engine, before, steady)
    first = engine.focus_map()
    shown = engine(after, steady)
    second = engine.focus_map()
    assert first is not None
    assert second is not None
    assert unsteady is not None
    assert np.abs(second - first).mean() < 0.2 * np.abs(unsteady - first).mean()
    assert np.abs(shown.astype(int) - alone).mean() < 1


def test_state_starts_anew_when_frames_change_size(engine: Engine, portrait: Image) -> None:
    """Also where the network's own size stays, as from 1280x720 to 640x360."""
    steady = Controls(smoothing=1.0)
    large = np.asarray(cv2.resize(portrait, (320, 180)))
    small = np.asarray(cv2.resize(cv2.convertScaleAbs(portrait, beta=3), (160, 90)))
    alone = _alone(engine, small, steady)
    _alone(engine, large, steady)
    assert np.array_equal(engine(small, steady), alone)
    engine(large, steady)
    assert np.array_equal(engine(small, steady), alone)


def test_frames_are_finished_in_the_order_in_which_they_were_begun(engine: Engine) -> None:
    images = _frames(engine.in_flight + 1)
    one_by_one = [engine(image) for image in images]
    engine.reset()
    begun = [engine.begin(image.copy()) for image in images]
    for finish, expected in zip(begun, one_by_one, strict=True):
        assert np.array_equal(finish(), expected)


def test_the_focus_map_is_of_the_latest_frame(engine: Engine, portrait: Image) -> None:
    assert engine.focus_map() is None
    engine(portrait, Controls(strength=0.0))
    focus = engine.focus_map()
    assert focus is not None
    assert focus.shape == content_size(Size.of(portrait), Size(144, 256))
    assert focus.dtype == np.float32
    assert 0 <= focus.min() < 0.1  # the wall, at every strength
    assert 0.9 < focus.max() <= 1  # the face
    copy = focus.copy()
    engine(portrait[::-1].copy())
    assert np.array_equal(focus, copy)
    engine.reset()
    assert engine.focus_map() is None


def test_the_reason_names_the_model_and_what_runs_it(engine: Engine) -> None:
    assert engine.reason == f"lite, {engine.describe()}"
    assert engine.passed_over == ()  # it was asked for


def test_closing_gives_the_weights_back(monkeypatch: pytest.MonkeyPatch) -> None:
    cores: list[weakref.ref[BokehCore]] = []

    def watched(path: Path, form: Form) -> BokehCore:
        core = load_core(path, form)
        cores.append(weakref.ref(core))
        return core

    monkeypatch.setattr("realtime_bokeh.engines.pytorch.load_core", watched)
    engine = open_engine("lite", "pytorch", device="cpu")
    (image,) = _frames(1)
    engine(image)
    engine.close()
    gc.collect()
    assert [core() for core in cores] == [None]


def test_closing_ends_it_and_twice_is_once(engine: Engine) -> None:
    (image,) = _frames(1)
    engine(image)
    engine.close()
    engine.close()
    assert engine.focus_map() is None
    with pytest.raises(EngineError, match="is closed; open another"):
        engine(image)
