"""A point's scenario: what loading with its settings gives, or refuses."""

import pytest

from churnsim.errors import ChurnsimError
from churnsim.scenario import Scenario, load_scenario
from churnsim.sweep.points import Variations

Settings = dict[str, str]

# Settings of every sort: shares, laws and parts of laws, staff, money, whole tables,
# ones that decide which others there are, and ones that there cannot be.
CASES: tuple[Settings, ...] = (
    {},
    {"market.lock_in": "0.7"},
    {"market.lock_in": "0.7", "policy.slow.speed.agents": "3"},
    {"policy.slow.speed.agents": '"3 per 1000"'},
    {"policy.slow.speed.agents": '["Mon-Fri 09:00-17:00: 2"]'},
    {"market.patience.mean": '"6 min"'},
    {"market.patience": '"6 min"'},
    {"market.patience": "6 min"},
    {"market.patience": '{ law = "weibull", mean = "4 min", cv = 0.7 }'},
    {"policy.slow.speed.approval.mean": '"3 days"'},
    {"mistakes.1.stake.mean": '"$30"'},
    {"mistakes.2.probability": "0.01"},
    {"policy.slow.authority.limit": "inf"},
    {"policy.slow.authority.limit": '"$12.345678"'},
    {"population.customers": "75"},
    {"population.prospects": '"10/year"'},
    {"horizon": '"1 year"'},
    {"horizon": "1 year"},
    {"market.period": '"2 months"'},
    {"market.relationship": '"purchase"'},
    {"population.starting_tenure": '"new"'},
    {"unanswered.sting.mean": "0.3"},
    {"costs.margin": "0.3"},
    {"market.word_of_mouth.influence": "2"},
    {"market.ordinary_contacts": '"3/year"'},
    {"title": '"another"'},
    {"seed": "5"},
    {"replications": "3"},
    {"start": '"2026-03-02"'},
    {"policy.slow.honesty.lie": "0.5"},
    {"policy.slow.honesty.lie": "0.3", "policy.slow.honesty.truth": "0.2"},
    {"policy.slow.prevention.personality": "0.5"},
    {"policy.slow.speed.approval.mean": '"1e-9 s"'},
    {"market.patience.mean": '"1e-9 s"', "market.lock_in": "0.7"},
    {"horizon": '"9000 years"', "market.lock_in": "0.7"},
    {"market.rate.shape": "1e12"},
    {"market.value.mean": '"$1e12"'},
    {"policy.slow.prevention.mistakes": "2"},
    {"policy.slow.prevention.mistakes": "200"},
    {"market.patience": '"6 min"', "market.patience.mean": '"7 min"'},
    {"mistakes.1.probability": "0.01", "mistakes.billing.probability": "0.02"},
    {"sites": "3", "market.spend_cap": "1.5"},
    {"market.lock_in": "much"},
    {"market.lock_in": "nan"},
    {"market.lock_in": "NaN"},
    {"market.lock_in": "1e400"},
    {"market.lock_in": "Infinity"},
    {"market.lock_in": "-1"},
    {"market.discovery": "1.5"},
    {"market.discovery": "true"},
    {"mistakes.9.sting": "1"},
    {"mistakes.1.probability": "0.9", "mistakes.2.probability": "0.9"},
    {"population.customers": "1.5"},
    {"population.customers": "5000000000"},
    {"horizon": '"20000 years"'},
    {"market.lokk_in": "1"},
    {"policy.nobody.speed.agents": "1"},
    {"policy.slow": "1"},
    {"policy_defaults.speed.agents": "3"},
    {"market": "1"},
)


def told(load: object, settings: Settings) -> str:
    """Return a scenario's digest, or what is said instead."""
    assert callable(load)
    try:
        return str(load(settings).digest)
    except ChurnsimError as error:
        return f"{type(error).__name__}: {error}"


def test_variations__are_what_loading_gives(few: Scenario) -> None:
    """The same digest, or the same refusal to the letter, twice in a row."""
    variations = Variations(few)
    refused = 0
    for settings in CASES:
        expected = told(lambda given: load_scenario(few, overrides=given), settings)
        assert told(variations.scenario, settings) == expected, settings
        assert told(variations.scenario, settings) == expected, settings
        refused += "Error" in expected
    assert 0.2 < refused / len(CASES) < 0.5
    assert variations.scenario({}).digest == few.digest


@pytest.mark.parametrize("name", ["hotel", "ecommerce", "saas", "bank", "spiral"])
def test_variations__of_other_scenarios(name: str) -> None:
    """Purchases, people and shifts among them."""
    base = load_scenario(name)
    variations = Variations(base)
    policy = base.policy_names[0]
    for settings in (
        {"market.lock_in": "0.3", f"policy.{policy}.authority.limit": '"$5"'},
        {f"policy.{policy}.speed.agents": "2"},
        {"strain.wrath": "0.4"},
        {"population.customers": "99"},
    ):
        expected = told(lambda given: load_scenario(base, overrides=given), settings)
        assert told(variations.scenario, settings) == expected, settings
