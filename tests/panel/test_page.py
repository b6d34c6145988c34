"""The page in a real browser, beside the real program: what is done there is seen in the frames."""

import base64
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from realtime_bokeh.frame import Image
from tests.panel.driven import (
    LIMIT,
    Driven,
    difference,
    driven,
    grainy_clip,
    likeness,
    sharpness,
)
from tests.program import ENVIRONMENT

pytest.importorskip("fastapi", reason="needs the panel (in the extra panel)")
pytest.importorskip("playwright", reason="needs Playwright (in the extra dev)")
pytest.importorskip("axe_playwright_python", reason="needs axe (in the extra dev)")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

_CHROMIUM = Path("/usr/bin/chromium")
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_SCHEMES: list[Literal["dark", "light"]] = ["light", "dark"]
_BLURRED = 200  # sharpness of a background that is rendered, at most; it is above 500 as it was
pytestmark = pytest.mark.skipif(not _CHROMIUM.exists(), reason=f"needs {_CHROMIUM}")

expect.set_options(timeout=LIMIT * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, portrait: Image) -> Path:
    return grainy_clip(tmp_path_factory.mktemp("camera") / "person.mkv", portrait)


@pytest.fixture(scope="module")
def run(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    folder = str(tmp_path_factory.mktemp("config"))  # without other tests' profiles
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENVIRONMENT, "XDG_CONFIG_HOME", folder)
        with driven(clip, port) as run:
            yield run


@pytest.fixture(scope="module")
def defaults(run: Driven) -> dict[str, object]:
    return run.told()


@pytest.fixture
def page(browser: Browser, run: Driven, defaults: dict[str, object]) -> Iterator[Page]:
    """The page of a run that renders with its first settings; its errors are the test's."""
    run.ask("PATCH", "state", defaults)
    run.until(lambda: run.ask("GET", "state")["phase"] != "stopping")
    if run.ask("GET", "state")["phase"] == "stopped":
        run.ask("POST", "start")
    run.until(lambda: sharpness(run.frame()) < _BLURRED)  # it renders
    page = browser.new_page(viewport={"width": 420, "height": 900})
    page.set_default_timeout(LIMIT * 1000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    page.goto(run.url)
    expect(_phase(page)).to_have_text("Running")
    models = page.get_by_label("Model").locator("option")
    expect(models).to_have_count(len(run.ask("GET", "choices")["models"]))  # the lists are filled
    yield page
    page.close()
    # refusals and lost connections are what some tests are about
    assert not [error for error in errors if "Failed to load" not in error]


def _phase(page: Page) -> Locator:
    return page.locator("#phase")


def _picture(page: Page) -> Image:
    """What the live view shows."""
    url = page.evaluate("document.querySelector('canvas').toDataURL('image/png')")
    data = np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))


