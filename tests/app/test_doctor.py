import sys
from pathlib import Path

import pytest

from realtime_bokeh import weights
from realtime_bokeh.app import doctor
from realtime_bokeh.errors import SinkError, WeightsError
from tests.fakes import LoopbackDevice


def test_every_part_has_a_sentence() -> None:
    findings = {f.subject: f for f in doctor.examine()}
    assert {"weights", "engine", "camera", "virtual camera", "GPU"} <= findings.keys()
    for finding in findings.values():
        assert finding.sentence.endswith(".")
        assert "Traceback" not in finding.sentence
    assert findings["weights"].works
    assert findings["engine"].works


def test_failure_is_a_finding_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise SinkError("No virtual camera can be opened; install one: apt install it")

    monkeypatch.setattr("realtime_bokeh.sinks.virtual_camera.check_virtual_camera", refuse)
    finding = next(f for f in doctor.examine() if f.subject == "virtual camera")
    assert not finding.works
    assert finding.needed
    assert "apt install it" in finding.sentence


def test_damaged_weights_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[weights.Model]:
        raise WeightsError("Model lite is damaged; install it again")

    monkeypatch.setattr(weights, "models", broken)
    finding = next(f for f in doctor.examine() if f.subject == "weights")
    assert not finding.works


@pytest.mark.skipif(sys.platform != "linux", reason="v4l2loopback is Linux's")
@pytest.mark.parametrize("open_to_all", [False, True])
def test_a_camera_that_browsers_pass_over_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_to_all: bool
) -> None:
    device = LoopbackDevice(tmp_path)
    device.captures = open_to_all
    LoopbackDevice.plug_in(monkeypatch, device)
    findings = {f.subject: f for f in doctor.examine()}
    assert findings["virtual camera"].works
    assert (
        findings["virtual camera"].sentence
        == f"virtual camera {device.path} (v4l2loopback) takes frames."
    )
    found = findings.get("virtual camera in browsers")
    assert (found is not None) == open_to_all
    if found:
        assert not found.needed
        assert "without exclusive_caps=1" in found.sentence
        assert "sudo modprobe -r v4l2loopback && sudo modprobe" in found.sentence


@pytest.mark.parametrize("done", [False, True])
def test_after_a_repair_everything_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], done: bool
) -> None:
    before, after = (
        [doctor.Finding("virtual camera", works, f"It is {works}.")] for works in (False, True)
    )
    monkeypatch.setattr(doctor, "examine", iter([before, after]).__next__)
    monkeypatch.setattr("realtime_bokeh.app.driver.fix", lambda: done)
    assert doctor.report(repair=True) == (0 if done else 1)
    assert ("It is True." in capsys.readouterr().out) == done
