"""A program that is told, started and stopped from other threads, with a run that is real."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra [panel] is not installed")

from realtime_bokeh.app import live, parts, session
from realtime_bokeh.app.profile import profile_path, save_profile
from realtime_bokeh.app.session import Session
from realtime_bokeh.app.settings import Settings, read_profile
from realtime_bokeh.errors import SinkError, UsageError
from realtime_bokeh.frame import Frame, Sink, Source, Stopped
from realtime_bokeh.panel.program import Busy, Missing
from realtime_bokeh.weights import find
from tests.fakes import CountingSource, RecordingSink, UnchangedEngine


class Stage:
    """A session on a thread of its own.

    sinks: that its runs had, one each. outputs: what they were asked for. keys: that are typed.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
        self.sinks: list[RecordingSink] = []
        self.outputs: list[str | None] = []
        self.keys = ""
        self.error: Exception | None = None
        self.opens = threading.Event()
        self.opens.set()
        monkeypatch.setattr(live, "_open_source", lambda *_: CountingSource(None, live=True))
        monkeypatch.setattr(live, "check_outputs", self._check_outputs)
        monkeypatch.setattr(parts, "open_engine", lambda *_: UnchangedEngine())
        monkeypatch.setattr(live, "engine_opener", self._engine_opener)
        self.session = Session(settings)
        self.thread = threading.Thread(target=self.session.serve)

    def _engine_opener(self, settings: Settings) -> Callable[[], UnchangedEngine]:
        def opened() -> UnchangedEngine:
            assert self.opens.wait(60)
            engine = UnchangedEngine()
            engine.reason = f"{settings.model} by {settings.engine}, {settings.inference_size}"
            return engine

        return opened

    def _check_outputs(self, output: str | None, *_: object) -> list[Callable[[Source], Sink]]:
        if self.error is not None:
            raise self.error
        sink = RecordingSink(live=True)
        self.sinks.append(sink)
        self.outputs.append(output)
        return [lambda source: sink]

    def until(self, found: Callable[[], bool]) -> None:
        """Wait for what the session brings about."""
        pause = threading.Event()
        for _ in range(6000):
            if found():
                return
            assert self.thread.is_alive()
            pause.wait(0.01)
        raise AssertionError("it never came")

    def phase(self, phase: str) -> None:
        self.until(lambda: self.session.state().phase == phase)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, config_home: Path) -> Iterator[Stage]:
    stage = Stage(monkeypatch, Settings(camera="demo", output="none"))
    stage.thread.start()
    yield stage
    stage.opens.set()
    stage.session.stop()
    stage.phase("stopped")
    # a key at the terminal is how the user ends it
    monkeypatch.setattr(stage.session, "_wait", lambda: False)
    stage.session.start()
    stage.session.stop()
    stage.thread.join(60)
    assert not stage.thread.is_alive()


def test_runs_begin_and_end_as_they_are_told(stage: Stage) -> None:
    changes: list[str] = []
    stage.session.on_change(lambda: changes.append(stage.session.state().phase))
    assert stage.session.state().phase == "stopped"
    assert stage.session.pair() is None
    for number in (1, 2):
        stage.session.start()
        stage.phase("running")
        stage.until(lambda: len(stage.sinks[-1].frames) > 3)
        stage.until(lambda: stage.session.pair() is not None)
        state = stage.session.state()
        assert (state.running, state.camera_open, state.watched) == (True, True, True)
        assert state.measured is not None
        assert (state.output, state.frame) == ("memory", "2x2")
        with pytest.raises(Busy, match="running already; stop it"):
            stage.session.start()
        stage.session.stop()
        stage.phase("stopped")
        assert stage.sinks[-1].closed[0]  # complete
        assert len(stage.sinks) == number
    assert changes[:4] == ["starting", "running", "stopping", "stopped"]
    assert stage.session.state().trouble == ""


def test_what_is_told_counts_at_once_and_at_the_next_start(stage: Stage) -> None:
    told = {"strength": 0.25, "mirror": True, "model": "dmshn", "inference_size": "160x90"}
    stage.session.change(told)
    stage.session.start()
    stage.phase("running")
    assert stage.session.state().engine == "dmshn by auto, 160x90"
    stage.session.change({"engine": "openvino", "inference_size": "auto", "blank": True})
    stage.until(lambda: stage.session.pair() is None)
    stage.session.change({"blank": False})
    own = find("dmshn").inference_size
    stage.until(lambda: stage.session.state().engine == f"dmshn by openvino, {own}")
    stage.session.change({"off": True})
    stage.session.stop()
    stage.phase("stopped")
    settings = stage.session.state().settings
    assert (settings.strength, settings.mirror, settings.model) == (0.25, True, "dmshn")
    assert (settings.engine, settings.inference_size) == ("openvino", "auto")
    assert not settings.off  # it is not for another run


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"model": "none"}, "There is no model 'none'"),
        ({"camera": "none"}, "There is no camera 'none'"),
        ({"engine": "tensorrt"}, "Engine tensorrt cannot be used"),
        ({"inference_size": "7x7"}, "inference_size 7x7 is out of range"),
        ({"strength": 2.0}, "--strength 2 is out of range"),
    ],
)
@pytest.mark.parametrize("runs", [False, True])
def test_what_is_wrong_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, object], sentence: str,
    runs: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr("realtime_bokeh.engines.hardware.nvidia_driver", lambda: False)
    if runs:
        stage.session.start()
        stage.phase("running")
    before = stage.session.state().settings
    with pytest.raises(Exception, match=sentence):
        stage.session.change({"mirror": True, **wrong})
    assert stage.session.state().settings == before


