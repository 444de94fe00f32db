"""A point's rows are those of its scenario loaded anew and run by itself."""

from dataclasses import replace

import pytest

from churnsim.engines.sums import Sums
from churnsim.experiment.summary import FIGURES
from churnsim.firm import simulate_firm
from churnsim.records import MICRO
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.compile import to_market
from churnsim.simulation import simulate
from churnsim.sweep.factors import Level
from churnsim.sweep.plan import Point, Sweep
from churnsim.sweep.rows import Failed, Row
from churnsim.sweep.simulated import AS_IT_IS, LAWS, market_of, seed_of, simulated
from tests.sweep.toy import toy

# In turn, so that each point could be led astray by what the one before it left.
SETTINGS: tuple[dict[str, str], ...] = (
    {"market.lock_in": "2"},
    {"policy.slow.speed.agents": "1", "policy.slow.authority.limit": '"$500"'},
    {"mistakes.1.probability": "0.02"},
    {"mistakes.1.stake.mean": '"$200"'},
    {"unanswered.sting.mean": "2"},
    {"costs.margin": "0.1", "costs.discount": '"20 %/year"'},
    {"horizon": '"200 days"'},
    {"population.customers": "80"},
    {"market.value.mean": '"$90"'},
    {"market.period": '"2 months"'},
    {"market.patience.mean": '"9 min"', "policy.slow.honesty.promise": '"1 day"'},
    {"policy.slow.prevention.mistakes": "0.5", "policy.slow.reach.notice": "0.3"},
    {"market.word_of_mouth.influence": "2", "policy.slow.people.quitting": "2"},
    {"policy.slow.make_good.follow_up": "1", "policy.empowered.authority.leakage": "1"},
    {"mistakes.1.probability": "0.02", "policy.slow.accountability.contest": "0.5"},
    {"policy_free": ""},
    {"market.discovery": "1", "policy.empowered.honesty.fob_off": "0.9"},
    {"sites": "3"},
    {"market.lock_in": "2"},
)


def point_at(sweep: Sweep, number: int, settings: dict[str, str]) -> Point:
    """Return a point with settings."""
    varied = {key: Level(value, 0.0, value) for key, value in settings.items()}
    return Point(number, (), sweep.policies, dict(varied))


def sums_of(scenario: Scenario, policy: str, seed: int, replication: int) -> Sums:
    """Return what a policy comes to, by the way that others take."""
    if scenario.sites > 1:
        firm = simulate_firm(scenario, policy, seed=seed, replication=replication)
        return firm.sums
    return simulate(scenario, policy, seed=seed, replication=replication).sums


@pytest.mark.compiled
@pytest.mark.parametrize("draws", ["common", "independent"])
def test_rows__are_those_of_the_scenario_by_itself(few: Scenario, draws: str) -> None:
    """Whatever earlier points had compiled or drawn, to the last micro-unit."""
    outcomes = tuple(name for name in FIGURES if name != "residual")
    sweep = replace(toy(few, draws=draws), outcomes=outcomes)
    evaluate = simulated(sweep)
    n_failed = 0
    for number, settings in enumerate(SETTINGS):
        found = evaluate(point_at(sweep, number, settings))
        if isinstance(found, Failed):
            assert settings == {"policy_free": ""}
            assert "unknown key" in found.error
            n_failed += 1
            continue
        scenario = load_scenario(few, overrides=settings)
        seed = seed_of(sweep, number)
        expected = []
        for replication in range(sweep.replications):
            for policy in sweep.policies:
                sums = sums_of(scenario, policy, seed, replication)
                figures = tuple(FIGURES[name].of(sums) for name in outcomes)
                revenue = sums.totals.revenue
                assert figures[0] == revenue / MICRO
                expected.append(Row(policy, replication, figures, revenue))
        assert list(found) == expected, settings
    assert n_failed == 1


def test_seeds__are_the_sweeps_or_each_points_own(few: Scenario) -> None:
    """Common draws meet one seed; independent ones each their own, always the same."""
    assert {seed_of(toy(few), number) for number in range(100)} == {7}
    alone = toy(few, draws="independent")
    seeds = [seed_of(alone, number) for number in range(1000)]
    assert len(set(seeds)) == 1000
    assert max(seeds) < 2**53
    assert seeds[:2] == [seed_of(alone, 0), seed_of(alone, 1)]


def test_market_of__is_the_market_compiled_anew(few: Scenario) -> None:
    """For every setting of a market, changed by itself or with another one."""
    base = few.spec
    known = to_market(base, 2)
    changes: dict[str, object] = dict.fromkeys(AS_IT_IS, 0.375)
    changes |= {"max_attempts": 7}
    law = base.policy["slow"].speed.approval
    changes |= dict.fromkeys(LAWS, law)
    changes |= {"value": base.market.value, "period": 3.5, "exit": "at_once"}
    assert changes.keys() <= base.market.model_dump().keys()
    for name, value in changes.items():
        for others in ({}, {"lock_in": 0.75}, {"patience": law}):
            update = {**others, name: value}
            market = base.market.model_copy(update=update)
            spec = base.model_copy(update={"market": market})
            assert market_of(known, spec, base, 2) == to_market(spec, 2), update
    assert market_of(known, base, base, 2) == known
