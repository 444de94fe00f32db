"""The section on the week: every hour in its class, and who is there."""

from typing import Any

import pytest

from churnsim.report.page.blocks import Chart
from churnsim.report.page.rendering import charts_of, page_of
from churnsim.report.page.theme import PAGE, PAPER, STRONG, diluted
from churnsim.report.page.week import hour_by_hour
from tests.report.conftest import Page

pytestmark = pytest.mark.compiled

SECOND = 1.0 / 86_400.0


@pytest.fixture
def charts(week: dict[str, Any]) -> dict[str, Chart]:
    """Return the section's charts by name."""
    return {c.name: c for c in charts_of(week) if c.name.startswith("week_")}


def rows(chart: Chart) -> list[dict[str, Any]]:
    """Return what a chart draws."""
    found: list[dict[str, Any]] = chart.build(PAPER)["datasets"]["rows"]
    return found


def test_week__has_two_charts_of_each_policy_with_hours(
    week: dict[str, Any], charts: dict[str, Chart]
) -> None:
    """A heat map and bars; the policy that never closes has neither."""
    assert list(charts) == [
        f"week_{what}_{i}" for what in ("waits", "staffing") for i in (1, 2)
    ]
    assert set(week["hours"]["policies"]) == {"empowered", "flawless"}
    assert charts["week_waits_1"].title == "Mean wait, empowered"
    page = Page(page_of(week))
    assert any(e.text == "The week, hour by hour" for e in page.all("h2"))


def test_week__is_left_out_where_no_desk_closes(
    page: Page, document: dict[str, Any]
) -> None:
    """Neither heading nor chart, nor a link to it."""
    assert all("hour by hour" not in e.text for e in page.all("h2", "a"))
    assert not [c for c in charts_of(document) if c.name.startswith("week_")]


def test_week__each_hour_is_in_the_class_of_its_wait(
    week: dict[str, Any], charts: dict[str, Chart]
) -> None:
    """Classes rise with the wait, their colours with them; no data has no class."""
    chart = charts["week_waits_1"]
    front = week["hours"]["policies"]["empowered"]["front"]
    waits = front["figures"]["mean_wait"]["mean"]
    cells = rows(chart)
    assert len(cells) == len(waits) == 168
    places = [item.key for item in chart.legend]
    known = sorted(
        (wait, places.index(cell["key"]))
        for cell, wait in zip(cells, waits, strict=True)
        if wait is not None
    )
    assert [place for _, place in known] == sorted(place for _, place in known)
    others = rows(charts["week_waits_2"])
    drawn = {cell["key"] for cell in (*cells, *others)} - {None}
    assert drawn <= set(places)
    assert places[-1] in drawn  # one scale for all policies, no longer than it must be
    assert known[-1][1] > 1
    assert [c["key"] is None for c in cells] == [wait is None for wait in waits]
    assert [c["is_open"] for c in cells] == [n > 0.0 for n in front["staffed"]]
    shares = [item.share for item in chart.legend]
    assert shares == sorted(set(shares))
    assert shares[-1] == 1.0
    days = [(c["day"], c["from"]) for c in cells]
    assert days[0] == ("Mon", 0)
    assert days[58] == ("Wed", 10)
    assert "Longest mean waits under empowered: " in chart.alt


def test_week__bars_are_the_json_s(
    week: dict[str, Any], charts: dict[str, Chart]
) -> None:
    """Staffed, busy and needed of each hour, with the interval of the last two."""
    front = week["hours"]["policies"]["empowered"]["front"]
    drawn = rows(charts["week_staffing_1"])
    by_key = {
        key: {row["x"]: row for row in drawn if row["key"] == key}
        for key in ("agents_staffed", "agents_busy", "agents_needed")
    }
    assert [len(found) for found in by_key.values()] == [168] * 3
    for hour in range(168):
        assert by_key["agents_staffed"][hour]["value"] == front["staffed"][hour]
        for name in ("busy", "needed"):
            row = by_key[f"agents_{name}"][hour]
            told = [
                front["figures"][name][end][hour] for end in ("mean", "low", "high")
            ]
            assert [row["value"], row["low"], row["high"]] == told
    assert by_key["agents_staffed"][113]["shown"] == "1"
    assert "hours that are staffed" in charts["week_staffing_1"].alt


def test_week__says_where_fewer_are_staffed_than_needed(
    week: dict[str, Any], charts: dict[str, Chart]
) -> None:
    """The words for those who cannot see the chart count those hours."""
    front = week["hours"]["policies"]["empowered"]["front"]
    needed = front["figures"]["needed"]["mean"]
    pairs = [(s, n) for s, n in zip(front["staffed"], needed, strict=True) if s > 0.0]
    n_short = sum(n > s for s, n in pairs)
    told = f"in {n_short} of the {len(pairs)} hours"
    assert told in charts["week_staffing_1"].alt


def test_week__of_nobody_is_whole(week: dict[str, Any]) -> None:
    """Hours of which there is no data are drawn, and said, as that."""
    from churnsim.report.page.figures import Results

    empty = [None] * 168
    nothing = {"mean": empty, "low": empty, "high": empty}
    front = week["hours"]["policies"]["empowered"]["front"]
    front = {**front, "figures": dict.fromkeys(front["figures"], nothing)}
    hours = {"policies": {"empowered": {"front": front, "back": front}}}
    section = hour_by_hour(Results({**week, "hours": hours}))
    assert section is not None
    waits, staffing = section.charts
    assert "Nobody came at any hour." in waits.alt
    assert all(row["key"] is None for row in rows(waits))
    assert {row["key"] for row in rows(staffing)} == {"agents_staffed"}


def test_diluted__is_a_mixture_with_what_is_behind() -> None:
    """Of a file to the byte; of a page by its style sheet, night or day."""
    assert diluted(PAPER, STRONG, 1.0) == PAPER.series[STRONG]
    assert diluted(PAPER, STRONG, 0.0) == PAPER.surface
    assert diluted(PAPER, STRONG, 0.5) == "#a596c1"
    mixed = diluted(PAGE, STRONG, 0.25)
    assert mixed == f"color-mix(in srgb, var(--s{STRONG}) 25%, var(--surface))"
