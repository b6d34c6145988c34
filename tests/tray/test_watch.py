import queue
from typing import Any

from realtime_bokeh.errors import BokehError, UsageError
from realtime_bokeh.tray.menu import Choice, Deed, Look, Request, View
from realtime_bokeh.tray.watch import Watch
from tests.tray.states import state


class Scene:
    """A panel and a desktop whose user chooses one thing after each view, and Quit at last."""

    def __init__(self, *choices: Choice, up: bool = True) -> None:
        self.up, self.running, self.failure = up, False, ""
        self.asked: list[tuple[object, ...]] = []
        self.views: list[View] = []
        self.opened = self.starts = self.closed = 0
        self.refusal: BokehError | None = None
        self._choices = [*choices, Deed.QUIT]
        self._chosen: queue.Queue[Choice] = queue.Queue()

    def play(self) -> Exception | None:
        watch = Watch(self, self._chosen, self, self._open, self._ask)
        watch.run()
        return watch.failure

    def run(self) -> None: ...

    def show(self, view: View) -> None:
        self.views.append(view)
        self._chosen.put(self._choices.pop(0))

    def close(self) -> None:
        self.closed += 1

    def start(self) -> None:
        self.starts += 1
        self.up = self.running = not self.failure

    def _open(self) -> None:
        self.opened += 1

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        if not self.up:
            raise UsageError("No panel runs")
        if method != "GET":
            self.asked.append((method, path, body))
            if self.refusal:
                raise self.refusal
        return state()


def test_choices_are_sent_until_quit() -> None:
    scene = Scene(Request("POST", "stop"), Request("PATCH", "state", {"blank": True}))
    assert scene.play() is None
    assert scene.asked == [("POST", "stop", None), ("PATCH", "state", {"blank": True})]
    assert (len(scene.views), scene.closed, scene.starts) == (3, 1, 0)


def test_the_page_is_opened() -> None:
    scene = Scene(Deed.OPEN)
    scene.play()
    assert (scene.opened, scene.asked) == (1, [])


def test_a_refusal_is_shown_until_the_next_choice() -> None:
    scene = Scene(Request("POST", "start"), Deed.OPEN)
    scene.refusal = UsageError("A run goes on already")
    scene.play()
    assert [view.look for view in scene.views] == [Look.RUNNING, Look.TROUBLE, Look.RUNNING]
    assert scene.views[1].title.endswith("A run goes on already")


def test_where_no_panel_runs_one_is_started() -> None:
    scene = Scene(up=False)
    scene.play()
    assert scene.starts == 1
    assert scene.views[0].items[-1].label == "Stop and quit"


def test_a_panel_that_fails_is_told_of_and_can_be_started_again() -> None:
    scene = Scene(Deed.SERVE, up=False)
    scene.failure = "The control page has ended"
    scene.play()
    assert scene.starts == 2
    assert scene.views[0].title.endswith("The control page has ended")


def test_a_fault_closes_the_icon_and_is_kept() -> None:
    scene = Scene(Deed.OPEN)
    scene._open = lambda: 1 / 0  # type: ignore[method-assign,assignment]
    assert isinstance(scene.play(), ZeroDivisionError)
    assert scene.closed == 1