def test_what_is_told_while_a_run_is_opened_counts(stage: Stage) -> None:
    stage.opens.clear()
    stage.session.start()
    stage.phase("starting")
    stage.session.change({"model": "dmshn", "strength": 0.5})
    stage.opens.set()
    stage.until(lambda: stage.session.state().engine.startswith("dmshn by auto"))
    assert stage.session.state().settings.strength == 0.5


def test_a_stop_while_a_run_is_opened_counts(stage: Stage) -> None:
    stage.opens.clear()
    stage.session.start()
    stage.until(lambda: len(stage.outputs) == 1)
    stage.session.stop()
    assert stage.session.state().phase == "stopping"
    stage.opens.set()
    stage.phase("stopped")


@pytest.mark.parametrize("error", [SinkError("No virtual camera was found"), KeyError("bug")])
def test_a_run_that_fails_leaves_its_sentence(stage: Stage, error: Exception) -> None:
    stage.error = error
    stage.session.start()
    stage.until(lambda: stage.session.state().trouble != "")
    state = stage.session.state()
    assert state.phase == "stopped"
    assert ("No virtual camera" if isinstance(error, SinkError) else "bug") in state.trouble
    stage.error = None
    stage.session.start()
    stage.phase("running")
    assert stage.session.state().trouble == ""


def test_an_output_that_fails_leaves_its_sentence(stage: Stage) -> None:
    def write(frame: Frame) -> None:
        raise SinkError("The disk is full")

    stage.session.start()
    stage.until(lambda: len(stage.sinks) == 1)
    stage.sinks[0]._on_write = write
    stage.until(lambda: stage.session.state().trouble == "The disk is full")
    assert stage.session.state().phase == "stopped"


def test_profiles_are_saved_and_applied(stage: Stage) -> None:
    stage.session.change({"strength": 0.25, "inference_size": "full", "blank": True})
    assert stage.session.save_profile("work")
    assert not stage.session.save_profile("work")
    stage.session.change({"strength": 0.75, "inference_size": "160x90", "blank": False})
    stage.session.load_profile("work")
    settings = stage.session.state().settings
    assert (settings.strength, settings.inference_size, settings.blank) == (0.25, "full", False)
    assert stage.session.profiles() == ["work"]
    stage.session.remove_profile("work")
    for gone in (stage.session.load_profile, stage.session.remove_profile):
        with pytest.raises(Missing, match="There is no profile 'work'"):
            gone("work")
        with pytest.raises(UsageError, match="cannot name a profile"):
            gone("../work")


def test_a_profile_that_is_saved_anew_keeps_what_the_page_does_not_know_of(stage: Stage) -> None:
    save_profile("work", {"output": "call.mp4", "strength": 1.0, "inference_size": "full"})
    stage.session.change({"strength": 0.25})
    assert not stage.session.save_profile("work")
    values = read_profile(profile_path("work"))
    assert (values["output"], values["strength"]) == ("call.mp4", 0.25)
    assert "inference_size" not in values


def test_choices_hold_what_is_chosen(stage: Stage) -> None:
    stage.session.change({"inference_size": "208x112"})
    found = stage.session.choices()
    assert "demo" in [choice.name for choice in found.cameras]
    assert {"lite", "dmshn", "stacked"} <= {choice.name for choice in found.models}
    assert "auto" in [choice.name for choice in found.engines]
    assert {"auto", "full", "208x112"} <= {choice.name for choice in found.inference_sizes}


def test_a_second_recording_does_not_replace_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "call.mp4"
    stage = Stage(monkeypatch, Settings(camera="demo", output=str(path)))
    path.touch()  # from yesterday
    assert stage.session._free(str(path)) == str(path)
    assert stage.session._free(str(path)) == str(tmp_path / "call-2.mp4")


@pytest.mark.parametrize("while_running", [False, True])
def test_the_user_ends_the_program(monkeypatch: pytest.MonkeyPatch, while_running: bool) -> None:
    stage = Stage(monkeypatch, Settings(camera="demo", output="none"))
    if while_running:
        stage.session.start()

        def quit_(*arguments: object) -> list[Callable[[Source], Sink]]:
            def write(frame: Frame) -> None:
                raise Stopped

            return [lambda source: RecordingSink(on_write=write)]

        monkeypatch.setattr(live, "check_outputs", quit_)
    else:
        monkeypatch.setattr(session, "keys", lambda: Typed("q"))
    stage.session.serve()  # it returns
    assert stage.session.state().phase == "stopped"


class Typed:
    """A terminal at which something is typed."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __enter__(self) -> Callable[[], str]:
        return lambda: self._text

    def __exit__(self, *_: object) -> None:
        pass
