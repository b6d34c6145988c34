"""The Debian package: installed, looked at by doctor, used, started from the menu, and removed."""

import configparser
import os
import shlex
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from guest import PATIENCE, PROMPTLY, SCRATCH, say

from realtime_bokeh import __version__

DIST = Path(__file__).parents[2] / "dist"
ROOT = SCRATCH / "root"  # the host's files, of which this test may change all
CHANGED = SCRATCH / "changed"  # what it has changed
ENTRY = ROOT / "usr/share/applications/realtime-bokeh.desktop"
BROWSER, ADDRESS = SCRATCH / "browser", SCRATCH / "address"
HOME = SCRATCH / "home"
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": str(HOME), "LC_ALL": "C.UTF-8",
               "BROWSER": str(BROWSER)}  # fmt: skip
BOOKS = ("var/lib/dpkg", "var/log")  # what dpkg keeps for itself
# Without other packages' triggers: man-db alone would take many minutes here.
DPKG = ("dpkg", "--no-triggers", "--force-unsafe-io")


def make_root() -> None:
    """The host's files with a layer above them that takes what is written."""
    work = SCRATCH / "work"
    for folder in (ROOT, CHANGED, work, HOME):
        folder.mkdir()
    layers = f"lowerdir=/,upperdir={CHANGED},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", ROOT], check=True)
    for name in ("dev", "proc", "sys"):
        subprocess.run(["mount", "--rbind", f"/{name}", ROOT / name], check=True)


def run(*line: str) -> None:
    """Run a command with the changeable files; its status must be 0."""
    say("$ " + " ".join(line))
    done = subprocess.run(["chroot", ROOT, *line], env=ENVIRONMENT)
    assert done.returncode == 0, f"{line[0]} ended with status {done.returncode}"


def start_from_menu() -> None:
    """Do as a desktop does; the page that the program opens must be there."""
    BROWSER.write_text(f'#!/bin/sh\necho "$1" >{ADDRESS}.new && mv {ADDRESS}.new {ADDRESS}\n')
    BROWSER.chmod(0o755)
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(ENTRY, encoding="utf-8")
    words = [w for w in shlex.split(entry["Desktop Entry"]["Exec"]) if not w.startswith("%")]
    say("$ " + " ".join(words))
    process = subprocess.Popen(["chroot", ROOT, *words], env=ENVIRONMENT)
    try:
        deadline = time.monotonic() + PATIENCE
        while not ADDRESS.exists():
            assert process.poll() is None, f"it ended with status {process.returncode}"
            assert time.monotonic() < deadline, f"no page was opened within {PATIENCE} s"
            time.sleep(0.2)
        with urllib.request.urlopen(ADDRESS.read_text().strip(), timeout=PATIENCE) as answer:
            page = answer.read()
        say(f"a page of {len(page)} bytes was opened")
        assert b"<html" in page
        process.send_signal(signal.SIGINT)
        assert process.wait(PROMPTLY) == 0, f"it ended with status {process.returncode}"
    finally:
        process.kill()


def traces() -> list[str]:
    """Files and folders that were not there before, or are no longer, by their path."""
    found = []
    for folder, folders, files in os.walk(CHANGED):
        for path in (Path(folder) / name for name in [*folders, *files]):
            inner = path.relative_to(CHANGED)
            removed = stat.S_ISCHR(path.lstat().st_mode)  # an overlay's mark for that
            if (removed or not os.path.lexists("/" / inner)) and not str(inner).startswith(BOOKS):
                found.append(str(inner))
    return found


package = DIST / f"realtime-bokeh_{__version__}-1_amd64.deb"
if not package.exists():
    sys.exit(f"{package} is missing; scripts/debian/build.sh makes it")
make_root()
run(*DPKG, "--install", str(package))
assert "usr/bin/realtime-bokeh" in traces()
run("realtime-bokeh", "--version")
run("realtime-bokeh", "doctor")
clip = SCRATCH / "demo.mp4"
run("realtime-bokeh", "demo", "--seconds", "0.2", "--inference-size", "64x48", str(clip))
assert clip.exists()
assert clip.with_suffix(".png").exists()
say(f"a clip of {clip.stat().st_size} bytes was rendered")
start_from_menu()
run(*DPKG, "--purge", "realtime-bokeh")
assert traces() == [], f"the package left {traces()}"
say("the package is gone, without a trace")
