"""The section on levers: a waterfall that adds up, whatever there is to tell."""

import itertools
from typing import Any

import altair as alt
import pytest

from churnsim.experiment.attribution.wording import PEOPLE_TEXT
from churnsim.experiment.intervals import estimate
from churnsim.experiment.plain import plain
from churnsim.records import MICRO
from churnsim.report.page import levers
from churnsim.report.page.figures import NO_INTERVAL, Results
from churnsim.report.page.rendering import page_of
from churnsim.report.page.theme import GAIN, LOSS, PAPER, STRONG
from tests.report.conftest import COMMAND, Page

pytestmark = pytest.mark.compiled

NAME = "revenue_lost_by_lever"
MANY = ("reach", "speed", "authority", "honesty", "accountability", "make_good")


def part(amounts: list[int]) -> dict[str, Any]:
    """Return what is lost in each replication [micro-units], as a document has it."""
    total = estimate([amount / MICRO for amount in amounts])
    return {"micro": sum(amounts), "total": plain(total), "yearly": plain(total)}


def told(lost: dict[str, list[int]], **changes: Any) -> dict[str, Any]:
    """Return an attribution's document made by hand: what each lever loses."""
    n = len(next(iter(lost.values()), []))
    whole = [sum(amounts) for amounts in zip(*lost.values(), strict=True)]
    shares = [
        {"lever": lever, "fraction": None, "sampling_error": None, **part(amounts)}
        for lever, amounts in lost.items()
    ]
    loss = {"by": "all", "name": "all", "people": 9.0, **part(whole)}
    return {
        "from": "slow",
        "to": "empowered",
        "levers": list(lost),
        "is_exact": True,
        "replications_finished": n,
        "sentence": "Of the money, some is speed.",
        "loss": {**loss, "shares": shares},
        "segments": [],
        "interactions": [],
        **changes,
    }


