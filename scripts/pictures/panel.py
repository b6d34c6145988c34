"""Makes the pictures of the panel in docs/, from a run of the built-in scene.

    python scripts/pictures/panel.py [FOLDER]

Needs Playwright and /usr/bin/chromium. It takes somewhat more than a minute, until the plots are
full. Profiles and settings of whoever runs it are neither read nor shown.
"""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error, Page, sync_playwright

from realtime_bokeh.panel import place

_CHROMIUM = "/usr/bin/chromium"
_PORT = 7593
_MINUTE_MS = 62_000
_QUALITY = 90  # of 100, which keeps a picture under 150 kB
_DOCK = {"width": 300, "height": 720}


@contextmanager
def _panel(folder: str) -> Iterator[str]:
    """The address of a panel, while its run goes on."""
    line = [sys.executable, "-m", "realtime_bokeh", "--camera", "demo", "--size", "640x360"]
    line += ["--output", "none", "--panel", str(_PORT)]
    os.environ |= {"XDG_CONFIG_HOME": folder, "XDG_STATE_HOME": folder}
    with subprocess.Popen(line) as program:
        try:
            yield place.address(_PORT)
        finally:
            program.terminate()


def _open(page: Page, url: str) -> None:
    """Open the page as soon as it is served."""
    while True:
        with contextlib.suppress(Error):
            page.goto(url)
            return
        page.wait_for_timeout(500)


def _take(page: Page, path: Path) -> None:
    """Save a screenshot."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(path, quality=_QUALITY, method=6)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Make the three pictures."""
    docs = Path(sys.argv[1] if sys.argv[1:] else "docs")
    with tempfile.TemporaryDirectory() as folder, _panel(folder) as url, sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 715}, color_scheme="light")
        _open(page, url)
        page.get_by_label("Name of the new profile").fill("work")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved work").wait_for()
        page.mouse.move(0, 0)  # no button looks as if it were pointed at
        page.reload()
        page.wait_for_timeout(_MINUTE_MS)
        _take(page, docs / "panel-light.webp")
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(1000)  # colours fade over, and a picture comes
        _take(page, docs / "panel-dark.webp")
        page.set_viewport_size(_DOCK)
        page.wait_for_timeout(1000)
        _take(page, docs / "panel-dock.webp")
        browser.close()


if __name__ == "__main__":
    main()
