"""The page to hand on: it needs nothing else, hides nothing, and lets nothing in."""

import itertools
import json
import re
from typing import Any, NamedTuple

import altair as alt
import pytest

from churnsim.experiment import Comparison
from churnsim.report.amounts import money_cells, scale_of
from churnsim.report.framing import Commands
from churnsim.report.page.figures import NO_INTERVAL, Results, Shown
from churnsim.report.page.rendering import SECTIONS, charts_of, coded, page_of
from churnsim.report.page.theme import PAGE, PAPER
from churnsim.report.results import results_text
from tests.report.conftest import COMMAND, HOSTILE, POLICY, Page
from tests.report.numbers import CAUSES, check

pytestmark = pytest.mark.compiled

MB = 10**6
LOADING = frozenset(
    {"audio", "base", "embed", "form", "frame", "iframe", "img", "link"}
)
LANDMARKS = ("header", "nav", "main", "footer")


class Cells(NamedTuple):
    """A table of the page: what it is, and all its cells in order."""

    caption: str
    texts: list[str]


def tables(page: Page) -> list[Cells]:
    """Return the tables of a page."""
    found: list[Cells] = []
    for element in page.all("caption", "td"):
        if element.tag == "caption":
            found.append(Cells(element.text, []))
        else:
            found[-1].texts.append(element.text)
    return found


def attributes(page: Page, name: str) -> list[str]:
    """Return the values of an attribute, wherever it stands."""
    return [e.attributes[name] for e in page.elements if name in e.attributes]


def test_page__asks_nobody_for_anything(page: Page) -> None:
    """No element loads, no style imports, and the head forbids every request."""
    assert {e.tag for e in page.elements} & LOADING == set()
    assert attributes(page, "src") == attributes(page, "srcset") == []
    assert all(link.startswith("#") for link in attributes(page, "href"))
    (style,) = page.all("style")
    assert not re.search(r"url\(|@import|https?:", style.text)
    (rule,) = [e.attributes["content"] for e in page.all("meta") if "http" in str(e)]
    assert rule.startswith("default-src 'none'; script-src 'sha256-")
    assert "connect-src" not in rule
    assert "unsafe-eval" not in rule
    own = [e.text for e in page.all("script")][-1]
    assert not re.search(r"fetch\(|XMLHttp|import\(|https?:", own)


def test_page__specs_name_no_address_but_their_schema(page: Page) -> None:
    """Charts carry their data; the one address in them names the language."""
    text = next(e.text for e in page.all("script") if e.attributes.get("id") == "specs")
    addresses = set(re.findall(r"https?://[^\"']*", text))
    assert addresses <= {str(alt.SCHEMA_URL)}
    assert '"url"' not in text


def test_page__is_small(page: Page) -> None:
    """It can be sent by mail."""
    assert len(page.source.encode()) < 3 * MB


def test_page__says_the_sentence_first(page: Page, document: dict[str, Any]) -> None:
    """The first words after the title are the answer, with its interval."""
    (heading,) = page.all("h1")
    assert heading.text == document["title"]
    first = next(page.all("p"))
    assert first.text == document["sentence"]
    assert "95 % CI" in first.text
    assert next(page.all("title")).text.startswith(document["title"])


def test_page__keeps_markup_in_names_as_text(hostile: dict[str, Any]) -> None:
    """A name that is markup stays a name, in the page and in the charts' data."""
    source = page_of(hostile)
    page = Page(source)
    assert next(page.all("h1")).text == HOSTILE
    assert len(list(page.all("script"))) == 3
    assert list(page.all("img", "b")) == []
    assert attributes(page, "onclick") == attributes(page, "onerror") == []
    specs = next(
        e.text for e in page.all("script") if e.attributes.get("id") == "specs"
    )
    assert "<" not in specs
    assert POLICY in json.dumps(json.loads(specs), ensure_ascii=False)
    assert source.count("<script>alert(1)") == 0
    assert any(HOSTILE in e.text for e in page.all("td"))


