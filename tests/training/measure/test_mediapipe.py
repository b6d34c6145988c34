from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from realtime_bokeh.errors import UsageError
from training.measure.mediapipe import MediaPipe


def _save(path: Path, shape: tuple[int, ...], channels: int) -> Path:
    """A graph that finds people where there is red: the channel of an axis that is 0."""
    axes = [channels]
    nodes = [
        helper.make_node("Slice", ["picture", "begin", "end", "axes"], ["mask"]),
    ]
    constants = [
        helper.make_tensor(name, TensorProto.INT64, [1], values)
        for name, values in (("begin", [0]), ("end", [1]), ("axes", axes))
    ]
    one = [1 if axis == channels else side for axis, side in enumerate(shape)]
    graph = helper.make_graph(
        nodes, "red",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("mask", TensorProto.FLOAT, one)],
        constants,
    )  # fmt: skip
    opset = helper.make_opsetid("", 13)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)
    return path


@pytest.mark.parametrize(("shape", "channels"), [((1, 32, 64, 3), 3), ((1, 3, 32, 64), 1)])
def test_mask_keeps_the_person_and_blurs_the_rest(
    tmp_path: Path, shape: tuple[int, ...], channels: int
) -> None:
    effect = MediaPipe(_save(tmp_path / "red.onnx", shape, channels))
    image = np.random.default_rng(0).integers(0, 100, (96, 128, 3), dtype=np.uint8)
    image[..., 2] = 0
    image[:, 64:, 2] = 255
    focus = effect.focus(image)
    assert focus.shape == (96, 128)
    assert focus[:, :60].max() < 0.01
    assert focus[:, 68:].min() > 0.99
    output = effect.photo(image)
    assert (output[:, 80:] == image[:, 80:]).all()
    assert output[:, :40, 0].std() < 0.5 * image[:, :40, 0].std()
    assert (effect.photo(image, strength=0) == image).all()
    rendered = effect.clip([image, image])
    assert (rendered[1].image == output).all()
    assert (rendered[1].focus == focus).all()


def test_files_of_something_else_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere.onnx is no file"):
        MediaPipe(tmp_path / "nowhere.onnx")
    for name in ("text.onnx", "text.tflite"):
        (tmp_path / name).write_text("no model")
        with pytest.raises(UsageError, match=f"{name} cannot be loaded"):
            MediaPipe(tmp_path / name)
    with pytest.raises(UsageError, match="which is no picture in RGB"):
        MediaPipe(_save(tmp_path / "gray.onnx", (1, 1, 32, 64), 1))