def _until(page: Page, condition: Callable[[], bool]) -> None:
    """Wait for a condition, for as long as the page may take."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        page.wait_for_timeout(100)


def test_strength(page: Page, run: Driven) -> None:
    blurred = sharpness(run.frame())
    page.get_by_label("Strength").press("Home")
    run.until(lambda: sharpness(run.frame()) > 2 * blurred)
    assert run.told()["strength"] == 0
    expect(page.locator("output[for=strength]")).to_have_text("0%")


def test_smoothing(page: Page, run: Driven) -> None:
    page.get_by_label("Smoothing").press("Home")
    frames: list[Image] = []

    def alternate() -> bool:
        """Whether each of two pictures is rendered by itself."""
        frames[:] = run.frames(8)
        return len(_distinct(frames)) == 2

    run.until(alternate)
    one, other = frames[0], max(frames, key=lambda frame: difference(frame, frames[0]))
    apart = difference(one, other)
    page.get_by_label("Smoothing").press("End")
    run.until(
        lambda: any(
            0 < difference(frame, one) < apart and 0 < difference(frame, other) < apart
            for frame in run.frames()
        )
    )


@pytest.mark.parametrize(
    ("label", "choice", "words"),
    [("Model", "dmshn", "dmshn"), ("Engine", "pytorch", "pytorch"), ("Detail", "160x90", "")],
)
def test_what_renders(page: Page, run: Driven, label: str, choice: str, words: str) -> None:
    run.ask("PATCH", "state", {"smoothing": 0})  # then two renderings alternate, as pictures do
    run.until(lambda: len(_distinct(run.frames())) <= 2)
    before = run.frames()
    page.get_by_label(label).select_option(choice)
    expect(page.locator("#facts")).to_contain_text(words)

    def changed() -> bool:
        frames = run.frames()
        known = _distinct(before) & _distinct(frames)
        return not known and likeness(frames[0], before[0]) > 0.9

    run.until(changed)


def _distinct(frames: list[Image]) -> set[bytes]:
    return {frame.tobytes() for frame in frames}


def test_mirror(page: Page, run: Driven) -> None:
    before = run.frame()
    page.get_by_role("button", name="Mirror").click()
    run.until(lambda: likeness(run.frame(), np.asarray(cv2.flip(before, 1))) > 0.98)
    expect(page.get_by_role("button", name="Mirror", pressed=True)).to_be_visible()


def test_blank(page: Page, run: Driven) -> None:
    blank = page.get_by_role("button", name="Blank")
    blank.click()
    expect(page.get_by_text("Viewers see a card")).to_be_visible()
    run.rests()
    blank.click()
    assert sharpness(run.frame()) < _BLURRED


def test_freeze(page: Page, run: Driven) -> None:
    freeze = page.get_by_role("button", name="Freeze")
    freeze.click()
    expect(page.locator("#badge")).to_have_text("Frozen")
    run.rests()
    freeze.click()
    expect(page.locator("#badge")).to_be_hidden()
    assert sharpness(run.frame()) < _BLURRED


def test_blur_off_asks_before(page: Page, run: Driven) -> None:
    blurred = sharpness(run.frame())
    page.get_by_role("button", name="Blur off").click()
    expect(page.get_by_role("dialog")).to_contain_text("will see your room")
    page.keyboard.press("Enter")  # the answer that has the focus is no
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Blur off").click()
    assert run.told()["off"] is False
    page.get_by_role("button", name="Show my room").click()
    run.until(lambda: sharpness(run.frame()) > 2 * blurred)
    expect(page.locator("#badge")).to_contain_text("everybody sees your room")
    page.get_by_role("button", name="Blur off").click()  # on again without a question
    run.until(lambda: sharpness(run.frame()) < 1.5 * blurred)


def test_camera(page: Page, run: Driven, clip: Path) -> None:
    before = run.frame()
    expect(page.get_by_label("Camera", exact=True)).to_have_value(str(clip))
    page.get_by_label("Camera", exact=True).select_option("demo")
    # which has another shape than the clip, and gets black bars
    run.until(lambda: int(run.frame()[:, :20].max()) == 0)
    assert difference(run.frame(), before) > 10


def test_the_view_is_before_and_after(page: Page) -> None:
    split = page.get_by_label("Before and after")
    split.press("End")
    _until(page, lambda: sharpness(_picture(page)) > 500)
    split.press("Home")
    _until(page, lambda: sharpness(_picture(page)) < 250)
    first = _picture(page)
    _until(page, lambda: difference(_picture(page), first) > 0)


_ASKED = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/view'))"


def test_the_view_is_asked_for_seldom_and_only_while_it_is_seen(page: Page) -> None:
    def asked() -> list[float]:
        times: list[float] = page.evaluate(f"{_ASKED}.map(e => e.startTime)")
        return times

    _until(page, lambda: len(asked()) > 10)
    assert min(np.diff(asked())) > 120  # milliseconds; a timer may be early by some
    page.set_viewport_size({"width": 300, "height": 300})
    page.locator("#latency").scroll_into_view_if_needed()
    _until(page, lambda: _rests(page, lambda: len(asked())))
    page.evaluate("scrollTo(0, 0)")
    before = len(asked())
    _until(page, lambda: len(asked()) > before)
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
    page.evaluate(hide % "true")
    _until(page, lambda: _rests(page, lambda: len(asked())))
    before = len(asked())
    page.evaluate(f"{hide % 'false'}; document.dispatchEvent(new Event('visibilitychange'))")
    _until(page, lambda: len(asked()) > before)


def _rests(page: Page, value: Callable[[], int]) -> bool:
    """Whether a number stays for as long as 15 requests would take at most."""
    before = value()
    page.wait_for_timeout(1500)
    return value() == before


def test_plots_fill(page: Page) -> None:
    for figure in ("#rate", "#latency"):
        line = page.locator(f"{figure} .line-0")
        expect(line).to_have_attribute("d", re.compile(r"M.*L.*L"))
        words = page.locator(f"{figure} svg").get_attribute("aria-label")
        assert words is not None
        assert re.search(r" \d+(\.\d)?, from \d+(\.\d)? to \d+", words)


def test_profiles(page: Page, run: Driven) -> None:
    def strength() -> object:
        return run.told()["strength"]

    slider = page.get_by_label("Strength")
    slider.fill("0.3")
    run.until(lambda: strength() == 0.3)
    page.get_by_label("Name of the new profile").fill("desk")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved desk")).to_be_visible()
    slider.fill("0.9")
    run.until(lambda: strength() == 0.9)
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_text("Loaded desk")).to_be_visible()
    expect(slider).to_have_value("0.3")
    assert strength() == 0.3
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("None saved yet")).to_be_attached()
    assert run.ask("GET", "profiles") == {"profiles": []}


def test_it_follows_what_is_changed_elsewhere_but_not_under_a_finger(
    page: Page, run: Driven
) -> None:
    slider = page.get_by_label("Strength")
    run.ask("PATCH", "state", {"strength": 0.4, "mirror": True})
    expect(slider).to_have_value("0.4")
    expect(page.get_by_role("button", name="Mirror", pressed=True)).to_be_visible()
    box = slider.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    page.mouse.down()
    held = slider.input_value()
    assert float(held) > 0.6
    run.until(lambda: run.told()["strength"] == float(held))  # else that could come after the next
    run.ask("PATCH", "state", {"strength": 0.1, "mirror": False})
    expect(page.get_by_role("button", name="Mirror", pressed=False)).to_be_visible()
    assert slider.input_value() == held
    page.mouse.up()
    expect(slider).to_have_value("0.1")


def test_a_refusal_is_shown_and_the_control_goes_back(page: Page) -> None:
    model = page.get_by_label("Model")
    before = model.input_value()
    model.evaluate("select => select.add(new Option('other', 'other'))")
    model.select_option("other")
    expect(page.locator("#refusal")).to_contain_text("other")
    expect(model).to_have_value(before)


def test_stop_and_start(page: Page, run: Driven) -> None:
    page.get_by_role("button", name="Stop").click()
    expect(_phase(page)).to_have_text("Stopped")
    expect(page.get_by_text("Start shows the picture here")).to_be_visible()
    for scheme in _SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert _violations(page) == ""
    page.get_by_role("button", name="Start").click()
    expect(_phase(page)).to_have_text("Running")
    run.frames()
    expect(page.locator(".stage.empty")).to_have_count(0)


def test_a_lost_connection_is_said_and_comes_back(page: Page) -> None:
    page.route("**/api/v1/events*", lambda route: route.abort())
    page.reload()
    expect(_phase(page)).to_contain_text("Connection lost")
    page.unroute("**/api/v1/events*")
    expect(_phase(page)).to_have_text("Running")


def test_all_of_it_fits_into_a_dock(page: Page) -> None:
    page.set_viewport_size({"width": 300, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 300
    for control in page.locator("button, input, select").filter(visible=True).all():
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 300


def test_the_keyboard_alone_reaches_everything(page: Page) -> None:
    reached = []
    for _ in range(16):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "(e => [e.id || e.textContent.trim(), getComputedStyle("
            "e.id == 'split' ? document.querySelector('.divider span') : e).outlineStyle])"
            "(document.activeElement)"
        )
        assert outline == "solid", f"where the focus is must be seen at {name}"
        reached.append(name)
    assert reached == [
        "run", "split", "Blank", "Freeze", "Mirror", "Blur off", "strength", "smoothing", "camera",
        "model", "engine", "inference-size", "profile", "load", "delete", "profile-name",
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", _SCHEMES)
def test_axe_finds_nothing(page: Page, scheme: Literal["dark", "light"]) -> None:
    page.emulate_media(color_scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) < 3 * 128) == (scheme == "dark")
    expect(page.locator(".stage.empty")).to_have_count(0)
    assert _violations(page) == ""
    page.get_by_role("button", name="Blur off").click()
    assert _violations(page) == ""


def _violations(page: Page) -> str:
    """What axe objects to, in words."""
    page.emulate_media(reduced_motion="reduce")  # else it may see a color half-way to another
    found = Axe().run(page)
    return str(found.generate_report()) if found.violations_count else ""
