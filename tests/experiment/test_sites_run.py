"""Firms of many sites compared: on threads, in processes, kept, explained, refused."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from churnsim import memory
from churnsim.errors import InputError, InterruptedRun, PartialError
from churnsim.experiment import (
    Asked,
    Comparison,
    Execution,
    Method,
    breakeven,
    compare,
    counterfactuals,
    explain,
    extend_results,
    staff,
    story,
    verify_results,
    workers,
    write_results,
)
from churnsim.experiment.by_hour import figures_by_hour, needed_agents, staffed_by_hour
from churnsim.experiment.faultless import expected_revenue
from churnsim.experiment.inverse import Search
from churnsim.experiment.overload import load_of
from churnsim.experiment.preparing import won_later
from churnsim.experiment.store.manifest import read_manifest
from churnsim.experiment.store.restoring import rows_of
from churnsim.firm import simulate_firm
from churnsim.mechanisms.hours import front_hours
from churnsim.report.framing import Commands
from churnsim.report.results import results_text
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import SiteTask, simulate_site
from tests.experiment.chains import N_CUSTOMERS, N_SITES, TALKED_OF

pytestmark = pytest.mark.compiled

NAMES = ("empowered", "slow")
TWO = Execution(threads=2)


@pytest.fixture(scope="module")
def chain() -> Scenario:
    """Return a firm of a few small sites."""
    policies = {"policies": '["empowered", "slow"]'}
    return load_scenario("telecom", overrides=TALKED_OF | policies)


@pytest.fixture(scope="module")
def comparison(chain: Scenario) -> Comparison:
    """Return its policies compared, its sites spread over two threads."""
    return compare(chain, replications=3, execution=TWO)


def test_rows__are_those_of_the_firm(chain: Scenario, comparison: Comparison) -> None:
    """Each row is what a firm run by itself comes to, and adds up from its sites."""
    for row in comparison.runs:
        firm = simulate_firm(chain, row.policy, replication=row.replication)
        assert (row.digest, row.population) == (firm.digest, firm.population)
        assert row.totals == firm.sums.totals
        assert row.n_customers == N_SITES * N_CUSTOMERS
        assert row.news is not None
        assert row.news == (firm.passes, firm.n_runs)
    assert max(row.news.passes for row in comparison.runs if row.news) > 2


@pytest.mark.parametrize(
    "how",
    [
        Execution(threads=1),
        Execution(threads=7),
        pytest.param(Execution(processes=2), marks=pytest.mark.slow),
    ],
)
def test_rows__are_the_same_however_sites_are_spread(
    chain: Scenario, comparison: Comparison, how: Execution
) -> None:
    """Neither threads nor processes change a bit."""
    again = compare(chain, replications=3, execution=how)
    assert all(a.is_same(b) for a, b in zip(again.runs, comparison.runs, strict=True))


def test_text__tells_of_all_sites(comparison: Comparison) -> None:
    """Customers are those of the firm, and passes are told."""
    text = results_text(comparison, Commands("again", "show"), 100)
    assert "300 customers at 5 sites" in text
    assert comparison.sites is not None
    assert f"up to {comparison.sites.passes} passes" in text
    document = comparison.to_json_dict()
    assert document["customers"] == 300
    assert document["sites"]["count"] == N_SITES
    assert 1.0 < document["sites"]["runs_per_site"] < document["sites"]["passes"]


def test_text__of_a_firm_that_nobody_hears_of(chain: Scenario) -> None:
    """Without influence no news goes round, and that is told."""
    quiet = {"market.word_of_mouth.influence": "0"}
    found = compare(chain, overrides=quiet, replications=1, execution=TWO)
    assert found.sites == (N_SITES, 1, 1.0)
    text = results_text(found, Commands("again", "show"), 100)
    assert "Nothing told at one site reached another" in text


def test_losses__are_for_each_thousand_customers_of_the_firm(
    comparison: Comparison,
) -> None:
    """A loss a year is divided by the customers of all sites."""
    loss = comparison.loss("slow")
    assert loss.total.mean is not None
    assert loss.yearly.mean == pytest.approx(
        loss.total.mean / (N_SITES * N_CUSTOMERS / 1000.0)
    )


def test_store__keeps_extends_and_verifies(
    comparison: Comparison, chain: Scenario, tmp_path: Path
) -> None:
    """Kept rows are read back as they were; extended ones as if run at once."""
    folder = write_results(comparison, tmp_path / "kept")
    rows = rows_of(read_manifest(folder))
    assert all(a.is_same(b) for a, b in zip(rows, comparison.runs, strict=True))
    assert verify_results(folder, threads=2).is_same
    extend_results(folder, 4, execution=TWO)
    assert verify_results(folder, threads=2).is_same
    whole = compare(chain, replications=4, execution=TWO)
    rows = rows_of(read_manifest(folder))
    assert all(a.is_same(b) for a, b in zip(rows, whole.runs, strict=True))


def test_explain__adds_up_over_sites(comparison: Comparison) -> None:
    """Levers' parts add up to the headline's loss, segments to everybody's."""
    found = comparison.explained(TWO).attribution
    assert found is not None
    headline = comparison.headline()
    assert headline is not None
    assert found.loss.total.mean == headline.total.mean
    assert sum(share.micro for share in found.loss.shares) == found.loss.micro
    origins = [s for s in found.segments if s.by == "origin"]
    assert sum(s.micro for s in origins) == found.loss.micro
    assert found.loss.people == pytest.approx(N_SITES * 360)


