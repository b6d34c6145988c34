"""The command that lists cameras, virtual cameras and inference devices."""

import sys

from rich.table import Table

from realtime_bokeh.app.display import print_table
from realtime_bokeh.engines.openvino import devices as openvino_devices
from realtime_bokeh.sinks.virtual_camera import install_hint
from realtime_bokeh.video4linux import linux_cameras, linux_loopbacks


def list_devices() -> None:
    """Print a table of what was found, and a sentence for each kind of which there is none."""
    table = Table("kind", "device", "name")
    missing = []
    if sys.platform == "linux":
        cameras, loopbacks = linux_cameras(), linux_loopbacks()
        for kind, found in (("camera", cameras), ("virtual camera", loopbacks)):
            for path, name in found.items():
                table.add_row(kind, path, name)
        if not cameras:
            missing.append("No camera was found; plug one in.")
        if not loopbacks:
            missing.append(f"No virtual camera was found; install one: {install_hint()}")
    else:
        table.add_row("camera", "0, 1, ...", "by index, in the order of the system")
    for device, name in openvino_devices().items():
        table.add_row("inference (OpenVINO)", device, name)
    print_table(table)
    for sentence in missing:
        print(sentence)
