"""The page in a browser: all is drawn, nothing is asked for, everybody can read it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from churnsim.experiment import compare
from churnsim.report.page.writing import write_page
from churnsim.scenario import load_scenario
from tests.experiment.conftest import SHOP
from tests.report.conftest import HOSTILE
from tests.report.numbers import check

pytestmark = [pytest.mark.browser, pytest.mark.compiled]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Of its own accord a browser speaks to its maker: none of that here.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-quic",
)
AXE = os.environ.get("CHURNSIM_AXE", "")  # the file axe.min.js, where there is one
# Set where there is a browser: then no test may be skipped for want of one.
IS_REQUIRED = bool(os.environ.get("CHURNSIM_BROWSER_REQUIRED"))
WIDTHS = (1280, 420)
MB = 10**6
DRAWN = "document.documentElement.dataset.drawn === 'true'"
OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
HIDDEN = "[...document.querySelectorAll('#survival svg path')].length"
TABLES = """all => all.map(t => [t.caption.textContent,
  [...t.querySelectorAll('td')].map(c => c.textContent)])"""
SIZES = """all => all.map(c => c.querySelector('svg')?.getBoundingClientRect())
  .map(r => [r?.width ?? 0, r?.height ?? 0])"""
# Where every line of text lies, but for what is cut off or is for a screen reader.
LINES = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest('script, style, noscript, .hidden, .skip'))
      continue;
    // A label that an axis has no room for is there, and drawn with no opacity.
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
      continue;
    const scroll = parent.closest('.scroll')?.getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(node);
    const svg = parent.closest('.chart svg');
    const boxes = svg ? [parent.getBoundingClientRect()] : range.getClientRects();
    for (const r of boxes) {
      const box = [Math.max(r.left, scroll?.left ?? -1e9), Math.max(r.top,
        scroll?.top ?? -1e9), Math.min(r.right, scroll?.right ?? 1e9),
        Math.min(r.bottom, scroll?.bottom ?? 1e9)];
      if (box[2] <= box[0] || box[3] <= box[1]) continue;
      const edge = svg?.getBoundingClientRect();
      found.push({ text: node.data.trim(), box, edge: edge ?
        [edge.left, edge.top, edge.right, edge.bottom] : null });
    }
  }
  return found;
}"""
PAPER_WIDTH = 680  # pixels: A4 less its margins
CUT_OFF = """all => all.filter(e => getComputedStyle(e).overflowX !== 'visible'
  || e.tagName === 'PRE' && e.scrollWidth > e.clientWidth).map(e => e.textContent)"""
# Columns break as pages do, and tell where they did.
PAGED = """height => {
  Object.assign(document.body.style, { columns: '680px auto', columnFill: 'auto',
    columnGap: '40px', width: '680px', height: `${height}px` });
  document.querySelectorAll('details').forEach(d => d.open = true);
}"""
# Pairs of elements that belong together and do not stand on one page, and torn rows.
PARTED = """within => {
  const root = document.querySelector(within);
  const place = e => Math.floor((e.getBoundingClientRect().left + 1) / 720);
  const pairs = [];
  const add = (all, next) => root.querySelectorAll(all).forEach(e => {
    const after = next(e);
    if (after) pairs.push([e, after]);
  });
  const first = e => e.matches('.charts') ? e.querySelector('.chart') : e;
  add('h2', e => first(e.nextElementSibling));
  add('figcaption', e => e.parentElement.querySelector('.chart'));
  add('.legend', e => e.parentElement.querySelector('.chart'));
  add('caption', e => e.parentElement.tBodies[0].rows[0]);
  add('tbody tr:first-child', e => e.nextElementSibling);
  add('.note', e => e.previousElementSibling.querySelector('tr:last-child'));
  const parted = pairs.filter(([e, after]) => place(e) !== place(after));
  const torn = [...root.querySelectorAll('tbody tr, .chart')].filter(
    e => e.getClientRects().length > 1);
  return [...parted.flat(), ...torn].map(e => e.textContent.slice(0, 60));
}"""
HEIGHTS = range(860, 1080, 20)  # pixels, around A4's
# Words of the tables of words that do not stand on one line, sources and names aside.
TORN = """all => all.flatMap(cell => {
  const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  const torn = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest('.key')) continue;
    for (const word of node.data.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const tops = new Set([...range.getClientRects()].map(r => Math.round(r.top)));
      if (tops.size > 1 && !word[0].includes('-')) torn.push(word[0]);
    }
  }
  return torn;
})"""
ENDS = """all => all.flatMap(e => {
  const range = document.createRange();
  range.selectNodeContents(e);
  return [...range.getClientRects()].map(r => r.right);
})"""
SLACK = 1.5  # pixels by which boxes of letters that do not touch may overlap