def test_breakeven__is_of_the_firm(chain: Scenario) -> None:
    """The gap at a value is that of a comparison with the value set."""
    search = Search(replications=3, low="0.5", high="3", n_grid=2, execution=TWO)
    found = breakeven(chain, "market.lock_in", "slow", search=search)
    point = found.points[0]
    changed = load_scenario(chain, overrides={"market.lock_in": point.setting})
    loss = compare(changed, replications=3, execution=TWO).loss("slow")
    assert point.total.mean == loss.total.mean
    assert found.n_customers == N_SITES * N_CUSTOMERS


@pytest.mark.parametrize(
    "ask",
    [
        lambda chain: counterfactuals(chain, asked=Asked(execution=TWO)),
        lambda chain: story(chain, 0),
        lambda chain: staff(chain, "80 % in 20 s"),
        lambda chain: explain(chain, method=Method(customers=0)),
    ],
)
def test_customers__are_not_told_of_several_sites(
    chain: Scenario, ask: Callable[[Scenario], object]
) -> None:
    """What concerns single customers or desks is refused in one line."""
    with pytest.raises(InputError, match=rf"sites: must be 1: .*; got {N_SITES}"):
        ask(chain)


def test_failure__of_one_site_is_one_of_the_replication(
    chain: Scenario, comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A site that fails costs its own replication and no other."""

    def fragile(task: SiteTask, people: Any) -> Any:
        if (task.replication, task.site, task.policy) == (1, 2, chain.policy("slow")):
            raise MemoryError("no room")
        return simulate_site(task, people)

    monkeypatch.setattr(workers, "simulate_site", fragile)
    found = compare(chain, replications=3, execution=TWO)
    assert found.replications.finished == (0, 2)
    error = found.error()
    assert isinstance(error, PartialError)
    assert "replication 1 under policy slow failed: MemoryError: no room" in str(error)
    expected = [row for row in comparison.runs if row.replication != 1]
    assert all(a.is_same(b) for a, b in zip(found.runs, expected, strict=True))


def test_stop__keeps_replications_that_are_whole(chain: Scenario) -> None:
    """Stopped between sites, only replications with all sites are kept."""
    stop = threading.Event()

    def progress(done: int, _: int) -> None:
        if done == 2:
            stop.set()

    how = Execution(threads=2, progress=progress, stop=stop)
    found = compare(chain, replications=50, execution=how)
    assert found.is_stopped
    assert found.replications.finished == (0, 1)
    stop.set()
    with pytest.raises(InterruptedRun):
        compare(chain, replications=50, execution=Execution(threads=2, stop=stop))


def test_need__is_of_one_site_for_each_worker(chain: Scenario) -> None:
    """People are those of a site; rows of all sites are kept meanwhile."""
    one = load_scenario(chain, overrides={"sites": "1"})
    alone = memory.need_of(one, "kernel", 10, 2, n_policies=3)
    many = memory.need_of(chain, "kernel", 10, 2, n_policies=3)
    assert (many.n_people, many.per_worker) == (alone.n_people, alone.per_worker)
    assert many.kept > alone.kept
    crowd = load_scenario(chain, overrides={"sites": "100000"})
    assert memory.need_of(crowd, "kernel", 10, 2, n_policies=3).kept > 10**9


def test_expectations__are_those_of_all_sites(chain: Scenario) -> None:
    """Revenue without mistakes, and prospects won, are as many times as much."""
    one = load_scenario(chain, overrides={"sites": "1"})
    alone = expected_revenue(one)
    assert alone is not None
    assert expected_revenue(chain) == pytest.approx(N_SITES * alone)
    assert won_later(chain, N_SITES * N_CUSTOMERS) == pytest.approx(
        N_SITES * won_later(one, N_CUSTOMERS)
    )


def test_load__is_held_against_the_desks_of_all_sites(comparison: Comparison) -> None:
    """As many desks with as many times the work are as busy as one of them."""
    rows = comparison.replications.of("slow")
    plan = comparison.scenario.plan("slow")
    hours, horizon = front_hours(plan), comparison.scenario.horizon
    load = load_of(["front"], hours, horizon, rows, N_SITES)
    wrong = load_of(["front"], hours, horizon, rows)
    assert load is not None
    assert wrong is not None
    assert load.staffed == pytest.approx(N_SITES * wrong.staffed)
    utilisation = np.mean([row.figures["front_utilisation"] for row in rows])
    assert load.times == pytest.approx(float(utilisation), rel=0.05)


def test_hours__are_staffed_at_all_sites(chain: Scenario) -> None:
    """The week tells the agents of all sites; each site needs its own."""
    shifts = {"policy.slow.speed.agents": '["Mon-Fri 09:00-17:00: 2"]'}
    found = compare(
        load_scenario(chain, overrides=shifts), replications=2, execution=TWO
    )
    staffed = staffed_by_hour(found, "slow", "front")
    assert max(staffed) == 2.0 * N_SITES
    told = figures_by_hour(found, "slow")
    for load, needed in zip(told["load"], told["needed"], strict=True):
        assert load.mean is not None
        assert needed.mean == N_SITES * needed_agents(load.mean / N_SITES)
