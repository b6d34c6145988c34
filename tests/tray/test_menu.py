"""The menu without a display: states in, lines and what they send out."""

from collections.abc import Sequence
from typing import Any

import pytest

from realtime_bokeh.tray.menu import Choice, Deed, Item, Look, Mark, Request, View, view
from tests.tray.states import state


def item(items: Sequence[Item], *labels: str) -> Item:
    """The one line of this label, or the one under it."""
    (found,) = [line for line in items if line.label == labels[0]]
    return item(found.items, *labels[1:]) if labels[1:] else found


def patch(**settings: object) -> Request:
    return Request("PATCH", "state", settings)


@pytest.mark.parametrize(
    ("told", "labels", "choice"),
    [
        (state("stopped"), ["Start"], Request("POST", "start")),
        (state("starting"), ["Stop"], Request("POST", "stop")),
        (state("running"), ["Stop"], Request("POST", "stop")),
        (state(), ["Blank"], patch(blank=True)),
        (state(blank=True), ["Blank"], patch(blank=False)),
        (state(), ["Strength: 100%", "0%"], patch(strength=0.0)),
        (state(), ["Strength: 100%", "75%"], patch(strength=0.75)),
        (state(), ["Show my room", "Without any blur"], patch(off=True)),
        (state(off=True), ["Blur again"], patch(off=False)),
        (state(), ["Open the control page"], Deed.OPEN),
        (None, ["Start the control page"], Deed.SERVE),
        (None, ["Quit"], Deed.QUIT),
    ],
)
def test_every_line_sends_what_it_says(
    told: dict[str, Any] | None, labels: list[str], choice: Choice
) -> None:
    assert item(view(told, own=False).items, *labels).choice == choice


def test_what_is_under_way_cannot_be_chosen() -> None:
    assert item(view(state("stopping"), own=False).items, "Stop").choice is None
    assert item(view(None, own=True).items, "Start the control page").choice is None


def test_one_click_does_not_show_the_room() -> None:
    items = view(state(), own=False).items
    assert patch(off=True) not in [line.choice for line in items]
    assert item(items, "Show my room").choice is None


@pytest.mark.parametrize(
    ("strength", "title", "set_"),
    [(0.0, "0%", ["0%"]), (0.5, "50%", ["50%"]), (1.0, "100%", ["100%"]), (0.6, "60%", [])],
)
def test_the_step_of_the_strength_is_marked(strength: float, title: str, set_: list[str]) -> None:
    steps = item(view(state(strength=strength), own=False).items, f"Strength: {title}")
    assert [step.label for step in steps.items] == ["0%", "25%", "50%", "75%", "100%"]
    assert {step.mark for step in steps.items} == {Mark.RADIO}
    assert [step.label for step in steps.items if step.on] == set_


@pytest.mark.parametrize("blank", [False, True])
def test_blank_is_marked(blank: bool) -> None:
    line = item(view(state(blank=blank), own=False).items, "Blank")
    assert (line.mark, line.on) == (Mark.CHECK, blank)


@pytest.mark.parametrize(
    ("phase", "own", "label"),
    [
        ("stopped", False, "Quit"),
        ("stopped", True, "Quit"),
        ("running", True, "Stop and quit"),
        ("running", False, "Close this icon; the run goes on"),
    ],
)
def test_quit_says_what_becomes_of_the_run(phase: str, own: bool, label: str) -> None:
    assert view(state(phase), own).items[-1] == Item(label, Deed.QUIT)


@pytest.mark.parametrize(
    ("seen", "look", "said"),
    [
        (view(state("stopped"), own=False), Look.STOPPED, "Stopped"),
        (view(state("stopped", blank=True), own=False), Look.STOPPED, "Stopped"),
        (view(state(), own=False), Look.RUNNING, "Running"),
        (view(state(blank=True), own=False), Look.BLANKED, "Blanked"),
        (view(state(off=True), own=False), Look.ROOM, "Your room is shown"),
        # behind the card nobody sees it
        (view(state(off=True, blank=True), own=False), Look.BLANKED, "Blanked"),
        (view(state(trouble="No frames"), own=False), Look.TROUBLE, "No frames"),
        (view(state("stopped", trouble="No frames"), own=False), Look.TROUBLE, "No frames"),
        (view(state(), own=False, refused="No room"), Look.TROUBLE, "No room"),
        (view(None, own=False), Look.STOPPED, "No control page runs"),
        (view(None, own=True), Look.STOPPED, "The control page is starting"),
        (view(None, own=False, refused="It has ended"), Look.TROUBLE, "It has ended"),
    ],
)
def test_the_state_is_seen_in_icon_title_and_menu(seen: View, look: Look, said: str) -> None:
    assert (seen.look, seen.title) == (look, f"Realtime Bokeh: {said}")
    assert seen.items[0] == Item(said)


def test_a_long_sentence_fits_into_a_title_on_windows() -> None:
    title = view(state(trouble="The camera gives nothing " * 20), own=False).title
    assert len(title) < 128
    assert title.endswith(" ...")


def test_figures_change_nothing() -> None:
    """Or an open menu would be built anew twice a second."""
    assert view(state(), own=False) == view(state() | {"measured": {"fps_in": 30}}, own=False)