def left_out(reason: str) -> NoReturn:
    """Skip, or fail where nothing may be skipped."""
    if IS_REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Return a browser without a window, if there are one and a driver for it."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        left_out("no playwright here")
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        left_out("no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def files(
    document: dict[str, Any],
    single: dict[str, Any],
    hostile: dict[str, Any],
    week: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """Return pages: plain, without intervals, of hostile long names, with a week."""
    folder = tmp_path_factory.mktemp("browser")
    pages = {"plain": document, "single": single, "hostile": hostile, "week": week}
    for name, source in pages.items():
        write_page(source, folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in pages}


Opened = Callable[..., Any]


@pytest.fixture
def opened(chromium: Any) -> Iterator[Opened]:
    """Return what opens a page and waits for its charts; it may complain of nothing."""
    pages: list[Any] = []
    wrong: list[str] = []

    def open_page(file: Path, width: int, scheme: str = "light") -> Any:
        page = chromium.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        pages.append(page)
        address = file.as_uri()
        page.on("request", lambda r: wrong.append(r.url) if r.url != address else None)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.goto(address)
        page.wait_for_function(DRAWN)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert wrong == []


def colliding(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return pairs of lines of text that lie on each other, or out of their chart."""
    found = []
    for line in lines:
        (left, top, right, bottom), edge = line["box"], line["edge"]
        if edge and (
            left < edge[0] - SLACK
            or top < edge[1] - SLACK
            or right > edge[2] + SLACK
            or bottom > edge[3] + SLACK
        ):
            found.append((line["text"], "the edge of its chart"))
    lines = sorted(lines, key=lambda line: line["box"][1])
    for i, one in enumerate(lines):
        left, _, right, bottom = one["box"]
        for other in lines[i + 1 :]:
            x0, y0, x1, _ = other["box"]
            if y0 >= bottom - SLACK:
                break
            if min(right, x1) - max(left, x0) > SLACK:
                found.append((one["text"], other["text"]))
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["plain", "week"])
def test_browser__draws_all_and_asks_for_nothing(
    name: str, width: int, scheme: str, opened: Opened, files: dict[str, Path]
) -> None:
    """Each chart has a size; no request, no error; nothing is wider than the window."""
    page = opened(files[name], width, scheme)
    sizes = page.eval_on_selector_all(".chart", SIZES)
    assert len(sizes) > 11
    assert all(w > 200 and h > 50 for w, h in sizes)
    assert page.evaluate(WIDER) == 0
    page.evaluate(OPEN)
    assert page.evaluate(WIDER) == 0


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["plain", "single", "hostile", "week"])
def test_browser__no_text_lies_on_another(
    name: str, width: int, media: str, opened: Opened, files: dict[str, Path]
) -> None:
    """No two lines of text touch, in charts and around them; none is cut off."""
    page = opened(files[name], width)
    page.emulate_media(media=media)
    lines = page.evaluate(LINES)
    assert sum(line["edge"] is not None for line in lines) > 100
    assert colliding(lines) == []
    page.evaluate(OPEN)
    lines = page.evaluate(LINES)
    assert len(lines) > 1000
    assert colliding(lines) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_browser__no_word_is_torn(
    name: str, width: int, opened: Opened, files: dict[str, Path]
) -> None:
    """Headings and figures stand whole in the narrowest table of words."""
    page = opened(files[name], width)
    page.evaluate(OPEN)
    cells = ".words th, .words td:not(:last-child)"
    assert len(page.query_selector_all(cells)) > 20
    assert page.eval_on_selector_all(cells, TORN) == []


def test_browser__captions_end_within_the_window(
    opened: Opened, files: dict[str, Path]
) -> None:
    """What a table is can be read without scrolling the table, however wide it is."""
    page = opened(files["plain"], WIDTHS[1])
    page.evaluate(OPEN)
    ends = page.eval_on_selector_all("caption", ENDS)
    assert len(ends) > 10
    assert max(ends) <= WIDTHS[1]


def test_browser__nobody_is_drawn_without_complaint(
    opened: Opened, tmp_path: Path
) -> None:
    """A firm without customers has a page, too, and its charts draw."""
    (tmp_path / "shop.toml").write_text(SHOP, encoding="utf-8")
    nobody = ("population.customers=0", 'population.prospects="0/year"')
    scenario = load_scenario(tmp_path / "shop.toml", overrides=nobody)
    comparison = compare(scenario, replications=2).explained()
    write_page(comparison.to_json_dict(), tmp_path / "page.html")
    page = opened(tmp_path / "page.html", WIDTHS[1])
    assert colliding(page.evaluate(LINES)) == []


def test_browser__overlap_is_noticed(opened: Opened, files: dict[str, Path]) -> None:
    """Two labels on each other, or one out of its chart, would be told."""
    page = opened(files["plain"], WIDTHS[0])
    labels = "document.querySelectorAll('.chart svg text')"
    page.evaluate(f"{labels}[1].setAttribute('transform', 'translate(0,3)')")
    page.evaluate(f"{labels}[2].setAttribute('transform', 'translate(0,3)')")
    assert colliding(page.evaluate(LINES))
    page = opened(files["plain"], WIDTHS[0])
    page.evaluate(f"{labels}[1].setAttribute('transform', 'translate(-400,3)')")
    assert any("edge" in pair[1] for pair in colliding(page.evaluate(LINES)))


def test_browser__numbers_are_those_of_the_json(
    opened: Opened, files: dict[str, Path], document: dict[str, Any]
) -> None:
    """What the browser's tables say is what the JSON says, to the digits shown."""
    page = opened(files["plain"], WIDTHS[0])
    tables = page.eval_on_selector_all("table", TABLES)
    assert sum(check(caption, cells, document) for caption, cells in tables) > 500
    assert files["plain"].stat().st_size < 3 * MB


def test_browser__markup_in_names_stays_text(
    opened: Opened, files: dict[str, Path]
) -> None:
    """A scenario and a policy named as scripts run none, and are read as they are."""
    page = opened(files["hostile"], WIDTHS[0])
    assert page.locator("h1").text_content() == HOSTILE
    assert page.title().startswith(HOSTILE)
    assert page.locator("body img, body b, body iframe").count() == 0
    drawn = page.eval_on_selector_all(
        ".chart svg text", "all => all.map(t => t.innerHTML)"
    )
    assert any("alert(3)" in text for text in drawn)
    assert not any("<b" in text for text in drawn)


def test_browser__a_click_hides_a_policy_everywhere(
    opened: Opened, files: dict[str, Path]
) -> None:
    """The button of a policy takes its line out of every chart, and brings it back."""
    page = opened(files["plain"], WIDTHS[0])
    before = page.evaluate(HIDDEN)
    button = page.locator("#survival .legend button").first
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{HIDDEN} < {before}")
    pressed = page.locator('button[data-key="empowered"][aria-pressed="false"]')
    assert pressed.count() > 3
    button.click()
    page.wait_for_function(f"{HIDDEN} === {before}")


def test_browser__a_pointer_is_told_the_numbers(
    opened: Opened, files: dict[str, Path], document: dict[str, Any]
) -> None:
    """Over a step of the waterfall stand its lever and its part with the interval."""
    page = opened(files["plain"], WIDTHS[0])
    page.locator("#levers .chart .mark-rect path").first.hover()
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    told = tip.text_content()
    shares = document["attribution"]["loss"]["shares"]
    largest = max(shares, key=lambda share: share["micro"])
    assert largest["lever"].replace("_", "-") in told
    assert " to " in told


def test_browser__prints_what_is_folded(opened: Opened, files: dict[str, Path]) -> None:
    """On paper short tables are open, and closed again afterwards."""
    page = opened(files["plain"], WIDTHS[0])
    is_open = "[...document.querySelectorAll('#levers details')].filter(d => d.open)"
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(f"{is_open}.length") > 1
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(f"{is_open}.length") == 0
    assert page.pdf().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["plain", "hostile", "week"])
def test_browser__paper_cuts_nothing_off(
    name: str, opened: Opened, files: dict[str, Path]
) -> None:
    """On paper nothing is scrolled to: commands and tables stand there to their end."""
    page = opened(files[name], PAPER_WIDTH)
    page.emulate_media(media="print")
    long_command = "' --set market.discovery=0.47'.repeat(40)"
    page.evaluate(f"document.querySelector('pre code').textContent += {long_command}")
    assert page.eval_on_selector_all("pre, .scroll", CUT_OFF) == []


@pytest.mark.parametrize(
    ("name", "within"), [("plain", "body"), ("week", "#week"), ("week", "#front-line")]
)
def test_browser__paper_keeps_together_what_belongs_together(
    name: str, within: str, opened: Opened, files: dict[str, Path]
) -> None:
    """No page ends in a row or chart, or between a heading or legend and its chart."""
    page = opened(files[name], PAPER_WIDTH)
    page.emulate_media(media="print")
    for height in HEIGHTS:
        page.evaluate(PAGED, height)
        assert page.evaluate(PARTED, within) == [], height
        assert page.evaluate("document.documentElement.scrollWidth") > 5 * 720


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["plain", "hostile", "week"])
def test_browser__axe_finds_nothing(
    name: str, scheme: str, opened: Opened, files: dict[str, Path]
) -> None:
    """The checks of axe-core for accessibility find no violation."""
    if not AXE:
        pytest.skip("no axe-core here (CHURNSIM_AXE)")
    page = opened(files[name], WIDTHS[0], scheme)
    page.evaluate(OPEN)
    # Past the page's own policy, which rightly lets no foreign script in.
    session = page.context.new_cdp_session(page)
    source = Path(AXE).read_text(encoding="utf-8")
    command = {"expression": source, "allowUnsafeEvalBlockedByCSP": True}
    session.send("Runtime.evaluate", command)
    found = page.evaluate("async () => (await axe.run()).violations")
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []
