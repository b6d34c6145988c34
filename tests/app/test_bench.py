from realtime_bokeh.app import bench
from realtime_bokeh.engines import Controls
from realtime_bokeh.sizes import Size
from tests.fakes import UnchangedEngine


def test_every_frame_goes_through_once() -> None:
    engine = UnchangedEngine()
    result = bench.measure("lite", engine, Controls(), Size(48, 64), 40)
    assert engine.calls == 40 + bench._WARM_UP
    assert (result.frames, result.frame_size, result.engine) == (40, "64x48", "unchanged")
    assert result.network_ms == 1
    assert result.fps > 0
