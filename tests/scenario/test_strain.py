"""Agents as people: what scenarios say of them, and what is refused."""

from __future__ import annotations

import pytest

from churnsim.errors import InputError
from churnsim.scenario import load_scenario
from churnsim.simulation import simulate
from churnsim.units import year_days


def test_strain__is_read_with_its_units() -> None:
    """A turnover a year over so many contacts is a hazard per contact."""
    settings = ["strain.turnover='40 %/year'", "strain.contacts_per_year=8000"]
    strain = load_scenario("telecom", overrides=settings).plan("slow").strain
    assert strain.is_on == 1
    assert strain.quitting == pytest.approx(0.4 / 8000, rel=1e-12)
    assert load_scenario("telecom").plan("slow").strain.is_on == 0


def test_people__do_not_count_without_strain() -> None:
    """What a policy says of quitting moves no digest where nobody can quit."""
    usual = load_scenario("telecom")
    told = load_scenario("telecom", overrides=["policy.slow.people.quitting=3"])
    assert told.digest == usual.digest
    assert "people" not in told.levers_between("slow", "empowered")
    strained = [
        load_scenario("telecom", overrides=["strain.wrath=1", *more])
        for more in ([], ["policy.slow.people.quitting=3"])
    ]
    assert strained[0].digest != strained[1].digest != usual.digest
    assert "people" in strained[0].levers_between("slow", "empowered")
    assert strained[0].levers_between("slow", "slow") == ()


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ("strain.learning=0", "must be above 0"),
        ("strain.turnover='-1/year'", "must be at least 0"),
        ("strain.hiring='-2 days'", "must be at least 0"),
        ("strain.accommodating=1.5", "must be in [0, 1]"),
        ("strain.hireing='2 days'", "hiring"),
        ("strain.newcomer=nan", "must be"),
        ("policy.slow.prevention.recovery_training=0.5", "without [strain]"),
        ("policy.slow.prevention.personality_cost='$5/year'", "without [strain]"),
    ],
)
def test_strain__bad_settings_are_refused(setting: str, rule: str) -> None:
    """Each with its rule, value and place."""
    with pytest.raises(InputError) as caught:
        load_scenario("telecom", overrides=[setting])
    assert rule in str(caught.value)


def test_hiring__beyond_the_horizon_is_warned_of_and_right() -> None:
    """Who quits is not replaced: allowed, with a word."""
    settings = ["strain.hiring='9 years'", "strain.turnover='900 %/year'"]
    scenario = load_scenario(
        "telecom", overrides=[*settings, "population.customers=500"]
    )
    assert [w.field for w in scenario.warnings] == ["strain.hiring"]
    people = simulate(scenario, "slow").people()
    assert people is not None
    seats = scenario.plan("slow").policy.agents
    assert 0 < people.quits <= seats
    assert people.vacant is not None
    assert people.vacant > 0.3


def test_vacancies__are_not_paid_and_hiring_is_a_cost() -> None:
    """Wages are those of a full desk less vacant time; each hiring has its price."""
    more = ["population.customers=500", "strain.turnover='900 %/year'"]
    price = "strain.hiring_cost='$1000'"
    dear = simulate(load_scenario("telecom", overrides=[*more, price]), "slow")
    free = simulate(load_scenario("telecom", overrides=more), "slow")
    calm = simulate(load_scenario("telecom", overrides=more[:1]), "slow")
    people = dear.people()
    assert people is not None
    assert people.vacant is not None
    assert dear.totals.cost - free.totals.cost == people.quits * 1000 * 10**6 > 0
    scenario = load_scenario("telecom", overrides=more)
    seats = dear.plan.policy.agents
    full = scenario.costs.agent_pay * seats * dear.horizon
    assert calm.totals.wages - dear.totals.wages == pytest.approx(
        people.vacant * full, rel=1e-9
    )
    rate = people.quits / seats / (dear.horizon / year_days())
    assert people.turnover == pytest.approx(rate, rel=1e-12)
