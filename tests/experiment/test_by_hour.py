"""The week of a comparison: each hour's contacts, staffing and waits, kept and read."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from churnsim import memory
from churnsim.engines.books import Weekly
from churnsim.engines.week import times_lived
from churnsim.experiment import (
    Comparison,
    Execution,
    compare,
    csv_text,
    estimate,
    extend_results,
    read_manifest,
    verify_results,
    write_results,
)
from churnsim.experiment.by_hour import figures_by_hour, hours_of, needed_agents
from churnsim.experiment.intervals import FROM_ZERO, SHARE
from churnsim.experiment.store.restoring import rows_of
from churnsim.experiment.store.tables import tables_of
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import simulate
from tests.oracles.queues import erlang_c

pytestmark = pytest.mark.compiled

# Many contacts, so that most hours of the week see some; one policy never closes.
WEEK = (
    'start="2026-01-07"',
    'policies=["empowered", "slow"]',
    "market.ordinary_contacts=100/year",
    'market.when_closed="return"',
    'market.profile=["Mon-Fri 06:00-20:00: 3", "Sat 10:00-14:00: 1"]',
    "policy.slow.speed.agents=1",
    "policy.slow.speed.supervisors=1",
    'policy_defaults.speed.agents=["Mon-Fri 09:00-17:30: 2", "Sat 10:00-13:00: 1"]',
    'policy_defaults.speed.supervisors=["Mon-Fri 09:00-12:00: 1"]',
)
HOUR = {"Wed 10": 58, "Thu 03": 75, "Fri 17": 113}


@pytest.fixture(scope="module")
def week(shop_file: Path) -> Comparison:
    """Return the shop with opening hours under all policies but `slow`."""
    how = Execution(threads=2)
    return compare(shop_file, overrides=WEEK, replications=3, execution=how)


def test_times_lived__add_up_to_the_horizon() -> None:
    """Of a week and a day from a Wednesday on, Wednesday is seen twice."""
    for into_week, horizon in ((0.0, 365.25), (2.0, 8.0), (6.0, 0.3), (3.0, 0.0)):
        lived = times_lived(into_week, horizon)
        assert sum(lived) == pytest.approx(24.0 * horizon, abs=1e-9)
    lived = times_lived(2.0, 8.0)
    assert lived == [2.0 if 48 <= hour < 72 else 1.0 for hour in range(168)]
    lived = times_lived(6.0, 1.0 + 1.5 / 24.0)  # over the end of the week
    assert np.flatnonzero(lived).tolist() == [0, 1, *range(144, 168)]
    assert lived[1] == pytest.approx(0.5)


def test_needed__is_the_square_root_rule() -> None:
    """By hand; with so many, Erlang C has a fifth to a quarter wait, at any size."""
    loads = (0.0, 0.01, 1.0, 4.0, 4.0 + 1e-12, 100.0)
    assert [needed_agents(load) for load in loads] == [0, 1, 2, 6, 6, 110]
    for load in (25.0, 100.0, 2500.0):
        assert 0.2 < erlang_c(load, int(needed_agents(load))) < 0.25
    limit = 1.0 / (1.0 + 0.8413447 / 0.2419707)  # of Halfin and Whitt: β Φ(β)/φ(β)
    assert erlang_c(10_000.0, 10_100) == pytest.approx(limit, abs=0.002)


def test_hours__are_means_over_the_runs(week: Comparison) -> None:
    """Each figure by hand, from the tallies of runs made anew."""
    scenario = week.scenario
    plan = scenario.plan("empowered", 150)
    lived = np.array(times_lived(plan.into_week, plan.horizon))
    runs = [simulate(scenario, "empowered", replication=n).books for n in range(3)]
    found = figures_by_hour(week, "empowered")
    for hour in HOUR.values():
        at = [run.weekly[hour] for run in runs]
        handle = [
            run.weekly[:, Weekly.WORK].sum() / run.weekly[:, Weekly.HANDLED].sum()
            for run in runs
        ]
        contacts = [n[Weekly.JOINED] / lived[hour] for n in at]
        assert found["contacts"][hour] == estimate(contacts, FROM_ZERO)
        load = [n * h / 3.6e9 for n, h in zip(contacts, handle, strict=True)]
        told = found["load"][hour]
        assert told.mean == pytest.approx(np.mean(load), rel=1e-12)
        assert told.mean is not None
        assert told.high is not None
        assert found["needed"][hour].mean == needed_agents(told.mean)
        assert found["needed"][hour].high == needed_agents(told.high)
        busy = [n[Weekly.WORK] / 3.6e9 / lived[hour] for n in at]
        assert found["busy"][hour].mean == pytest.approx(np.mean(busy), rel=1e-12)
        gave_up = [
            int(n[Weekly.ABANDONED]) / int(n[Weekly.JOINED]) if n[0] else None
            for n in at
        ]
        assert found["gave_up"][hour] == estimate(gave_up, SHARE)
        waits = [
            n[Weekly.WAIT] / 8.64e10 / (n[Weekly.HANDLED] + n[Weekly.ABANDONED])
            for n in at
            if n[0]
        ]
        mean = found["mean_wait"][hour].mean
        assert mean == (pytest.approx(np.mean(waits), rel=1e-12) if waits else None)


def test_hours__tell_the_schedule_and_who_came(week: Comparison) -> None:
    """Staffing is the roster's, half an hour half; nobody joins a closed desk."""
    told = hours_of(week)
    assert told is not None
    assert set(told["policies"]) == {"empowered", "flawless"}
    desks = told["policies"]["empowered"]
    front, back = desks["front"]["staffed"], desks["back"]["staffed"]
    places = [HOUR["Wed 10"], HOUR["Thu 03"], HOUR["Fri 17"]]
    assert [front[i] for i in places] == [2.0, 0.0, 1.0]
    assert [back[i] for i in places] == [1.0, 0.0, 0.0]
    assert desks["back"]["figures"] == {}
    figures = desks["front"]["figures"]
    assert figures["contacts"]["mean"][HOUR["Thu 03"]] == 0.0
    assert figures["mean_wait"]["mean"][HOUR["Thu 03"]] is None
    assert (figures["contacts"]["mean"][HOUR["Wed 10"]] or 0.0) > 0.0
    away = figures["turned_away"]["mean"]
    assert sum(away[54:57]) > 0.0 == sum(away[57:65])  # type: ignore[arg-type]


