"""The kernel module that makes Linux's virtual camera: whether it is there, and what brings it."""

import platform
from pathlib import Path

from realtime_bokeh.errors import SinkError

LABEL = "Realtime Bokeh"
MODULE = "v4l2loopback"
LOAD = f"sudo modprobe {MODULE} exclusive_caps=1 card_label='{LABEL}'"
RELOAD = f"sudo modprobe -r {MODULE} && {LOAD}"
INSTALL = f"sudo apt install v4l2loopback-dkms && {LOAD}"
ENROL = "sudo mokutil --import /var/lib/dkms/mok.pub, restart, and confirm it there"

_LOADED = Path("/sys/module") / MODULE
_MODULES = Path("/lib/modules")
_SOURCES = Path("/usr/src")
_EFI = Path("/sys/firmware/efi/efivars")


def refusal(reason: str, remedy: str) -> SinkError:
    """Why no virtual camera can be opened, and what to do."""
    instead = "or only look at a window: --output none --preview"
    return SinkError(f"No virtual camera can be opened ({reason}); {remedy}; {instead}")


def secure_boot() -> bool:
    """Whether the firmware lets the kernel load signed modules alone."""
    try:
        state = next(_EFI.glob("SecureBoot-*")).read_bytes()
    except (StopIteration, OSError):
        return False
    return state[-1:] == b"\1"


def is_loaded() -> bool:
    return _LOADED.exists()


def is_installed() -> bool:
    """Whether the module can be loaded into the running kernel."""
    try:
        listed = (_MODULES / platform.release() / "modules.dep").read_text()
    except OSError:
        return False
    return f"/{MODULE}.ko" in listed


def absence() -> SinkError:
    """Why there is no device, and what makes one."""
    release = platform.release()
    if is_loaded():
        return refusal(f"{MODULE} is loaded without a device", f"load it anew: {RELOAD}")
    if not is_installed():
        if any(_SOURCES.glob(f"{MODULE}-*")):
            return refusal(
                f"{MODULE} is not built for this kernel, {release}",
                f"build it: sudo apt install linux-headers-{release} && sudo dkms autoinstall",
            )
        return refusal(
            f"the kernel module {MODULE} is not installed",
            f"install it: {INSTALL} (Arch has the same package; Fedora: akmod-v4l2loopback)",
        )
    load = f"load it: realtime-bokeh doctor --fix, or {LOAD}"
    if secure_boot():
        return refusal(
            f"the kernel module {MODULE} is not loaded, and Secure Boot is on",
            f"{load}; if its key is rejected, enrol it: {ENROL}",
        )
    return refusal(f"the kernel module {MODULE} is not loaded", load)
