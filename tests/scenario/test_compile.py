"""What a scenario compiles to, against numbers worked out by hand."""

import math
from pathlib import Path

import numpy as np
import pytest

from churnsim.records import N_KIND_COLUMNS, KindColumn, Relationship
from churnsim.scenario import Scenario, TraitKind, load_scenario, trait_mean
from churnsim.variates import Law, LawKind
from tests.scenario.examples import PURCHASE, changed


def shop(tmp_path: Path, text: str = PURCHASE, *overrides: str) -> Scenario:
    """Return the small scenario, changed."""
    path = tmp_path / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return load_scenario(path, overrides=overrides)


def test_plan__is_in_the_units_of_the_engine() -> None:
    """Telecom: days, micro-units, thousandths, log-odds."""
    scenario = load_scenario("telecom")
    plan = scenario.plan("slow")
    market = plan.market
    assert market.relationship == Relationship.SUBSCRIPTION
    assert market.period == 30.4375
    assert plan.horizon == scenario.horizon
    assert plan.n_months == math.ceil(plan.horizon / plan.month)
    assert plan.kinds.shape == (len(scenario.spec.mistakes), N_KIND_COLUMNS)
    assert plan.kinds[-1, KindColumn.CUMULATIVE] == 1.0
    assert np.all(np.diff(plan.kinds[:, KindColumn.CUMULATIVE]) > 0)
    assert market.told_bad == round(1000 * scenario.spec.market.word_of_mouth.told_bad)
    assert market.acquisition_cost == scenario.costs.acquisition
    assert math.expm1(market.discount * 365.25) == pytest.approx(0.1, rel=1e-14)


def test_plan__of_a_purchase(tmp_path: Path) -> None:
    """The small scenario, field by field."""
    plan = shop(tmp_path).plan("empowered")
    assert plan.market.relationship == Relationship.PURCHASE
    assert plan.market.open_spend == 0.0
    assert plan.market.mistake_probability == 0.05
    assert plan.market.memory == Law(LawKind.EXPONENTIAL, 86.0, 0.0)
    (kind,) = plan.kinds
    assert kind[KindColumn.STING_LAW] == LawKind.CONSTANT
    assert kind[KindColumn.STING_LAW + 1] == 1.4
    stake = Law(*kind[KindColumn.STAKE_LAW : KindColumn.STAKE_LAW + 3])
    # Lognormal of mean m and cv 1: σ² = log 2, μ = log m − σ²/2.
    assert stake.a == pytest.approx(math.log(20e6) - math.log(2) / 2, rel=1e-15)
    assert stake.b == pytest.approx(math.sqrt(math.log(2)), rel=1e-15)
    assert (kind[KindColumn.TOLERANCE], kind[KindColumn.TAU]) == (2.0, 3.0)
    policy = plan.policy
    assert policy.hoops.shape == (1, 4)
    assert policy.hoops[0].tolist() == [LawKind.CONSTANT, 30 / 86400, 0.0, 0.01]
    assert (policy.limit, policy.truth, policy.truth_or_excuse) == (200e6, 1.0, 1.0)


def test_plan__of_no_hoops_keeps_its_shape(tmp_path: Path) -> None:
    """A door without hoops is an empty table of four columns."""
    scenario = shop(tmp_path, PURCHASE, "policy.slow.reach.hoops=[]")
    assert scenario.plan("slow").policy.hoops.shape == (0, 4)


def test_plan__takes_mixed_settings(tmp_path: Path) -> None:
    """One policy's lever in another's place compiles like a policy of its own."""
    scenario = shop(tmp_path)
    empowered, slow = scenario.policy("empowered"), scenario.policy("slow")
    mixed = scenario.plan(empowered.model_copy(update={"speed": slow.speed})).policy
    assert mixed.repair == scenario.plan("slow").policy.repair
    assert mixed.limit == scenario.plan("empowered").policy.limit


@pytest.mark.parametrize(
    ("agents", "n_customers", "number"),
    [
        ("3", 20_000, 3),
        ("0", 20_000, 0),
        ("0.6 per 1000", 20_000, 12),
        ("0.55 per 1000", 20_000, 11),  # 11.000000000000002 in floats
        ("0.07 per 1000", 100_000, 7),  # 7.000000000000001 in floats
        ("0.6 per 1000", 20_001, 13),
        ("0.6 per 1000", 1, 1),
        ("0.6 per 1000", 0, 1),
        ("0 per 1000", 1000, 0),
        ("2 per 1_000", 1000, 2),
        ("2 per 1,000", 1001, 3),
    ],
)
def test_staff__grows_with_the_customers(
    agents: str, n_customers: int, number: int, tmp_path: Path
) -> None:
    """Per 1000 customers, rounded up in the decimals written, at least 1."""
    scenario = shop(tmp_path, PURCHASE, f"policy.slow.speed.agents={agents}")
    assert scenario.plan("slow", n_customers).policy.agents == number


