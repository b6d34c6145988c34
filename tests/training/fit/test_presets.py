import pytest

from training.fit.presets import PRESETS, at_rate, rate_at, stage_at


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_trained(name: str) -> None:
    preset = PRESETS[name]
    assert sum(stage.share for stage in preset.stages) == pytest.approx(1)
    for stage in preset.stages:
        assert stage.batch % 2 == 0  # two processes, or clips of two frames
        assert all(side % 16 == 0 for shape in stage.shapes for side in shape)
        assert stage.rate[0] > stage.rate[1]


def test_rate_falls_geometrically_through_the_papers_stages() -> None:
    preset = PRESETS["paper-dmshn"]
    rates = [rate_at(preset, progress, 10_000) for progress in (0, 0.25, 0.5, 0.75, 1)]
    assert rates == pytest.approx([1e-4, 10**-4.5, 1e-5, 10**-5.5, 1e-6])
    assert [stage_at(preset, p)[0] for p in (0.49, 0.51, 1.0)] == [0, 1, 1]


def test_a_rate_is_times_a_factor_all_along() -> None:
    preset = PRESETS["lite-calls"]
    for progress in (0.0, 0.3, 0.7, 1.0):
        slower = rate_at(at_rate(preset, 0.3), progress, 1000)
        assert slower == pytest.approx(0.3 * rate_at(preset, progress, 1000))


def test_rate_rises_first() -> None:
    preset = PRESETS["dmshn"]
    assert rate_at(preset, 0, 0) < 0.01 * rate_at(preset, 0, 500)
