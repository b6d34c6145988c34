import platform
from pathlib import Path

import pytest

from realtime_bokeh.sinks import kernel_module


class Computer:
    """The folders in which the state of the kernel and of its modules is."""

    def __init__(self, folder: Path) -> None:
        self.loaded = folder / "module" / "v4l2loopback"
        self.modules = folder / "modules"
        self.sources = folder / "src"
        self.efi = folder / "efivars"
        for path in (self.loaded.parent, self.modules, self.sources, self.efi):
            path.mkdir()

    def install(self) -> None:
        release = self.modules / platform.release()
        release.mkdir()
        (release / "modules.dep").write_text("updates/dkms/v4l2loopback.ko.xz: kernel/x.ko.xz\n")

    def lock(self, locked: bool) -> None:
        (self.efi / "SecureBoot-8be4df61").write_bytes(bytes([6, 0, 0, 0, locked]))


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    made = Computer(tmp_path)
    monkeypatch.setattr(kernel_module, "_LOADED", made.loaded)
    monkeypatch.setattr(kernel_module, "_MODULES", made.modules)
    monkeypatch.setattr(kernel_module, "_SOURCES", made.sources)
    monkeypatch.setattr(kernel_module, "_EFI", made.efi)
    return made


def test_a_module_that_is_not_installed(computer: Computer) -> None:
    assert not kernel_module.is_installed()
    sentence = str(kernel_module.absence())
    assert "is not installed); install it: sudo apt install v4l2loopback-dkms && " in sentence
    assert kernel_module.LOAD in sentence


def test_a_module_of_another_kernel(computer: Computer) -> None:
    (computer.sources / "v4l2loopback-0.12.7").mkdir()
    sentence = str(kernel_module.absence())
    assert f"not built for this kernel, {platform.release()}" in sentence
    assert f"sudo apt install linux-headers-{platform.release()}" in sentence


@pytest.mark.parametrize("locked", [None, False, True])
def test_a_module_that_is_not_loaded(computer: Computer, locked: bool | None) -> None:
    computer.install()
    if locked is not None:
        computer.lock(locked)
    assert kernel_module.is_installed()
    sentence = str(kernel_module.absence())
    assert "v4l2loopback is not loaded" in sentence
    assert f"load it: realtime-bokeh doctor --fix, or {kernel_module.LOAD}" in sentence
    assert ("Secure Boot is on" in sentence) == bool(locked)
    assert ("sudo mokutil --import /var/lib/dkms/mok.pub" in sentence) == bool(locked)


def test_a_module_without_a_device(computer: Computer) -> None:
    computer.loaded.mkdir()
    sentence = str(kernel_module.absence())
    assert "loaded without a device); load it anew: sudo modprobe -r v4l2loopback" in sentence
