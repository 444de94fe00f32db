"""Series of a comparison: months, survival and waits, against the runs' own books."""

import json
from pathlib import Path

import numpy as np
import pytest

from churnsim import simulate
from churnsim.engines.sums import bin_edge
from churnsim.experiment import Comparison, compare, estimate
from churnsim.experiment.summary import summarise
from churnsim.scenario import Scenario, load_scenario
from churnsim.simulation import with_events

pytestmark = pytest.mark.compiled


def test_months__are_means_of_the_runs(comparison: Comparison) -> None:
    """Each month's estimate is that of the replications' own figures."""
    months = comparison.to_json_dict()["months"]
    rows = comparison.replications.of("slow")
    assert months["ends"][-1] == pytest.approx(365.25)
    assert len(months["ends"]) == 12
    for place in (0, 11):
        revenue = estimate([row.monthly[place, 2] / 1e6 for row in rows])
        told = months["policies"]["slow"]["revenue"]
        assert (told["mean"][place], told["low"][place]) == revenue[:2]
        active = months["policies"]["slow"]["active"]["mean"][place]
        assert active == np.mean([row.monthly[place, 0] for row in rows])


def test_months__revenue_adds_up_to_the_figure(comparison: Comparison) -> None:
    """The months' means add up to the mean of the whole."""
    document = comparison.to_json_dict()
    for name, series in document["months"]["policies"].items():
        whole = document["policies"][name]["figures"]["revenue"]["mean"]
        assert sum(series["revenue"]["mean"]) == pytest.approx(whole, rel=1e-12)


def test_survivors__are_the_starting_customers_who_stay(shop: Scenario) -> None:
    """Counted from the departures one by one; prospects do not count."""
    outcome = simulate(shop, "slow", seed=3)
    row = summarise(outcome, "slow", "")
    left = outcome.books.departure[: outcome.n_customers]
    month = outcome.plan.month
    expected = [sum(t > month * (i + 1) for t in left) for i in range(12)]
    assert row.survivors.tolist() == expected
    assert expected[-1] == np.isinf(left).sum() < outcome.n_customers


def test_waits__are_shares_of_all_who_waited(comparison: Comparison) -> None:
    """The share that waited longer than a time, from the histogram itself."""
    waits = comparison.to_json_dict()["waits"]["front"]
    rows = comparison.replications.of("slow")
    told = waits["policies"]["slow"]["mean"]
    for place, time in enumerate(waits["longer_than"]):
        assert time == bin_edge(2 * place)
        shares = [
            r.front_waits[2 * place + 1 :].sum() / r.front_waits.sum() for r in rows
        ]
        assert told[place] == pytest.approx(np.mean(shares), abs=1e-12)
    assert all(policy["mean"][-1] == 0.0 for policy in waits["policies"].values())


def test_waits__of_nobody_have_no_data(shop: Scenario) -> None:
    """The back desk of a shop whose agents settle everything saw nobody."""
    document = compare(shop, policies=["empowered"], replications=2).to_json_dict()
    back = document["waits"]["back"]
    assert back["longer_than"] == []
    assert back["policies"]["empowered"]["mean"] == []
    json.dumps(document, allow_nan=False)


def test_figures__tell_the_firms_view(shop: Scenario) -> None:
    """What the dashboard shows is kept of each run, as the outcome tells it."""
    outcome = simulate(shop, "dishonest", seed=3)
    view = outcome.firm_view()
    figures = summarise(outcome, "dishonest", "").figures
    assert figures["voiced"] == view.complaints_received
    for name in (
        "mistakes_made",
        "resolution_recorded",
        "satisfaction_surveyed",
        "lost_after_complaint",
        "lost_in_silence",
    ):
        assert figures[name] == getattr(view, name)
    lost = figures["lost_over_mistakes"]
    assert lost == view.lost_after_complaint + view.lost_in_silence
    assert figures["share_settled"] == view.resolution_true
    assert figures["satisfaction"] == pytest.approx(view.satisfaction_true, rel=1e-12)


@pytest.mark.parametrize("when_closed", ["wait", "give_up", "return"])
def test_service_level__counts_all_who_come_to_the_door(
    when_closed: str, shop_file: Path
) -> None:
    """Counted from the event log: each coming, and each handling within 20 seconds.

    The dashboard knows only who joined the line, so it shows no less.
    """
    scenario = load_scenario(
        shop_file,
        overrides=[
            'policy.slow.speed.agents=["Mon-Fri 09:00-17:00: 1"]',
            'policy.slow.reach.hoops=[{time="1 min", give_up=0.2}]',
            'policy.slow.speed.handle="3 h"',
            "policy.slow.reach.notice=0.1",
            f'market.when_closed="{when_closed}"',
        ],
    )
    outcome = with_events(simulate(scenario, "slow", seed=3))
    joined: dict[int, float] = {}
    came = within = 0
    for event in outcome.events().to_pylist():
        what, customer = event["event"], event["customer"]
        is_back_later = when_closed == "return" and what == "turned_away"
        came += what in {"turned_up", "ordinary", "noticed"} or is_back_later
        if what == "joined_front":
            joined[customer] = event["time"]
        elif what == "handled":
            within += event["time"] - joined[customer] <= 20.0 / 86_400.0
    figures = summarise(outcome, "slow", "").figures
    assert figures["service_level_of_all"] == within / came
    n_joined = outcome.tally("front_joined")
    assert figures["front_service_level"] == within / n_joined
    assert 0 < within < n_joined < came
