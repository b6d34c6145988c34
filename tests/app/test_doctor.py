import pytest

from realtime_bokeh import weights
from realtime_bokeh.app import doctor
from realtime_bokeh.errors import SinkError, WeightsError


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

    monkeypatch.setattr("realtime_bokeh.sinks.virtual_camera.VirtualCamera", refuse)
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
