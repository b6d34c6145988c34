"""What is compared: trained models, and what one would do without them.

Images are uint8 [h, w, 3] BGR.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from realtime_bokeh import weights
from realtime_bokeh.architectures import Form, recognize
from realtime_bokeh.checkpoints import Arrays, read_checkpoint
from realtime_bokeh.engines import Controls, open_engine
from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.network.core import first_state
from realtime_bokeh.network.dmshn import build
from realtime_bokeh.network.load import load_core
from realtime_bokeh.recompose import Recomposer, enlarge_focus, shrink
from realtime_bokeh.sizes import Size, content_size, padded_size
from training.measure.metrics import Mask

Focus = NDArray[np.float32]  # [h, w] in [0, 1], 1 in focus

GAUSSIAN = 0.009  # sigma over the longer side of a blur about as strong as the models'
_FEATHER = 2.0  # pixels


def read_weights(path: Path) -> tuple[Arrays, Form]:
    """The parameters that a file holds, and the form of their network.

    Raises:
        UsageError: when the file is not what it should be, saying which tensor and why.
    """
    arrays = read_checkpoint(path)
    try:
        return arrays, recognize(arrays)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def load_network(path: Path) -> nn.Module:
    """The network whose weights a file holds: ours (.safetensors) or the authors' (.pth).

    Raises:
        UsageError: when the file is not what it should be, saying which tensor and why.
    """
    arrays, form = read_weights(path)
    network = build(*form)
    network.load_state_dict({k: torch.from_numpy(v).float() for k, v in arrays.items()})
    return network.eval()


def find(name: str) -> weights.Model:
    """A model by name, or the weights of a run by the path of their weights.safetensors.

    Raises:
        UsageError: when there is none, or the file is not what it should be.
    """
    path = Path(name)
    if path.name != weights.WEIGHTS:
        return weights.find(name)
    _, form = read_weights(path)
    size = weights.shipped_size(form.architecture)
    digest = {path.name: weights.file_sha256(path)}
    return weights.Model(name, form.architecture, form.focus_head, size, digest, "a run",
                         folder=path.parent, finer=form.finer)  # fmt: skip


class Rendered(NamedTuple):
    """A picture with its background blurred, and its focus map at its own size."""

    image: Image
    focus: Focus


class Effect(Protocol):
    """What blurs backgrounds, and says what it holds to be in focus.

    name: what it is called in tables.
    exact: whether it computes in float32 anyway, so that `focus` is `exact_focus`.
    """

    name: str
    exact: bool

    def photo(self, image: Image, strength: float = 1.0) -> Image:
        """A picture on its own."""

    def focus(self, image: Image) -> Focus:
        """The focus map of a picture on its own, at strength 1 and at the picture's size."""

    def exact_focus(self, image: Image) -> Focus:
        """The same in float32, whatever the program computes in."""

    def clip(self, frames: Sequence[Image]) -> list[Rendered]:
        """Frames one after the other, as in a call."""


class Network:
    """A model as the program runs it, and the focus map and rendering within: an `Effect`.

    name: the model's.
    size: its inference size.
    engine: what runs it, in words.

    Args:
        precision: int8 or f32; by default the engine's.

    Raises:
        BokehError: when it cannot be opened, saying why.
    """

    def __init__(self, model: weights.Model, precision: str | None = None) -> None:
        runtime = "openvino" if model.precisions() else "pytorch"
        self._engine = open_engine(model, runtime, precision=precision)
        path = model.file(weights.WEIGHTS)
        self._core = load_core(path, model.form)
        self.name = model.name
        self.exact = "f32" in self._engine.describe()
        self.size: Size = model.inference_size
        self.engine = self._engine.describe()

    def photo(self, image: Image, strength: float = 1.0) -> Image:
        """A picture on its own."""
        self._engine.reset()
        return self._engine(image, Controls(strength, 0.0))

    def focus(self, image: Image) -> Focus:
        self.photo(image)
        return self._latest_focus(image)

    def exact_focus(self, image: Image) -> Focus:
        return self.parts(image, image).focus

    def clip(self, frames: Sequence[Image]) -> list[Rendered]:
        """Frames one after the other, with the program's default smoothing."""
        self._engine.reset()
        return [Rendered(self._engine(f, Controls()), self._latest_focus(f)) for f in frames]

    def _latest_focus(self, image: Image) -> Focus:
        """Of the picture that the engine rendered last."""
        focus = self._engine.focus_map()
        assert focus is not None  # there was a picture
        return enlarge(focus, Size.of(image))

    @torch.inference_mode()
    def parts(self, image: Image, sharp: Image) -> Rendered:
        """A picture whose sharp parts are taken from another, and its focus map, both by PyTorch in
        float32 and of that other's size.

        Args:
            image: what the network sees.
            sharp: `image` itself, or the same without noise, of any size.
        """
        content = content_size(Size.of(image), self.size)
        small = torch.from_numpy(shrink(image, content, self._core.finer))[None]
        state = first_state(padded_size(content))
        bokeh, focus, _ = self._core(small, state, torch.tensor([1.0, 0.0]))
        share = focus[0, ..., 0].numpy()
        picture = Recomposer()(sharp, bokeh[0].numpy(), share, content)
        return Rendered(picture, enlarge(share[: content[0], : content[1]], Size.of(sharp)))


def enlarge(focus: Focus, size: Size) -> Focus:
    """A focus map at another size, as the program enlarges it."""
    return np.asarray(enlarge_focus(focus, size) / 255, np.float32)


def gaussian(image: Image, sigma: float = GAUSSIAN) -> Image:
    """The whole picture blurred; `sigma` is over its longer side."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma * max(image.shape[:2])))


def segmentation_gaussian(image: Image, mask: Mask) -> Image:
    """Everything but a mask (bool [h, w]) blurred, the mask's edge feathered by 2 pixels: what
    programs with a segmentation network do. With the true mask it is the most that any of them can
    reach."""
    return blend(image, np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _FEATHER)))


def blend(image: Image, focus: Focus) -> Image:
    """A picture blurred by a Gaussian where it is out of focus."""
    return np.asarray(cv2.blendLinear(image, gaussian(image), focus, 1 - focus))
