from dataclasses import replace

import pytest

from realtime_bokeh.sizes import Size
from training.fit.presets import Preset, Stage, work
from training.fit.progress import Length, Pace, Report, duration, stage_of

# the second stage's steps see three times the pixels of the first's
PRESET = Preset(
    "for tests",
    "lite",
    (
        Stage(0.5, (Size(32, 32),), 2, "l1_ssim", (1e-3, 1e-4)),
        Stage(0.5, (Size(32, 64), Size(64, 64)), 2, "l1_ssim", (1e-4, 1e-5)),
    ),
    steps=100,
)


def _report(step: int) -> Report:
    parts = {"rendering": 0.3, "focus": 0.1}
    return Report(step, 2 * step, 0.0, 0.4, parts, 21.5, 20.25, 1, 1e-3)


def test_a_run_is_as_long_as_its_steps_or_its_hours() -> None:
    steps, hours = Length(100), Length(100, hours=0.5)
    assert steps.done(25, 9e9) == 0.25
    assert hours.done(10**9, 450) == 0.25
    assert steps.done(101, 0) == hours.done(0, 2000) == 1
    assert [stage_of(PRESET, done) for done in (0, 0.49, 0.51, 1)] == [0, 0, 1, None]
    assert (str(steps), str(hours)) == ("100 steps", "0.5 h of training")
    assert steps.position(25, 60) == "step 25 of 100"
    assert hours.position(25, 600) == "step 25, 10 min of 30 min"


def test_what_later_stages_cost_counts_in_the_time_left() -> None:
    assert work(PRESET, 0.5, 1) == pytest.approx(3 * work(PRESET, 0, 0.5))
    pace = Pace(PRESET, Length(100), 0, 0, 0.0)
    assert pace.left(25, 10.0) == pytest.approx(10 + 60)
    assert Pace(PRESET, Length(100, hours=1), 0, 0, 0.0).left(25, 600.0) == 3000


def test_a_report_is_a_line_that_a_person_can_read() -> None:
    pace = Pace(PRESET, Length(100), 0, 0, 0.0)
    assert pace.line(_report(25), 10.0) == (
        "step 25 of 100, stage 1 of 2: loss 0.4000 (rendering 0.3000, focus 0.1000), 21.50 dB "
        "(sharp picture 20.25), 5 samples/s, 70 s left"
    )
    # from one report to the next
    assert pace.line(_report(50), 15.0).endswith("10 samples/s, 30 s left")
    assert pace.line(_report(100), 30.0).endswith("6.67 samples/s")
    unseen = replace(_report(100), psnr=None, psnr_identity=None)
    assert "focus 0.1000), 0 samples/s" in pace.line(unseen, 31.0)


def test_durations() -> None:
    assert [duration(s) for s in (0.2, 89, 91, 3600, 7500)] == [
        "1 s", "89 s", "2 min", "60 min", "2 h 5 min",
    ]  # fmt: skip
