from realtime_bokeh.app import bench
from realtime_bokeh.engines import Controls, Engine
from realtime_bokeh.engines.base import Finish, FocusMap
from realtime_bokeh.frame import Image
from realtime_bokeh.sizes import Size


class _Engine(Engine):
    """An engine whose calls are counted."""

    network_seconds = 0.001
    calls = 0

    def describe(self) -> str:
        return "counting"

    def _start(self, frame: Size) -> None:
        assert frame == (48, 64)

    def _begin(self, image: Image, controls: Controls) -> Finish:
        self.calls += 1
        return lambda: image

    def _focus_map(self) -> FocusMap:
        raise AssertionError("a benchmark asks for no focus map")

    def reset(self) -> None:
        raise AssertionError("a benchmark has no scene cuts")


def test_every_frame_goes_through_once() -> None:
    engine = _Engine()
    result = bench.measure("lite", engine, Controls(), Size(48, 64), 40)
    assert engine.calls == 40 + bench._WARM_UP
    assert (result.frames, result.frame_size, result.engine) == (40, "64x48", "counting")
    assert result.network_ms == 1
    assert result.fps > 0
