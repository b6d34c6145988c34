"""Frames to a device and back, with everything that lasts from frame to frame kept there.

On a GPU uploading, computing and downloading have a stream each, so that a frame is rendered while
the next one comes in and the last one goes out; what is computed is recorded once as a CUDA graph
and replayed. Elsewhere the same steps follow one another.
"""

import contextlib
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from realtime_bokeh.engines.base import FOCUS_CHANNEL, Controls, Engine, Finish, FocusMap
from realtime_bokeh.engines.hardware import device_kind
from realtime_bokeh.errors import EngineError, UsageError, one_line
from realtime_bokeh.frame import Image
from realtime_bokeh.network.core import first_state
from realtime_bokeh.sizes import InferenceSize, Size, content_size, padded_size

# frame [1, H, W, 3], state, controls -> rendering of the same shape, the next state; see BokehFrame
Step = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]

_cuda: Any = torch.cuda  # whose streams and events are not typed
_WARM_UP = 3  # runs before recording: libraries choose their algorithms and allocate in the first


def find_device(name: str | None) -> torch.device:
    """The device of PyTorch's that a user names, such as cuda, cuda:1 or cpu; case does not count.

    Args:
        name: None for the fastest that is here.

    Raises:
        UsageError: when it is not here.
    """
    counts = {
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": 1 if torch.backends.mps.is_available() else 0,
        "cpu": 1,
    }
    here = [f"{kind}:{index}" for kind, count in counts.items() for index in range(count)]
    wanted = (name or device_kind(here[0])).lower()
    # compared as text: PyTorch takes numbers modulo 256
    if (wanted if ":" in wanted else f"{wanted}:0") not in here:
        alike = [other for other in here if device_kind(other) == device_kind(wanted)]
        raise UsageError(f"PyTorch finds no {name} here; use {' or '.join(alike or here)}")
    return torch.device(wanted)


class DeviceLoop:
    """Runs a step for frame after frame of one size.

    Args:
        step: always called with the same tensors: uint8 frame, float32 state, float32 controls. Its
            rendering may be of any type that holds whole numbers up to 255.
        frame: (height, width) of the frames.
        small: (height, width) at which the network runs.
        device: where to run.
        record: record the step as a CUDA graph; not for a step that does so itself.
    """

    def __init__(
        self, step: Step, frame: Size, small: Size, device: torch.device, record: bool = True
    ) -> None:
        self._step = step
        self._device = device
        self._frame = torch.zeros(1, *frame, 3, dtype=torch.uint8, device=device)
        self._rendering = torch.zeros_like(self._frame)
        self._state = first_state(small).to(device)
        self._controls = torch.zeros(2, device=device)
        self._values: Controls | None = None  # what the device's controls hold
        self._cuda = device.type == "cuda"
        self._graph: torch.cuda.CUDAGraph | None = None
        self.seconds = 0.0  # that the latest finished frame was computed for, without its ways
        if self._cuda:
            self._up, self._compute, self._down = (_cuda.Stream(device) for _ in range(3))
            self._warm_up(record)

    def _warm_up(self, record: bool) -> None:
        fastest = torch.backends.cudnn.flags(enabled=True, benchmark=True)
        with torch.cuda.stream(self._compute), torch.inference_mode(), fastest:
            for _ in range(_WARM_UP):
                self._run()
            self._compute.synchronize()
            if record:
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph, stream=self._compute):
                    self._run()
                self._graph = graph
            self._state.zero_()
        self._compute.synchronize()

    def _run(self) -> None:
        if self._graph is not None:
            self._graph.replay()
            return
        rendering, state = self._step(self._frame, self._state, self._controls)
        self._rendering.copy_(rendering)  # and casts, where the step's graph could not
        self._state.copy_(state)

    def begin(self, image: Image, controls: Controls) -> Finish:
        """Send a frame, uint8 [H, W, 3] BGR, and begin to render it.

        Raises:
            RuntimeError: by PyTorch or the step; the function returned may raise it too.
        """
        host = torch.from_numpy(image)[None]
        return self._begin_on_gpu(host, controls) if self._cuda else self._begin(host, controls)

    def _begin(self, host: Tensor, controls: Controls) -> Finish:
        begin = time.perf_counter()
        with torch.inference_mode():
            self._set(controls)
            self._frame.copy_(host)
            self._run()
            rendering: Image = self._rendering[0].to("cpu", copy=True).numpy()
        self.seconds = time.perf_counter() - begin
        return lambda: rendering

    def _set(self, controls: Controls) -> None:
        if controls != self._values:
            self._controls.copy_(torch.tensor([controls.strength, controls.smoothing]))
            self._values = controls

    def _begin_on_gpu(self, host: Tensor, controls: Controls) -> Finish:
        # Memory of a frame comes from PyTorch's pools, which hand a block out again only after the
        # streams that use it are done with it: so any number of frames may be under way.
        pinned = torch.empty(host.shape, dtype=torch.uint8, pin_memory=True)
        pinned.copy_(host)
        result = torch.empty_like(pinned, pin_memory=True)
        began, computed = (_cuda.Event(enable_timing=True) for _ in range(2))
        with torch.inference_mode():
            with torch.cuda.stream(self._up):
                arrived = pinned.to(self._device, non_blocking=True)
            with torch.cuda.stream(self._compute):
                self._compute.wait_stream(self._up)
                arrived.record_stream(self._compute)
                began.record()
                self._set(controls)
                self._frame.copy_(arrived)
                self._run()
                leaving = self._rendering.clone()  # the next frame overwrites the graph's own
                computed.record()
            with torch.cuda.stream(self._down):
                self._down.wait_event(computed)
                leaving.record_stream(self._down)
                result.copy_(leaving, non_blocking=True)
                fetched = _cuda.Event()
                fetched.record()

        def finish() -> Image:
            fetched.synchronize()
            self.seconds = began.elapsed_time(computed) / 1e3
            rendering: Image = result[0].numpy()
            return rendering

        return finish

    def reset(self) -> None:
        """Forget the past."""
        with self._on_compute(), torch.inference_mode():
            self._state.zero_()

    def focus_map(self) -> FocusMap:
        """What is in focus in the latest frame begun: float32 [h, w] in [0, 1], 1 in focus.

        Its size is that at which the network runs.
        """
        with self._on_compute():
            found: FocusMap = self._state[0, FOCUS_CHANNEL].to("cpu", copy=True).numpy()
        return found

    def _on_compute(self) -> Any:
        return torch.cuda.stream(self._compute) if self._cuda else contextlib.nullcontext()


