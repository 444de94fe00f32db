"""`plot`: a chart of each record with one call, and what it says where it cannot."""

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from churnsim import compare, explain, load_scenario, plot
from churnsim.errors import InputError
from churnsim.experiment import Breakeven
from churnsim.experiment.inverse.crossing import Crossing
from churnsim.experiment.inverse.lever import Lever, key_of, lever_of, setting_of
from churnsim.report.drawn import _axis
from churnsim.report.page.rendering import charts_of
from churnsim.scenario import Scenario
from tests.experiment.conftest import SHOP
from tests.experiment.kinds import Kinds, Record, kinds

PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Return the small shop."""
    path = tmp_path_factory.mktemp("plots") / "shop.toml"
    path.write_text(SHOP, encoding="utf-8")
    return load_scenario(path)


@pytest.fixture(scope="module")
def several(shop: Scenario) -> Kinds:
    """Return records of three replications."""
    return kinds(shop, 3)


def rows(chart: Any) -> list[dict[str, Any]]:
    """Return what a chart draws."""
    found: list[dict[str, Any]] = chart.to_dict(validate=False)["datasets"]["rows"]
    return found


@pytest.mark.compiled
@pytest.mark.parametrize("kind", Kinds._fields)
def test_plot__draws_each_record(several: Kinds, kind: str, tmp_path: Path) -> None:
    """One call gives a valid chart, with rows, that can be saved as a picture."""
    record: Record = getattr(several, kind)
    chart = plot(record)
    spec = chart.to_dict()  # checked by Altair against Vega-Lite's schema
    assert len(rows(chart)) > 1
    sure = "replication 0, seed 7" if kind == "story" else "of 3 replications, rough"
    assert sure in spec["title"]["subtitle"]
    chart.save(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(PNG)


@pytest.mark.compiled
def test_plot__draws_the_charts_of_a_page(several: Kinds) -> None:
    """A comparison has the charts of its page, by name, the losses first."""
    comparison = several.comparison
    known = [chart.name for chart in charts_of(comparison.to_json_dict())]
    assert rows(plot(comparison)) == rows(plot(comparison, known[0]))
    assert known[0] == "revenue_lost_against_baseline"
    for name in known[::5]:
        title = plot(comparison, name).to_dict(validate=False)["title"]["text"]
        (found,) = (c for c in charts_of(comparison.to_json_dict()) if c.name == name)
        assert title == found.title


@pytest.mark.compiled
def test_plot__numbers_are_the_records(several: Kinds) -> None:
    """Bars, lines and intervals are those of the record, in the axis's unit."""
    levers = {row["policy"]: row for row in rows(plot(several.attribution))}
    for share in several.attribution.shares:
        assert [levers[share.lever][k] for k in ("value", "low", "high")] == list(
            share.total[:3]
        )
    assert levers["together"]["value"] == several.attribution.loss.total.mean
    kept = {row["policy"]: row for row in rows(plot(several.counterfactuals))}
    assert kept["all"]["value"] == several.counterfactuals.necessary.mean
    points = rows(plot(several.breakeven))
    assert [row["x"] for row in points] == [p.value for p in several.breakeven.points]
    assert [row["value"] for row in points] == [
        p.yearly.mean for p in several.breakeven.points
    ]
    moments = [m for life in several.story.lives for m in life.moments]
    drawn = [m.grievance for m in moments if m.event != "leaving"]
    assert [row["value"] for row in rows(plot(several.story))] == drawn


@pytest.mark.compiled
def test_plot__marks_the_breakeven(several: Kinds) -> None:
    """The breakeven is a line with its value, its interval a band around it."""
    crossing = Crossing(0.04, 0.02, None, starts=True, others=())
    found = dataclasses.replace(several.breakeven, crossing=crossing)
    layers = plot(found).to_dict()["layer"]
    marks = {layer["mark"]["type"]: layer for layer in layers if "data" in layer}
    assert marks["text"]["mark"]["text"] == "breakeven 4 %"
    assert marks["rect"]["encoding"]["x"]["datum"] == 0.02
    assert marks["rect"]["encoding"]["x2"]["datum"] == found.span.high


@pytest.mark.compiled
def test_plot__one_replication_is_said(shop: Scenario) -> None:
    """Under the title and beside each bar stands that there is no interval."""
    chart = plot(compare(shop, replications=1))
    assert chart.to_dict()["title"]["subtitle"] == "one replication, no interval"
    assert all("no interval" in row["text"] for row in rows(chart))


@pytest.mark.compiled
def test_plot__refuses_plainly(
    several: Kinds, shop: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chart that there is not, nothing to draw, no Altair: each with its cure."""
    with pytest.raises(InputError, match="did you mean 'survival'"):
        plot(several.comparison, "surviv")
    same = explain(shop, "slow", "slow", replications=1)
    with pytest.raises(InputError, match="nothing to explain"):
        plot(same)
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n == "altair" else there(n)
    )
    with pytest.raises(InputError, match=r"need altair.*pip install"):
        plot(several.story)


def lever(scenario: Scenario, field: str, low: str, high: str) -> tuple[Lever, float]:
    """Return a lever, and how far its range reaches."""
    key = key_of(field, "slow")
    ends = [
        setting_of(load_scenario(scenario, overrides={key: text}).spec, key)
        for text in (low, high)
    ]
    known = [end for end in ends if end is not None]
    found, _, reach = lever_of(field, key, known, "$")
    return found, reach


@pytest.mark.parametrize(
    ("field", "low", "high", "shown", "unit"),
    [
        ("market.discovery", "0", "0.5", 0.5, ""),
        ("authority.limit", "$0", "$50", 50.0, "$"),
        ("speed.approval.mean", "0 s", "10 days", 10.0, "days"),
        ("speed.approval.mean", "0 s", "90 min", 90.0, "min"),
        ("speed.agents", "1", "4", 4.0, ""),
        ("speed.agents", "1 per 1000", "4 per 1000", 4.0, "per 1000 customers"),
        ("population.prospects", "1/year", "6/year", 6.0, "a year"),
        (
            "population.prospects",
            "1/year per 1000",
            "6/year per 1000",
            6.0,
            "a year per 1000 customers",
        ),
        ("costs.agent_pay", "$1/hour", "$2/hour", 2.0 * 24 * 365.25, "$ a year"),
        ("market.lock_in", "0.5", "1.5", 1.5, ""),
    ],
)
def test_axis__is_in_the_units_of_people(
    shop: Scenario, field: str, low: str, high: str, shown: float, unit: str
) -> None:
    """Each kind of setting is drawn in a unit that one would say it in."""
    found, reach = lever(shop, field, low, high)
    axis = _axis(found, reach)
    assert axis.factor * reach == pytest.approx(shown)
    assert axis.unit == unit


@pytest.mark.compiled
def test_plot__hostile_names_stay_text(several: Kinds) -> None:
    """A policy called like markup stands in the chart as it is called."""
    evil = "<script>alert(1)</script>"
    found: Breakeven = dataclasses.replace(several.breakeven, policy=evil)
    assert evil in plot(found).to_dict()["title"]["text"]
