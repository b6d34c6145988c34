"""Fixtures that several modules' tests share."""

import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import realtime_bokeh.sources.demo
from realtime_bokeh import interrupts
from realtime_bokeh.frame import Image
from tests.program import ENVIRONMENT, Command, Outcome, signals_restored


def pytest_configure() -> None:
    """Signals come through even where what runs the tests ignores them, as nohup does: the programs
    that tests start would inherit that, and wait for ever."""
    for number in interrupts.SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            interrupting = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if interrupting else signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _no_profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads the default profile of whoever runs it, or finds their panel."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            folder = str(tmp_path_factory.mktemp(name))
            patch.setenv(name, folder)
            patch.setitem(ENVIRONMENT, name, folder)
        yield


@pytest.fixture
def config_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of settings of the test's own, where profiles are read from."""
    folder = tmp_path / "config"
    (folder / "realtime-bokeh").mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def portrait() -> Image:
    """A real photograph of a person, uint8 [512, 512, 3] BGR."""
    path = Path(realtime_bokeh.sources.demo.__file__).with_name("astronaut.jpg")
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image)


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Runs `realtime-bokeh` with arguments inside this process."""
    from realtime_bokeh.app.main import main

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["realtime-bokeh", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        assert isinstance(caught.value.code, int)
        out, err = capfd.readouterr()
        return Outcome(caught.value.code, out, err.splitlines())

    with signals_restored(), warnings.catch_warnings():
        yield run
