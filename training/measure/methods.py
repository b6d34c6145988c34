"""What is compared: trained models, and what one would do without them.

Images are uint8 [h, w, 3] BGR.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from realtime_bokeh import weights
from realtime_bokeh.architectures import recognize
from realtime_bokeh.checkpoints import Arrays, read_checkpoint
from realtime_bokeh.engines import Controls, open_engine
from realtime_bokeh.errors import UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.network.core import first_state
from realtime_bokeh.network.dmshn import build
from realtime_bokeh.network.load import load_core
from realtime_bokeh.recompose import Recomposer, shrink
from realtime_bokeh.sizes import Size, content_size
from training.measure.metrics import Mask

GAUSSIAN = 0.009  # sigma over the longer side of a blur about as strong as the models'
_FEATHER = 2.0  # pixels


def read_weights(path: Path) -> tuple[Arrays, str, bool]:
    """The parameters that a file holds, their architecture, and whether it has the focus head.

    Raises:
        UsageError: when the file is not what it should be, saying which tensor and why.
    """
    arrays = read_checkpoint(path)
    try:
        return arrays, *recognize(arrays)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def load_network(path: Path) -> nn.Module:
    """The network whose weights a file holds: ours (.safetensors) or the authors' (.pth).

    Raises:
        UsageError: when the file is not what it should be, saying which tensor and why.
    """
    arrays, architecture, focus_head = read_weights(path)
    network = build(architecture, focus_head)
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
    _, architecture, focus_head = read_weights(path)
    size = weights.load_manifest(weights.SHIPPED / architecture).inference_size
    digest = {path.name: weights.file_sha256(path)}
    return weights.Model(name, architecture, focus_head, size, digest, "a run", folder=path.parent)


class Network:
    """A model as the program runs it, and the focus map and rendering within.

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
        self._core = load_core(path, model.architecture, model.focus_head)
        self.name = model.name
        self.size: Size = model.inference_size
        self.engine = self._engine.describe()

    def photo(self, image: Image, strength: float = 1.0) -> Image:
        """A picture on its own."""
        self._engine.reset()
        return self._engine(image, Controls(strength, 0.0))

    def clip(self, frames: Sequence[Image]) -> list[Image]:
        """Frames one after the other, with the program's default smoothing."""
        self._engine.reset()
        return [self._engine(frame, Controls()) for frame in frames]

    @torch.inference_mode()
    def parts(self, image: Image, sharp: Image) -> tuple[Image, NDArray[np.float32]]:
        """A picture whose sharp parts are taken from another, and its focus map, both by PyTorch in
        float32.

        Args:
            image: what the network sees.
            sharp: of the same size; `image` itself, or the same without noise.

        Returns:
            The picture, and focus at its size, float32 [h, w] in [0, 1].
        """
        content = content_size(Size.of(image), self.size)
        small = torch.from_numpy(shrink(image, content))[None]
        state = first_state((small.shape[1], small.shape[2]))
        bokeh, focus, _ = self._core(small, state, torch.tensor([1.0, 0.0]))
        share = focus[0, ..., 0].numpy()
        picture = Recomposer()(sharp, bokeh[0].numpy(), share, content)
        share = np.ascontiguousarray(share[: content[0], : content[1]])
        large = cv2.resize(share, Size.of(image)[::-1], interpolation=cv2.INTER_LINEAR)
        return picture, np.asarray(large)


def gaussian(image: Image, sigma: float = GAUSSIAN) -> Image:
    """The whole picture blurred; `sigma` is over its longer side."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma * max(image.shape[:2])))


def segmentation_gaussian(image: Image, mask: Mask) -> Image:
    """Everything but a mask (bool [h, w]) blurred, the mask's edge feathered by 2 pixels: what
    programs with a segmentation network do. With the true mask it is the most that any of them can
    reach."""
    share = np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _FEATHER))
    return np.asarray(cv2.blendLinear(image, gaussian(image), share, 1 - share))
