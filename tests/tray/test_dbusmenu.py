import pytest

from realtime_bokeh.tray.dbusmenu import Tree
from realtime_bokeh.tray.menu import LINE, Deed, Item, Mark, Request, view
from tests.tray.states import state

ITEMS = (
    Item("a_b"),
    LINE,
    Item("Blank", Request("POST", "blank"), Mark.CHECK, True),
    Item("Strength", items=(Item("0%", Request("POST", "0"), Mark.RADIO), Item("50%", Deed.OPEN))),
)


@pytest.fixture
def tree() -> Tree:
    tree = Tree()
    tree.set(ITEMS)
    return tree


def test_lines_have_the_protocol_s_properties(tree: Tree) -> None:
    number, _, lines = tree.node(0)
    assert number == 0
    text, line, blank, strength = [line[1][1] for line in lines]
    assert text == {"label": ("s", "a__b"), "enabled": ("b", False)}
    assert line == {"type": ("s", "separator")}
    assert (blank["toggle-type"], blank["toggle-state"]) == (("s", "checkmark"), ("i", 1))
    assert strength["children-display"] == ("s", "submenu")
    assert strength["enabled"] == ("b", True)
    steps = [step[1][1] for step in lines[3][1][2]]
    assert (steps[0]["toggle-type"], steps[0]["toggle-state"]) == (("s", "radio"), ("i", 0))
    assert "toggle-type" not in steps[1]


def test_the_depth_is_kept(tree: Tree) -> None:
    assert tree.node(0, 0)[2] == []
    assert [line[1][2] for line in tree.node(0, 1)[2]] == [[], [], [], []]


def test_groups_are_those_that_were_asked_for_or_all(tree: Tree) -> None:
    assert [number for number, _ in tree.groups([2, 3])] == [2, 3]
    assert len(tree.groups([])) == 7


def test_a_number_means_the_same_for_ever() -> None:
    tree = Tree()
    tree.set(view(state("running"), own=False).items)
    before = {
        line[1][1]["label"][1]: line[1][0] for line in tree.node(0)[2] if "label" in line[1][1]
    }
    assert tree.choice(before["Stop"]) == Request("POST", "stop")
    tree.set(view(state("stopped", blank=True), own=False).items)
    assert tree.choice(before["Stop"]) == Request("POST", "stop")
    assert tree.choice(before["Blank"]) == Request("PATCH", "state", {"blank": True})
    with pytest.raises(KeyError):
        tree.properties(before["Stop"])
    tree.set(view(state("running"), own=False).items)
    after = {
        line[1][1]["label"][1]: line[1][0] for line in tree.node(0)[2] if "label" in line[1][1]
    }
    assert after == before
    assert tree.revision == 3