def test_hours__add_up_to_the_contacts_of_the_year(week: Comparison) -> None:
    """Contacts of each hour times how often it was lived through are all who joined."""
    plan = week.scenario.plan("empowered", 150)
    lived = times_lived(plan.into_week, plan.horizon)
    found = figures_by_hour(week, "empowered")["contacts"]
    total = sum((v.mean or 0.0) * t for v, t in zip(found, lived, strict=True))
    rows = week.replications.of("empowered")
    joined = np.mean([row.tally["front_joined"] for row in rows])
    assert total == pytest.approx(joined, rel=1e-12)


def test_hours__are_not_there_without_opening_hours(comparison: Comparison) -> None:
    """No key, no table, no byte."""
    assert hours_of(comparison) is None
    assert "hours" not in comparison.to_json_dict()
    assert not {"hours", "weekly"} & tables_of(comparison).keys()
    assert all(run.weekly.shape == (0, len(Weekly)) for run in comparison.runs)


def test_tables__have_a_row_for_each_hour(week: Comparison) -> None:
    """Two desks of two policies; the runs' tallies are those of their books."""
    tables = tables_of(week)
    hours = tables["hours"].to_pylist()
    assert len(hours) == 2 * 2 * 168
    row = hours[HOUR["Wed 10"]]
    assert (row["policy"], row["desk"]) == ("empowered", "front")
    assert (row["day"], row["time"], row["staffed"]) == ("Wed", "10:00", 2.0)
    contacts = figures_by_hour(week, "empowered")["contacts"][HOUR["Wed 10"]]
    assert [row[f"contacts{end}"] for end in ("", "_low", "_high")] == [*contacts[:3]]
    assert hours[168]["desk"] == "back"
    assert hours[168]["needed"] is None
    weekly = tables["weekly"]
    assert len(weekly) == 2 * 3 * 168
    books = simulate(week.scenario, "empowered").books
    kept = weekly.slice(0, 168).drop_columns(["policy", "replication", "hour"])
    assert np.array_equal(kept.to_pandas().to_numpy(), books.weekly)
    lines = csv.DictReader(io.StringIO(csv_text(tables["hours"])))
    assert next(lines)["day"] == "Mon"


def test_results__with_hours_are_read_extended_and_verified(
    week: Comparison, shop_file: Path, tmp_path: Path
) -> None:
    """What was kept comes back to the last bit, and goes on as the longer run."""
    folder = write_results(week, tmp_path / "out")
    rows = rows_of(read_manifest(folder))
    assert all(a.is_same(b) for a, b in zip(rows, week.runs, strict=True))
    other = rows[0]._replace(weekly=rows[0].weekly + 1)
    assert not other.is_same(rows[0])
    assert verify_results(folder).is_same
    few = compare(shop_file, overrides=WEEK, replications=2)
    less = write_results(few, tmp_path / "less")
    extend_results(less, 3)
    for name in ("hours", "weekly"):
        for ending in ("csv", "parquet"):
            path = f"{name}.{ending}"
            assert (less / path).read_bytes() == (folder / path).read_bytes()


def test_memory__counts_the_hours_of_each_run(shop: Scenario, shop_file: Path) -> None:
    """168 hours of six numbers of eight bytes for every run."""
    with_hours = load_scenario(shop_file, overrides=WEEK)
    few = memory.need_of(with_hours, "kernel", 1, 1)
    plain = memory.need_of(shop, "kernel", 1, 1)
    assert few.kept - plain.kept == 168 * len(Weekly) * 8