@pytest.mark.parametrize(
    ("stake", "limit", "share"),
    [
        ('"$20"', "$20", 1.0),
        ('"$20"', "$19.99", 0.0),
        ('{ law = "exponential", mean = "$20" }', "$20", 1 - math.exp(-1)),
        ('{ law = "uniform", low = "$0", high = "$40" }', "$10", 0.25),
        ('{ law = "uniform", low = "$5", high = "$5" }', "$10", 1.0),
        # The median of a lognormal with cv 1 is mean/√2.
        ('{ law = "lognormal", mean = "$20", cv = 1.0 }', "$14.142136", 0.5),
        # Weibull with cv 1 is exponential.
        ('{ law = "weibull", mean = "$20", cv = 1.0 }', "$20", 1 - math.exp(-1)),
        ('{ law = "lognormal", mean = "$20", cv = 1.0 }', "$0", 0.0),
        ('{ law = "lognormal", mean = "$20", cv = 1.0 }', "inf", 1.0),
    ],
)
def test_leakage__is_of_the_stakes_within_the_limit(
    stake: str, limit: str, share: float, tmp_path: Path
) -> None:
    """Full leakage is paid on the share of stakes that agents settle alone."""
    text = changed("stake", f"stake = {stake}")
    override = f"policy.slow.authority.limit={limit}"
    scenario = shop(tmp_path, text, override, "policy.slow.authority.leakage=0.5")
    leakage = scenario.plan("slow").policy.leakage
    assert leakage == pytest.approx(0.5 * share, abs=1e-8)
    assert (leakage * 2) * 2**41 % 1 == 0  # of 40 bits


def test_population__is_in_raw_parameters(tmp_path: Path) -> None:
    """BG/NBD's figures in weeks become days; amounts become micro-units."""
    value = 'value = { law = "gamma_gamma", p = 6.25, q = 3.74, v = "$15.44" }'
    scenario = shop(tmp_path, changed("value", value), "population.prospects=5/day")
    population = scenario.population
    assert population.rate == (TraitKind.GAMMA, 0.243, 30.898, 0.0)
    assert population.dropout == (TraitKind.BETA, 0.793, 2.426, 0.0)
    value_mean = trait_mean(population.value)
    assert population.value == (TraitKind.GAMMA_GAMMA, 6.25, 3.74, 15.44e6)
    assert value_mean == pytest.approx(35.2189781e6)
    assert (population.customers, population.prospects) == (100, 5.0)
    assert population.tenure == ("new", 0.0)
    assert population.transactions is None


@pytest.mark.parametrize(
    ("tenure", "kind", "amount", "history"),
    [
        ("new", "new", 0, 0.0),
        ("stationary", "stationary", 0, 3652.5),
        ("3 years", "time", 3 * 365.25, 0.0),
    ],
)
def test_population__has_an_age(
    tenure: str, kind: str, amount: float, history: float, tmp_path: Path
) -> None:
    """Starting customers are new, the stationary mix, or so old."""
    override = f"population.starting_tenure={tenure}"
    population = shop(tmp_path, PURCHASE, override).population
    assert population.tenure == (kind, amount)
    assert population.history == history


def test_costs__are_integers(tmp_path: Path) -> None:
    """Pay is per day, margin in parts per million."""
    scenario = shop(tmp_path)
    assert scenario.costs == (450_000, 642_480_000, 960_000_000, 0, 0)
    training, prevention = scenario.policy_costs("empowered")
    assert (training, prevention) == (round(500e6 / 365.25), 0)
    assert all(isinstance(amount, int) for amount in scenario.costs)


def test_presets__differ_in_what_they_say() -> None:
    """Slow waits, dishonest lies, flawless makes no mistakes; all else is equal."""
    scenario = load_scenario("telecom")
    empowered, slow = scenario.policy("empowered"), scenario.policy("slow")
    dishonest, flawless = scenario.policy("dishonest"), scenario.policy("flawless")
    assert slow.authority.limit == dishonest.authority.limit == 0
    assert empowered.authority.limit > 0
    assert slow.honesty == empowered.honesty
    assert slow.speed.agents == dishonest.speed.agents == empowered.speed.agents
    assert dishonest.speed == empowered.speed
    assert slow.speed.approval != empowered.speed.approval
    assert slow.speed.repair != empowered.speed.repair
    assert flawless.prevention.mistakes == 0
    same = flawless.model_copy(update={"prevention": empowered.prevention})
    assert same.model_copy(update={"title": empowered.title}) == empowered