def test_page__has_its_headings_in_order(page: Page) -> None:
    """One h1; no level is left out below it; each section is named by its heading."""
    levels = [int(e.tag[1]) for e in page.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    ids = attributes(page, "id")
    assert len(set(ids)) == len(ids)
    assert {e.attributes["aria-labelledby"] for e in page.all("section")} <= set(ids)
    assert {link[1:] for link in attributes(page, "href")} <= set(ids)
    # No opening hours, agents who never tire, and nothing that is drawn.
    assert len(list(page.all("section"))) == len(SECTIONS) - 3


def test_page__has_landmarks_and_a_language(page: Page) -> None:
    """What a screen reader jumps to is there, once."""
    assert next(page.all("html")).attributes["lang"] == "en"
    for tag in LANDMARKS:
        assert len(list(page.all(tag))) == 1


def test_page__each_chart_has_words_and_a_table(page: Page) -> None:
    """Each chart is an image with a text; its figure has the numbers behind a click."""
    charts = [e for e in page.elements if "data-chart" in e.attributes]
    figures = list(page.all("figure"))
    assert len(charts) == len(figures) > 10
    for chart in charts:
        assert chart.attributes["role"] == "img"
        assert len(chart.attributes["aria-label"]) > 40
    tables = [e for e in page.all("table") if {"figure", "details"} <= set(e.within)]
    assert len(tables) == len(charts)


def test_page__tables_have_captions_and_scopes(page: Page) -> None:
    """Each table says what it is; each heading says what it heads; none is empty."""
    assert len(list(page.all("caption"))) == len(list(page.all("table")))
    for cell in page.all("th"):
        assert cell.attributes["scope"] == ("col" if "thead" in cell.within else "row")
        assert cell.text.strip()


def test_page__losses_are_those_of_the_json(
    page: Page, document: dict[str, Any]
) -> None:
    """The cells on the page are the JSON's numbers, as the text table writes them."""
    cells = {e.text for e in page.all("td")}
    for against in ("baseline", "flawless"):
        found = [
            loss["total"]
            for loss in document["losses"]
            if (loss["against"], loss["measure"]) == (against, "revenue")
            and loss["policy"] != "flawless"
        ]
        scale = scale_of(x for total in found for x in list(total.values())[:3])
        for total in found:
            mean, low, high = money_cells(list(total.values())[:3], "$", scale)
            assert {mean, f"{low} to {high}"} <= cells


def test_page__every_number_is_the_json_s(
    page: Page, document: dict[str, Any], single: dict[str, Any], week: dict[str, Any]
) -> None:
    """Each table of figures, read as a reader reads it, says what the JSON says."""
    pairs = (
        (page, document, 500),
        (Page(page_of(single)), single, 150),
        (Page(page_of(week)), week, 1500),
    )
    for shown, source, n_least in pairs:
        checked = {t.caption: check(*t, source) for t in tables(shown)}
        told = {caption for caption, n in checked.items() if n}
        words = {e.text for e in shown.all("caption")} - told
        assert all(
            text.startswith(("What ", "Would matter", "Other figures"))
            for text in words
        ), words
        assert len(told) > 13
        assert sum(checked.values()) > n_least


def test_page__firm_view_has_the_gap(page: Page, document: dict[str, Any]) -> None:
    """Beside dashboard and truth stands their difference, paired by replication."""
    gaps = document["firm_view"]
    assert len(gaps) == 5 * len(document["policies"])
    for gap in gaps:
        if gap["gap"]["n"]:
            difference = gap["seen"]["mean"] - gap["true"]["mean"]
            assert gap["gap"]["mean"] == pytest.approx(difference, abs=1e-9)
    heads = [e.text for e in page.all("th") if e.text == "the gap"]
    assert len(heads) == 5


def test_page__figures_are_those_of_the_text_table(
    page: Page, shop_comparison: Comparison
) -> None:
    """Every cell of the printed table's rows on losses and waits is on the page."""
    printed = results_text(shop_comparison, Commands(COMMAND, ""), 140).splitlines()
    shown = page.source
    for label in ("nothing was wrong", "mistake, left", "Mean wait", "Front desk busy"):
        row = next(line for line in printed if line.strip().startswith(label))
        cells = [cell for cell in re.split(r"\s{2,}", row.strip())[1:] if cell]
        assert len(cells) == 6
        for cell in cells:
            assert f"<td>{cell} <span" in shown or f"<td>{cell}</td>" in shown


def test_page__names_what_it_rests_on(page: Page, document: dict[str, Any]) -> None:
    """Assumptions stand in the document's order; command, seed, digests are there."""
    codes = [e.text for e in page.all("code") if e.attributes.get("class") == "key"]
    assert codes == [item["key"] for item in document["foundations"]]
    cells = {e.text for e in page.all("td")}
    assert {str(document["seed"]), document["scenario_digest"]} <= cells
    assert document["origin"]["results_digest"] in cells
    assert COMMAND in {e.text for e in page.all("code")}
    for warning in document["warnings"]:
        assert any(warning in e.text for e in page.all("li"))


def test_page__says_in_words_what_each_setting_is(
    page: Page, document: dict[str, Any]
) -> None:
    """Below stands its name in files; figures come first; backticks are not shown."""
    heads = [e.text for e in page.all("th") if "tbody" in e.within]
    texts = " ".join(e.text for e in page.all("th", "td"))
    for item in document["foundations"]:
        (head,) = [text for text in heads if text.endswith(f" {item['key']}")]
        assert len(head.removesuffix(item["key"]).strip()) > 10
    assert "Probability that a lie is found out market.discovery" in heads
    assert "Late: how much it hurts [log-odds] mistakes.late.sting" in heads
    assert "`" not in texts
    assert "constant, mean" not in texts


def test_page__sets_off_what_is_typed() -> None:
    """Backticks become code around escaped text; a lone one is left alone."""
    assert coded("under `slow`, <b>") == "under <code>slow</code>, &lt;b&gt;"
    assert coded("`<i>` ` &") == "<code>&lt;i&gt;</code> ` &amp;"


def test_page__one_replication_is_never_a_bare_mean(single: dict[str, Any]) -> None:
    """Without intervals the page says so at its head and beside every mean."""
    page = Page(page_of(single))
    (notice,) = [
        e.text for e in page.all("p") if e.attributes.get("class") == "notice"
    ][:1]
    assert "One replication: there are no intervals" in notice
    results = Results(single)
    for shown in results.shown_figure("revenue") + results.shown_figure("lost_share"):
        assert shown.interval == NO_INTERVAL
        assert shown.whole.endswith(f"({NO_INTERVAL})")
    for chart in charts_of(single):
        for row in chart.build(PAPER)["datasets"]["rows"]:
            assert row.get("low") is None
            assert NO_INTERVAL in row["shown"] or row["shown"] == "100.0 %"
            assert NO_INTERVAL in row.get("text", NO_INTERVAL) or "words" in row


def test_page__leaves_out_intervals_that_only_repeat() -> None:
    """Only where both bounds read as the mean, which below a second 0 s does, too."""
    assert Shown("$1.756 M", "$1.756 M", "$1.756 M").whole == "$1.756 M"
    assert Shown("5", "4", "5").whole == "5 (4 to 5)"
    assert Shown("under 1 s", "0 s", "under 1 s").whole == "under 1 s"
    assert Shown("under 1 s", "0 s", "1.2 s").whole == "under 1 s (0 s to 1.2 s)"
    assert Shown("0 s", "0 s", "1 s").whole == "0 s (0 s to 1 s)"
    assert Shown("5", "", "").whole == f"5 ({NO_INTERVAL})"


def test_charts__are_valid_on_the_page_and_as_files(week: dict[str, Any]) -> None:
    """Each chart keeps to the schema of Vega-Lite, in both palettes."""
    names = [chart.name for chart in charts_of(week)]
    assert len(set(names)) == len(names)
    for chart in charts_of(week):
        for palette in (PAGE, PAPER):
            spec = chart.build(palette)
            alt.LayerChart.validate(spec)
            assert len(spec["datasets"]["rows"]) > 0
            # Where a file is seen, letters may be wider than where it was made.
            assert spec.get("padding", 0) == (0 if palette is PAGE else 24)


def test_charts__count_in_whole_numbers(document: dict[str, Any]) -> None:
    """Axes of customers, mistakes and cases say 1,400, and neither 1.4k nor 500m."""
    charts = {chart.name: chart for chart in charts_of(document)}
    for name in (
        *("customers_lost_by_cause", "perception_mistakes", "perception_lost"),
        *("monthly_active", "monthly_backlog"),
    ):
        told = json.dumps(charts[name].build(PAPER)["layer"])
        assert '"format": ",~f"' in told
        assert "~s" not in told


def test_charts__causes_that_are_drawn_differ_in_colour(
    document: dict[str, Any],
) -> None:
    """As long as there are colours: seven mistakes, what was none, and silence."""
    one = {"mean": 1.0, "low": 0.5, "high": 1.5, "n": 4}
    lost = {f"lost_{cause}": one for cause in CAUSES} | {
        "lost_refused": {**one, "mean": 0.0}
    }
    policies = {
        name: {**policy, "figures": {**policy["figures"], **lost}}
        for name, policy in document["policies"].items()
    }
    charts = charts_of({**document, "policies": policies})
    (chart,) = [c for c in charts if c.name == "customers_lost_by_cause"]
    colours = {item.key: item.colour for item in chart.legend}
    assert len(colours) == len(set(colours.values())) == len(CAUSES) - 1 == 9


def test_charts__keys_have_a_legend_that_is_not_colour_alone(
    week: dict[str, Any],
) -> None:
    """Each key is in the legend; policies differ by dash, views by shape."""
    for chart in charts_of(week):
        keys = {row.get("key") for row in chart.build(PAPER)["datasets"]["rows"]}
        assert keys - {None} <= {item.key for item in chart.legend}
        dashes = [item.dash for item in chart.legend if item.mark == "line"]
        assert len(set(dashes)) == len(dashes)
        shapes = [item.mark for item in chart.legend if item.mark in {"dot", "square"}]
        assert len(set(shapes)) == len(shapes)
