from pathlib import Path

import pytest

from realtime_bokeh import video4linux


def test_linux_devices_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, label, index, real in (
        ("video10", "Loopback", "0", False),
        ("video2", "Webcam", "0", True),
        ("video3", "Webcam", "1", True),  # metadata of the same webcam
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(label + "\n")
        (tmp_path / name / "index").write_text(index + "\n")
        if real:
            (tmp_path / name / "device").mkdir()
    monkeypatch.setattr(video4linux, "_SYSFS", tmp_path)
    assert video4linux.linux_cameras() == {"/dev/video2": "Webcam"}
    assert video4linux.linux_loopbacks() == {"/dev/video10": "Loopback"}