def steps(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the waterfall, valid and continuous, the sum last."""
    (chart,) = levers.why(Results(document)).charts
    spec = chart.build(PAPER)
    alt.LayerChart.validate(spec)
    rows: list[dict[str, Any]] = spec["datasets"]["rows"]
    *parts, whole = rows
    assert [row["label"] for row in parts] != []
    for before, after in itertools.pairwise(parts):
        assert after["from"] == before["value"]
        assert before["next"] == after["label"]
    assert parts[0]["from"] == whole["from"] == 0.0
    assert parts[-1]["value"] == whole["value"]
    assert sum(int(row["micro"]) for row in parts) == int(whole["micro"])
    assert [row["value"] >= row["from"] for row in parts] == [
        row["colour"] == LOSS for row in parts
    ]
    assert whole["colour"] == STRONG
    low, high = spec["layer"][1]["encoding"]["x"]["scale"]["domain"]
    for row in rows:
        ends = [row["from"], row["value"], row["low"], row["high"]]
        assert all(low <= x <= high for x in ends if x is not None)
    return rows


def test_waterfall__is_that_of_the_json(document: dict[str, Any], page: Page) -> None:
    """Its steps are the document's parts, largest first, and end at the headline."""
    rows = steps(document)
    loss = document["attribution"]["loss"]
    shares = sorted(loss["shares"], key=lambda share: -share["micro"])
    assert [int(row["micro"]) for row in rows] == [
        *(share["micro"] for share in shares),
        loss["micro"],
    ]
    assert rows[-1]["value"] == pytest.approx(loss["total"]["mean"], rel=1e-12)
    for row, share in zip(rows, shares, strict=False):
        length = share["total"]["high"] - share["total"]["low"]
        assert row["high"] - row["low"] == pytest.approx(length)
    texts = [e.text for e in page.all("p")]
    assert document["attribution"]["sentence"] in texts
    headings = [e.text for e in page.all("th") if "tbody" in e.within]
    assert [row["label"] for row in rows] in [
        headings[i : i + len(rows)] for i in range(len(headings))
    ]


def test_waterfall__goes_back_where_a_lever_makes_up(document: dict[str, Any]) -> None:
    """A part below zero is a step back, in another colour, with its sign as text."""
    lost = {"speed": [900_000, 1_100_001], "honesty": [-400_000, -300_000]}
    rows = steps(document | {"attribution": told(lost)})
    assert [row["label"] for row in rows] == ["speed", "honesty", "together"]
    assert rows[1]["value"] < rows[1]["from"]
    assert rows[1]["colour"] == GAIN
    assert rows[1]["text"].startswith("-$")


def test_waterfall__of_a_gain_alone_goes_left(document: dict[str, Any]) -> None:
    """A policy that brings money: the sum is below zero, and on the axis."""
    rows = steps(document | {"attribution": told({"speed": [-5, -2 * MICRO]})})
    assert rows[-1]["value"] < 0.0
    rows = steps(document | {"attribution": told({"speed": [0, 0]})})
    assert [row["value"] for row in rows] == [0.0, 0.0]


@pytest.mark.parametrize("n", [1, 7])
def test_waterfall__has_one_lever_or_all(n: int, document: dict[str, Any]) -> None:
    """One lever is one step and its sum; seven have seven, to the last micro-unit."""
    names = [*MANY, "prevention"][:n]
    lost = {name: [3**i, 7**i + 10**15] for i, name in enumerate(names)}
    rows = steps(document | {"attribution": told(lost)})
    assert len(rows) == n + 1


def test_levers__one_replication_has_no_interval(single: dict[str, Any]) -> None:
    """Then no whisker is drawn, and each amount says that it has none."""
    for row in steps(single):
        assert row["low"] is row["high"] is None
        assert NO_INTERVAL in row["text"]
    (chart,) = levers.why(Results(single)).charts
    assert chart.table is not None
    assert all(NO_INTERVAL in row[1] for row in chart.table.rows)


def test_levers__sampled_orders_are_told(document: dict[str, Any]) -> None:
    """Where not all mixtures were run, the table has an error more, and a text why."""
    found = told({"speed": [1, 2], "honesty": [3, 5]}, is_exact=False)
    for share in found["loss"]["shares"]:
        share["sampling_error"] = 0.5
    section = levers.why(Results(document | {"attribution": found}))
    assert levers.SAMPLED in section.texts
    (chart,) = section.charts
    assert chart.table is not None
    assert chart.table.columns[-1] == "sampling error"
    assert [row[-1] for row in chart.table.rows] == ["$0.50", "$0.50", "–"]


def test_levers__people_are_a_step_and_explained(document: dict[str, Any]) -> None:
    """Where agents are people their part is in the waterfall, and a text says what."""
    found = told({"speed": [1, 2], "people": [3, 5]})
    there = document | {"attribution": found}
    assert PEOPLE_TEXT in levers.why(Results(there)).texts
    assert [row["label"] for row in steps(there)] == ["people", "speed", "together"]
    bare = document | {"attribution": told({"speed": [1, 2]})}
    assert PEOPLE_TEXT not in levers.why(Results(bare)).texts


def test_levers__fewer_replications_are_told(document: dict[str, Any]) -> None:
    """Stopped on the way, the loss is that of fewer replications, and says so."""
    found = told({"speed": [1, 2]})
    section = levers.why(Results(document | {"attribution": found}))
    assert any("Only 2 of the 4 replications" in text for text in section.texts)


def test_levers__no_difference_is_a_sentence(document: dict[str, Any]) -> None:
    """Policies that do not differ have no chart."""
    found = told({}, sentence="There is nothing to explain.")
    section = levers.why(Results(document | {"attribution": found}))
    assert (section.texts, section.charts) == (("There is nothing to explain.",), ())


def test_levers__absent_names_the_command(document: dict[str, Any]) -> None:
    """Without them, and in documents of before, the page says what adds them."""
    bare = {key: value for key, value in document.items() if key != "attribution"}
    for before in (bare, document | {"attribution": None}):
        page = Page(page_of(before))
        codes = [e.text for e in page.all("code")]
        assert f"{COMMAND} --report report.html" in codes
        assert NAME not in [e.attributes.get("data-chart") for e in page.elements]
    section = levers.why(Results(bare | {"command": ""}))
    assert "Comparison.explained()" in section.texts[0]
    assert section.command == ""