class DeviceEngine(Engine):
    """An engine that runs the whole frame on a device; a child says what is run for a size."""

    def __init__(self, inference: InferenceSize, device: torch.device) -> None:
        self._inference = inference
        self._device = device
        self._loop: DeviceLoop | None = None
        self._loop_size: Size | None = None  # of the frames that the loop is for

    @abstractmethod
    def _open(self, frame: Size, content: Size, small: Size) -> DeviceLoop:
        """The loop for frames of a size; `content` and `small`: see `BokehFrame`."""

    @property
    def network_seconds(self) -> float:
        """How long the whole graph took for the latest frame finished; on a GPU without the ways
        to it and back."""
        return self._loop.seconds if self._loop else 0.0

    @property
    def in_flight(self) -> int:
        return 2 if self._device.type == "cuda" else 1

    def close(self) -> None:
        super().close()
        self._loop = None

    def _start(self, frame: Size) -> None:
        with self._guarded():
            if self._loop is not None and frame == self._loop_size:
                self._loop.reset()
                return
            self._loop = None  # its memory first
            content = content_size(frame, self._inference)
            self._loop = self._open(frame, content, padded_size(content))
            self._loop_size = frame

    def _begin(self, image: Image, controls: Controls) -> Finish:
        assert self._loop is not None
        with self._guarded():
            finish = self._loop.begin(image, controls)

        def guarded() -> Image:
            with self._guarded():
                return finish()

        return guarded

    def _focus_map(self) -> FocusMap:
        assert self._loop is not None
        assert self._loop_size is not None
        height, width = content_size(self._loop_size, self._inference)
        with self._guarded():
            return self._loop.focus_map()[:height, :width]

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Makes a GPU the thread's current one, which libraries go by, and explains failures."""
        gpu = self._device.type == "cuda"
        try:
            with torch.cuda.device(self._device) if gpu else contextlib.nullcontext():
                yield
        except RuntimeError as error:  # out of memory, a broken driver
            raise EngineError(f"{self.describe()} failed: {one_line(error, 0)}") from error
