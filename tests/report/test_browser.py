"""The page in a browser: all is drawn, nothing is asked for, everybody can read it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from churnsim.report.page.writing import write_page

pytestmark = [pytest.mark.browser, pytest.mark.compiled]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
AXE = os.environ.get("CHURNSIM_AXE", "")  # the file axe.min.js, where there is one
DRAWN = "document.documentElement.dataset.drawn === 'true'"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
HIDDEN = "[...document.querySelectorAll('#survival svg path')].length"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Return a browser without a window, if there are one and a driver for it."""
    driver = pytest.importorskip("playwright.sync_api", reason="no playwright here")
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium here")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the page."""
    path = tmp_path_factory.mktemp("browser") / "page.html"
    write_page(document, path)
    return path


def opened(chromium: Any, file: Path, width: int, scheme: str) -> tuple[Any, list[str]]:
    """Return the page when its charts are drawn, and all that it complains of."""
    page = chromium.new_page(
        viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    wrong: list[str] = []
    address = file.as_uri()
    page.on("request", lambda r: wrong.append(r.url) if r.url != address else None)
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.wait_for_function(DRAWN)
    return page, wrong


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_browser__draws_all_and_asks_for_nothing(
    width: int, scheme: str, chromium: Any, file: Path
) -> None:
    """Each chart has a size; no request, no error; nothing is wider than the window."""
    page, wrong = opened(chromium, file, width, scheme)
    sizes = page.eval_on_selector_all(
        ".chart",
        "all => all.map(c => c.querySelector('svg')?.getBoundingClientRect())"
        ".map(r => [r?.width ?? 0, r?.height ?? 0])",
    )
    assert len(sizes) > 10
    assert all(w > 200 and h > 50 for w, h in sizes)
    assert page.evaluate(WIDER) == 0
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate(WIDER) == 0
    assert wrong == []
    page.close()


def test_browser__a_click_hides_a_policy_everywhere(chromium: Any, file: Path) -> None:
    """The button of a policy takes its line out of every chart, and brings it back."""
    page, wrong = opened(chromium, file, 1280, "light")
    before = page.evaluate(HIDDEN)
    button = page.locator("#survival .legend button").first
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{HIDDEN} < {before}")
    pressed = page.locator('button[data-key="empowered"][aria-pressed="false"]')
    assert pressed.count() > 3
    button.click()
    page.wait_for_function(f"{HIDDEN} === {before}")
    assert wrong == []
    page.close()


@pytest.mark.skipif(not AXE, reason="no axe-core here (CHURNSIM_AXE)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_browser__axe_finds_nothing(scheme: str, chromium: Any, file: Path) -> None:
    """The checks of axe-core for accessibility find no violation."""
    page, _ = opened(chromium, file, 1280, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    # Past the page's own policy, which rightly lets no foreign script in.
    session = page.context.new_cdp_session(page)
    source = Path(AXE).read_text(encoding="utf-8")
    command = {"expression": source, "allowUnsafeEvalBlockedByCSP": True}
    session.send("Runtime.evaluate", command)
    found = page.evaluate("async () => (await axe.run()).violations")
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []
    page.close()
