"""Figures of runs: counted from books and log, against a count by hand."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from churnsim.calibration.figures import FIGURES, Seen, value_of
from churnsim.engines.books import Account
from churnsim.engines.outcome import Outcome
from churnsim.records import Cause
from churnsim.scenario import load_scenario
from churnsim.simulation import simulate, with_events
from churnsim.streams import ORDINARY
from churnsim.units import year_days
from tests.experiment.conftest import SHOP as PURCHASES

pytestmark = pytest.mark.compiled


@pytest.fixture(params=["subscription", "purchase"])
def outcome(request: pytest.FixtureRequest, shop_file: Path, tmp_path: Path) -> Outcome:
    """Return a run of a small firm, with its log."""
    path = shop_file
    if request.param == "purchase":
        path = tmp_path / "purchases.toml"
        path.write_text(PURCHASES, encoding="utf-8")
    scenario = load_scenario(path, overrides={"population.customers": "400"})
    return with_events(simulate(scenario, "slow", seed=3))


def figure(outcome: Outcome, name: str) -> float:
    """Return a figure of one run."""
    return float(value_of(np.array(FIGURES[name].of(Seen(outcome)))))


def test_figures__of_the_log_are_those_counted_by_hand(outcome: Outcome) -> None:
    """Event by event, with a dictionary for each customer."""
    horizon = outcome.plan.horizon
    table = outcome.customers().to_pylist()
    years = sum(
        min(horizon, horizon if row["departure"] is None else row["departure"])
        - row["arrival"]
        for row in table
        if row["is_won"]
    )
    lost = {row["customer"] for row in table if row["cause"] != "none"}
    cases: dict[tuple[int, int], int] = defaultdict(int)
    for event in outcome.events().to_pylist():
        if event["event"] == "contact_ended" and event["episode"] < ORDINARY:
            cases[event["customer"], event["episode"]] += 1
    complained = {customer for customer, _ in cases}
    years /= year_days()
    assert cases
    assert lost
    assert figure(outcome, "churn") == pytest.approx(len(lost) / years)
    assert figure(outcome, "complaint_rate") == pytest.approx(len(cases) / years)
    assert figure(outcome, "churn_after_complaint") == pytest.approx(
        len(lost & complained) / len(lost)
    )
    assert figure(outcome, "repeat_contacts") == pytest.approx(
        sum(cases.values()) / len(cases)
    )
    assert figure(outcome, "first_contact_resolution") == pytest.approx(
        outcome.sums.tally("settled_at_first") / len(cases)
    )


def test_figures__of_the_line_are_those_of_the_desk(outcome: Outcome) -> None:
    """Wait and abandonment are what results tell of the front desk."""
    front = outcome.front
    assert figure(outcome, "wait") == pytest.approx(front.mean_wait)
    assert figure(outcome, "abandonment") == front.abandoned / front.joined


def next_occasion(outcome: Outcome, customer: int, at: float) -> float:
    """Return the next renewal after a moment; the moment itself where there is none."""
    again = float(outcome.population.renewal[customer])
    if not np.isfinite(again):
        return at
    while again <= at:
        again += outcome.plan.market.period
    return again


def mistakes_of(events: list[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    """Yield how each mistake of one customer closed, and when."""
    began, settled = None, None
    for event in events:
        what, at = event["event"], event["time"]
        if what in {"mistake", "unanswered"}:
            began, settled = at if what == "mistake" else None, None
        elif what == "settled":
            settled = at
        elif what == "closed" and began is not None:
            name = "silent" if event["episode"] == Cause.SILENT else "unresolved"
            if settled is not None:
                name = "quick" if settled - began <= 1.0 else "resolved"
            yield name, at


def test_figures__repurchase_follows_each_mistake(outcome: Outcome) -> None:
    """Mistakes by how they closed, and who was still there after the next occasion."""
    counts = {name: [0, 0] for name in ("silent", "unresolved", "resolved", "quick")}
    by_customer = defaultdict(list)
    for event in outcome.events().to_pylist():
        by_customer[event["customer"]].append(event)
    for customer, events in by_customer.items():
        for name, at in mistakes_of(events):
            again = next_occasion(outcome, customer, at)
            if again < outcome.plan.horizon:
                counts[name][1] += 1
                stays = bool(outcome.books.departure[customer] > again)
                counts[name][0] += stays
    assert counts["silent"][1] > 20
    for name, (stayed, n) in counts.items():
        a, b, *_ = FIGURES[f"repurchase.{name}"].of(Seen(outcome))
        assert (a, b) == (stayed, n)


def test_figures__spend_before_and_after_add_up(outcome: Outcome) -> None:
    """Both parts are the accounts of those who had a problem, over their time."""
    seen = Seen(outcome)
    after, left, time, before = FIGURES["spend_ratio"].of(seen)
    who, at = seen.first_problems()
    accounts = outcome.books.accounts[who, Account.REVENUE]
    assert after + before == pytest.approx(float(accounts.sum()))
    assert left + time == pytest.approx(float(seen.stays[who].sum()))
    assert (at >= outcome.population.arrival[who]).all()


def test_figures__spend_is_even_where_nothing_cuts_it(shop_file: Path) -> None:
    """Subscribers whose spend no grievance moves pay after a problem as before."""
    even = {"market.spend_sensitivity": "0", "population.customers": "400"}
    cut = {"market.spend_sensitivity": "0.2", "population.customers": "400"}
    ratios = []
    for settings in (even, cut):
        scenario = load_scenario(shop_file, overrides=settings)
        outcome = with_events(simulate(scenario, "slow", seed=3))
        ratios.append(figure(outcome, "spend_ratio"))
    assert ratios[0] == pytest.approx(1.0, abs=1e-6)
    assert ratios[1] < 0.95
