"""The video devices that Linux lists."""

from pathlib import Path

_SYSFS = Path("/sys/class/video4linux")


def _devices(virtual: bool) -> dict[str, str]:
    found = {}
    for entry in sorted(_SYSFS.glob("video*"), key=lambda p: (len(p.name), p.name)):
        try:
            name = (entry / "name").read_text().strip()
            first = (entry / "index").read_text().strip() == "0"  # others carry metadata
        except OSError:
            continue
        # a v4l2loopback has no parent device
        if first and (entry / "device").exists() != virtual:
            found[f"/dev/{entry.name}"] = name
    return found


def linux_cameras() -> dict[str, str]:
    """Path and name of every Video4Linux capture device that is not virtual."""
    return _devices(virtual=False)


def linux_loopbacks() -> dict[str, str]:
    """Path and name of every v4l2loopback device."""
    return _devices(virtual=True)


def at_hand(devices: dict[str, str]) -> str:
    """Devices in words."""
    return "at hand: " + ", ".join(f"{path} ({name})" for path, name in devices.items())
