"""What every engine is: the contract that `open_engine` gives and that runtimes fill in."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_bokeh.errors import EngineError, UsageError
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size

FOCUS_CHANNEL = 6  # of the network's state; see `network.temporal`

Finish = Callable[[], Image]  # waits for a frame that was begun, and gives it
FocusMap = NDArray[Any]  # float32 [h, w] in [0, 1], 1 in focus


@dataclass(frozen=True)
class Controls:
    """What may change from frame to frame; nothing is recompiled for it.

    strength: how far the aperture is open, in [0, 1]: the radius of the blur follows it.
    smoothing: how steady the picture is in time, in [0, 1]; what comes in is in focus at once.

    Raises:
        UsageError: when one of them is not a number in its range.
    """

    strength: float = 1.0
    smoothing: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            number = isinstance(value, Real) and not isinstance(value, bool)
            if not number or not 0 <= value <= 1:  # not a number is in no range
                raise UsageError(f"{field.name} is {value!r}; give a number from 0 to 1")


_DEFAULTS = Controls()


class Engine(ABC):
    """A runtime with a network in it, which renders frames one after the other.

    It keeps the temporal state between frames. Frames may change size at any time; the state then
    starts anew, and the first frame of a size may take long. Not thread-safe, but for `busy`.
    It is a context manager that closes itself.

    reason: the model and what runs it, the line that a user is shown, such as "lite, openvino int8
        on CPU"; set by `open_engine`.
    compiles_each_size: whether it compiles for seconds or minutes for every size of frames;
        set by `open_engine`.
    passed_over: a sentence for every engine that was preferred to this one and cannot be used here,
        saying why; set by `open_engine`.
    """

    reason: str = ""
    compiles_each_size = False
    passed_over: tuple[str, ...] = ()
    _frame_size: Size | None = None  # of the frames that the state is of; None: begin anew
    _closed = False

    def __call__(self, image: Image, controls: Controls = _DEFAULTS) -> Image:
        """Render a frame, uint8 [H, W, 3] BGR, to a new array of the same size.

        An array that is not contiguous, or may not be written to, is copied first.

        Raises:
            UsageError: when the image or the controls are something else.
            EngineError: when the runtime fails, or the engine is closed.
        """
        return self.begin(image, controls)()

    def begin(self, image: Image, controls: Controls = _DEFAULTS) -> Finish:
        """Begin to render a frame; what is returned waits for the rendering and gives it.

        Frames are finished in the order in which they were begun, at most `in_flight` at once.
        `image` may be written to again when this returns.

        Raises:
            UsageError, EngineError: as when it is called; finishing may raise EngineError too.
        """
        if self._closed:
            raise EngineError("This engine is closed; open another")
        if not isinstance(controls, Controls):
            raise UsageError(f"controls is {controls!r}; give Controls(strength, smoothing)")
        image = _checked(image)
        size = Size.of(image)
        if size != self._frame_size:
            self._frame_size = None  # what fails here is tried again with the next frame
            self._start(size)
            self._frame_size = size
        return self._begin(image, controls)

    def reset(self) -> None:
        """Forget the past, as at a scene cut."""
        self._frame_size = None

    def close(self) -> None:
        """Give memory back; safe to call twice. Frames under way cannot be finished any more."""
        self._closed = True
        self._frame_size = None

    def focus_map(self) -> FocusMap | None:
        """What the network holds to be in focus in the latest frame begun: 1 in focus, 0 out of it.

        It is that of the temporal filter, before strength, at the network's content size (see
        `sizes.content_size`): resize it to the frame's. A new array, float32 [h, w] in [0, 1]; None
        before the first frame and after `reset`. Nothing is computed for it unless this is called.
        """
        return None if self._frame_size is None else self._focus_map()

    @abstractmethod
    def describe(self) -> str:
        """Runtime, precision and device, such as "openvino int8 on CPU"."""

    @property
    @abstractmethod
    def network_seconds(self) -> float:
        """How long the network took for the latest frame finished, without shrinking and
        recomposing where those are outside it; 0 before the first."""

    @property
    def in_flight(self) -> int:
        """How many frames may be begun before the first of them is finished, to any use."""
        return 1

    @property
    def busy(self) -> str:
        """What takes it long at present, such as compiling, or nothing; from any thread."""
        return ""

    @abstractmethod
    def _start(self, frame: Size) -> None:
        """Get ready for frames of a size, with no past.

        Raises:
            EngineError: when the runtime fails.
        """

    @abstractmethod
    def _begin(self, image: Image, controls: Controls) -> Finish:
        """Begin to render an image, checked and of the size that was started; see `begin`."""

    @abstractmethod
    def _focus_map(self) -> FocusMap:
        """What is in focus in the latest frame begun, of which there was one; see `focus_map`."""

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _checked(image: object) -> Image:
    """An image as engines take it.

    Raises:
        UsageError: when it is none, saying what to do.
    """
    wanted = "uint8 [height, width, 3] in BGR"
    if not isinstance(image, np.ndarray):
        raise UsageError(f"The image is no NumPy array but {_kind(image)}; give {wanted}")
    if image.dtype != np.uint8:
        problem = f"{image.dtype}; convert it to whole numbers from 0 to 255"
    elif image.ndim == 2:
        problem = "gray; convert it with cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)"
    elif image.ndim == 4:
        problem = "a batch; give one image at a time"
    elif image.ndim != 3:
        problem = f"an array of {image.ndim} dimensions"
    elif image.size == 0:
        problem = "empty"
    elif image.shape[2] == 3:
        # PyTorch warns of arrays that may not be written to, and refuses mirrored ones
        return np.require(image, requirements=("C_CONTIGUOUS", "WRITEABLE"))
    elif image.shape[2] == 4:
        problem = "of four channels; leave the transparency out with image[:, :, :3]"
    elif image.shape[0] == 3:
        problem = "channels first; turn it with image.transpose(1, 2, 0)"
    else:
        problem = f"of {image.shape[2]} channels"
    raise UsageError(f"The image, of shape {image.shape}, is {problem}; an image is {wanted}")


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
