"""What comes out of the ready scenarios: load, churn, and the order of policies."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from churnsim.engines.outcome import Outcome
from churnsim.scenario import list_scenarios, load_scenario
from churnsim.simulation import make_population, simulate
from churnsim.units import year_days

pytestmark = pytest.mark.compiled

NAMED = ("telecom", "hotel", "ecommerce", "saas", "bank")
STEADY = (*NAMED, "sold_out_hotel")  # nobody who works there ever quits
# Churn a year and the part of it that mistakes drive, under `slow`: the firm of today.
CHURN = {"telecom": 0.099, "bank": 0.096, "saas": 0.09}
MISTAKE_SHARE = {
    "telecom": 0.33,
    "bank": 0.25,
    "saas": 0.33,
    "hotel": 0.12,
    "ecommerce": 0.06,
}
LESS_AND_LESS = ("empowered", "slow", "dishonest", "slow_and_dishonest")


@cache
def outcomes(name: str, *overrides: str) -> dict[str, Outcome]:
    """Return the outcome of each policy of a ready scenario, in one replication."""
    scenario = load_scenario(name, overrides=overrides)
    people = make_population(scenario)
    return {
        policy: simulate(scenario, policy, population=people)
        for policy in scenario.policy_names
    }


def revenue(outcome: Outcome) -> int:
    """Return the revenue of a run [micro-units]."""
    return outcome.totals.revenue


def churn(outcome: Outcome) -> tuple[float, float]:
    """Return churn per customer-year, and the share of it that mistakes drove."""
    books = outcome.books
    until = np.minimum(books.departure, outcome.horizon)
    there = (until - outcome.population.arrival)[books.is_won == 1].sum()
    lost = outcome.lost
    n_lost = sum(lost.values())
    return n_lost * year_days() / there, 1.0 - lost["natural"] / n_lost


def unanswered(outcome: Outcome) -> float:
    """Return the share of ordinary contacts that nobody answered."""
    lost = outcome.tally("ordinary_gave_up") + outcome.tally("ordinary_abandoned")
    return lost / outcome.tally("ordinary_contacts")


@pytest.mark.parametrize("name", STEADY)
def test_scenario__keeps_its_front_desk_busy_and_its_callers_answered(
    name: str,
) -> None:
    """Agents are busy 80 to 85 % of the time; under 8 % of contacts go unanswered.

    One replication: two points of allowance for the luck of the draw.
    """
    first = outcomes(name)[load_scenario(name).baseline]
    assert first.front.utilisation is not None
    assert 0.78 <= first.front.utilisation <= 0.87
    assert unanswered(first) < 0.08


@pytest.mark.parametrize("name", list_scenarios())
def test_scenario__has_a_back_desk_without_an_absurd_line(name: str) -> None:
    """Supervisors are busy less than 90 % of their time under every policy."""
    for outcome in outcomes(name).values():
        assert (outcome.back.utilisation or 0.0) < 0.9


@pytest.mark.parametrize("name", STEADY)
def test_scenario__loses_few_customers_over_calls_that_nobody_answered(
    name: str,
) -> None:
    """With all who abandon a line counted, it is under 6 % of those lost."""
    for outcome in outcomes(name).values():
        assert outcome.lost["abandoned"] < 0.06 * sum(outcome.lost.values())


@pytest.mark.parametrize("name", sorted(CHURN))
def test_scenario__has_the_churn_that_firms_report(name: str) -> None:
    """Under `slow`, churn is what is reported, within 6 % of it (z = 3)."""
    found, _ = churn(outcomes(name)["slow"])
    assert found == pytest.approx(CHURN[name], rel=0.06)


@pytest.mark.parametrize("name", NAMED)
def test_scenario__blames_mistakes_for_a_plausible_share_of_churn(name: str) -> None:
    """Under `slow`, the share that mistakes drive is within 5 points of its aim."""
    _, share = churn(outcomes(name)["slow"])
    assert share == pytest.approx(MISTAKE_SHARE[name], abs=0.05)


@pytest.mark.parametrize("name", NAMED)
def test_policies__earn_less_with_each_virtue_lost(name: str) -> None:
    """Revenue: flawless > empowered > slow > dishonest > both, on the same people."""
    found = outcomes(name)
    order = [revenue(found[policy]) for policy in ("flawless", *LESS_AND_LESS)]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("name", NAMED)
def test_lies__win_when_never_found_out_and_lose_when_always(name: str) -> None:
    """Against the honest but slow, so a break-even probability lies between."""
    never, always = (
        simulate(load_scenario(name, overrides=[f"market.discovery={p}"]), "dishonest")
        for p in (0, 1)
    )
    honest = revenue(outcomes(name)["slow"])
    assert revenue(always) < honest < revenue(never)


def test_sold_out_hotel__warmth_does_not_make_up_for_authority() -> None:
    """Revenue falls from warm and able over curt but able to warm but powerless."""
    found = outcomes("sold_out_hotel")
    names = (
        "flawless",
        "warm_and_able",
        "curt_but_able",
        "warm_but_powerless",
        "curt_and_powerless",
    )
    order = [revenue(found[name]) for name in names]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("name", list_scenarios())
def test_firm_view__hears_of_fewer_problems_than_there_are(name: str) -> None:
    """Problems that the firm hears of ≤ those voiced < all; some leave in silence."""
    for policy, outcome in outcomes(name).items():
        view = outcome.firm_view()
        if policy != "flawless":
            assert 0 < view.complaints_received <= outcome.tally("voiced")
            assert view.complaints_received < view.mistakes_made
            assert view.lost_in_silence > 0


@pytest.mark.parametrize("name", NAMED)
def test_firm_view__takes_customers_for_happier_than_they_are(name: str) -> None:
    """Surveyed as the firm closes their case, customers say more good than all feel."""
    for policy, outcome in outcomes(name).items():
        view = outcome.firm_view()
        if policy != "flawless":
            assert view.satisfaction_surveyed is not None
            assert view.satisfaction_true is not None
            assert view.satisfaction_surveyed > view.satisfaction_true, policy


@pytest.mark.parametrize("name", ["by_the_book", "blame_game", "no_recovery"])
def test_preset__costs_revenue_where_it_is_tried(name: str) -> None:
    """The presets that no ready scenario lists earn less than empowered staff."""
    listed = f'policies=["empowered", "{name}"]'
    found = outcomes("telecom", listed)
    assert revenue(found[name]) < revenue(found["empowered"])


def test_no_recovery__answers_ordinary_contacts_and_settles_nothing() -> None:
    """Complaints are heard and go nowhere; other callers are served as ever."""
    outcome = outcomes("telecom", 'policies=["empowered", "no_recovery"]')
    bare = outcome["no_recovery"]
    assert bare.tally("settled") == 0
    assert bare.tally("contacts") > 0
    assert unanswered(bare) < 0.08
    assert bare.totals.make_good == 0


def figures_of_people(outcome: Outcome) -> dict[str, float]:
    """Return how the agents of a run fared, by name."""
    people = outcome.people()
    assert people is not None
    return people._asdict()


def test_spiral__empowered_staff_keep_the_desk_whole() -> None:
    """Wrath empties the desk of the slow and dishonest; the other stays staffed."""
    found = outcomes("spiral")
    calm = figures_of_people(found["empowered"])
    spun = figures_of_people(found["slow_and_dishonest"])
    assert calm["vacant"] < 0.15
    assert spun["vacant"] > 0.25
    assert spun["turnover"] > 2.0 * calm["turnover"]
    without = outcomes("spiral", "strain.wrath=0")
    assert figures_of_people(without["slow_and_dishonest"])["vacant"] < 0.15
    lost = revenue(found["empowered"]) - revenue(found["slow_and_dishonest"])
    usual = revenue(without["empowered"]) - revenue(without["slow_and_dishonest"])
    assert lost > 1.5 * usual
