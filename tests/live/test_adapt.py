"""Quality that follows a computer whose speed the tests set."""

import itertools

import pytest

from realtime_bokeh.live.adapt import Adapter, Quality, ladder
from realtime_bokeh.sizes import Size
from realtime_bokeh.weights import find, models

QUALITIES = [
    Quality("dmshn", Size(144, 256), 20.0), Quality("dmshn", Size(112, 192), 12.0),
    Quality("lite", Size(144, 256), 7.0), Quality("lite", Size(112, 192), 4.0),
]  # fmt: skip


class Computer:
    """Renders: a frame takes `rest` and its quality's cost times `unit`, both in seconds.

    A camera gives `fps` frames a second; what takes longer is dropped.
    """

    def __init__(self, fps: float = 30, unit: float = 0.001, rest: float = 0.005) -> None:
        self.now, self.fps, self.unit, self.rest = 0.0, fps, unit, rest
        self.adapter = Adapter(QUALITIES, fps, clock=lambda: self.now)

    def run(self, seconds: float) -> list[int]:
        """The qualities in turn, one for every change."""
        changes = []
        end = self.now + seconds
        while self.now < end:
            network = QUALITIES[self.adapter.at].cost * self.unit
            takes = self.rest + network
            self.now += max(takes, 1 / self.fps)
            if self.adapter.observe(takes, network):
                changes.append(self.adapter.at)
        return changes

    @property
    def holds(self) -> bool:
        return self.rest + QUALITIES[self.adapter.at].cost * self.unit <= 1 / self.fps


def test_a_computer_that_holds_the_rate_keeps_the_best() -> None:
    assert Computer().run(60) == []


def test_quality_falls_as_far_as_it_must_and_comes_back() -> None:
    computer = Computer()
    computer.run(5)
    computer.unit, computer.rest = 0.0025, 0.010  # others want the processor
    assert computer.run(6) == [2]
    assert computer.holds
    assert computer.run(60) == []  # no flapping
    computer.unit, computer.rest = 0.001, 0.004
    assert computer.run(10) == [0]


def test_some_frames_that_take_too_long_are_too_many() -> None:
    """Three of ten come late, so that the rate is not held, whatever the median is."""
    adapter, now = Adapter(QUALITIES, 30, clock=lambda: now), 0.0
    for index in range(100):
        takes = 0.045 if index % 10 < 3 else 0.025
        now += max(takes, 1 / 30)
        if adapter.observe(takes, takes - 0.005):
            return
    raise AssertionError("it was content")


def test_a_mistake_is_repeated_less_and_less() -> None:
    """A quality that looks as if it would fit, and does not: the network is slower there."""
    computer = Computer()
    adapter = computer.adapter
    raised: list[float] = []
    while computer.now < 300:
        # only the best is too slow
        computer.rest = 0.004 if adapter.at else 0.02
        if 0 in computer.run(0.2):
            raised.append(computer.now)
    pauses = [after - before for before, after in itertools.pairwise(raised)]
    assert len(raised) <= 8
    assert pauses[-1] > 4 * pauses[0]


def test_what_made_it_a_mistake_may_end() -> None:
    """After raising has failed, and failed, a computer that is itself again is not kept waiting."""
    computer = Computer()
    while computer.now < 120:  # others work half of the time, too short to be seen in between
        computer.unit = 0.003 if computer.now % 8 < 4 else 0.001
        computer.run(0.2)
    computer.unit = 0.003
    computer.run(3)
    assert computer.adapter.at
    computer.unit = 0.001
    assert computer.run(5) == [0]


def test_what_is_hopeless_is_known() -> None:
    computer = Computer(unit=0.02)
    computer.run(5)
    assert computer.adapter.at == len(QUALITIES) - 1
    assert computer.adapter.limit == pytest.approx(1 / (0.005 + 4 * 0.02))
    computer.unit = 0.001
    computer.run(3)
    assert computer.adapter.limit is None


def test_it_is_known_before_all_is_tried() -> None:
    computer = Computer(unit=0.02)
    seconds = 0.0
    while computer.adapter.limit is None:
        computer.run(0.01)
        seconds = computer.now
    assert seconds < 5


@pytest.mark.parametrize("seconds", [0.2, 3.0])
def test_frames_that_take_very_long_are_judged_soon(seconds: float) -> None:
    computer = Computer(unit=seconds / 20)
    computer.run(max(5.0, 3 * seconds))
    assert computer.adapter.at == len(QUALITIES) - 1


@pytest.mark.parametrize("size", [None, Size(288, 512), "full"])
def test_the_ladder_goes_from_what_was_asked_for_to_less_and_less(size: Size | None) -> None:
    stacked = find("stacked")
    qualities = ladder(stacked, models(), size, Size(720, 1280))
    assert (qualities[0].model, qualities[0].size) == ("stacked", size or stacked.inference_size)
    assert {quality.model for quality in qualities} == {"stacked", "dmshn", "lite"}
    assert qualities[-1].model == "lite"
    costs = [quality.cost for quality in qualities]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > 10 * costs[-1]


def test_the_lightest_model_only_gets_smaller() -> None:
    qualities = ladder(find("lite"), models(), None, Size(720, 1280))
    assert [quality.model for quality in qualities] == ["lite"] * 4
