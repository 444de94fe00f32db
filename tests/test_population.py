"""Births: survivors' posteriors, addresses, and where the numbers come from."""

import math

import numpy as np
import pytest
from scipy import special, stats

from churnsim.births import rounded
from churnsim.population import (
    draw_population,
    n_prospects,
    population_digest,
    renewals_survived,
    trait,
)
from churnsim.scenario.measures import PerThousand, Tenure
from churnsim.scenario.traits import PopulationSpec, TraitKind, TraitLaw
from churnsim.streams import key_from_seed

KEY = key_from_seed(11)
N = 50_000
FALSE_ALARM = 1e-6  # of each test below


def spec(
    relationship: str = "purchase", tenure: Tenure | None = None
) -> PopulationSpec:
    """Return a population of customers with spread traits."""
    return PopulationSpec(
        customers=N,
        prospects=0.0,
        tenure=tenure or Tenure("new", 0.0),
        history=0.0,
        transactions=None,
        relationship=relationship,
        period=30.0,
        rate=TraitLaw(TraitKind.GAMMA, 2.0, 100.0),
        dropout=TraitLaw(TraitKind.BETA, 2.0, 6.0),
        value=TraitLaw(TraitKind.LOGNORMAL, 5e7, 0.5),
        trust_sd=0.5,
        horizon=365.0,
    )


def assert_mean(values: np.ndarray, expected: float) -> None:
    """Assert that a sample has a mean, with a false alarm once in a million."""
    z = (values.mean() - expected) / (values.std() / math.sqrt(len(values)))
    assert abs(z) < stats.norm.isf(FALSE_ALARM / 2.0), f"z = {z:.2f}, n = {len(values)}"


def test_population__traits_follow_their_laws() -> None:
    """Rates, dropout, values, trust and budgets pass a Kolmogorov test each."""
    people = draw_population(spec(), KEY, 0, None)
    sigma = math.sqrt(math.log(1.25))
    laws = {
        "rate": (people.rate, stats.gamma(2.0, scale=0.01)),
        "dropout": (people.dropout, stats.beta(2.0, 6.0)),
        "value": (people.value, stats.lognorm(sigma, scale=5e7 / math.sqrt(1.25))),
        "trust": (people.trust, stats.norm(0.0, 0.5)),
        "budget": (people.budget, stats.expon()),
        "mistake": (people.mistake, stats.expon()),
        "contact": (people.contact, stats.expon()),
    }
    for name, (values, law) in laws.items():
        assert stats.kstest(values, law.cdf).pvalue > FALSE_ALARM, name


def test_population__subscribers_who_survived_have_the_posterior() -> None:
    """After four renewals θ is Beta(a, b + 4), and phases are uniform."""
    people = draw_population(
        spec("subscription", Tenure("renewals", 4.0)), KEY, 0, None
    )
    theta = -np.expm1(-people.dropout)
    assert stats.kstest(theta, stats.beta(2.0, 10.0).cdf).pvalue > FALSE_ALARM
    assert stats.kstest(people.renewal / 30.0, "uniform").pvalue > FALSE_ALARM


def test_population__stationary_subscribers_are_mixed_by_survival() -> None:
    """Each number of renewals comes in proportion to the share that survives it."""
    old = spec("subscription", Tenure("stationary", 0.0))._replace(history=365.0)
    u = (np.arange(N) + 0.5) / N
    counts = np.bincount(renewals_survived(old, u), minlength=13)
    n = np.arange(13)
    survival = special.beta(2.0, 6.0 + n) / special.beta(2.0, 6.0)
    np.testing.assert_allclose(counts / N, survival / survival.sum(), atol=2e-4)


def test_population__purchasers_who_survived_have_the_posterior() -> None:
    """Of an age of 300 days, rates and dropout have the means that Bayes gives.

    Reference: the prior weighted by exp(−λ·p·300) on a fine grid of quantiles.
    """
    people = draw_population(spec(tenure=Tenure("time", 300.0)), KEY, 0, None)
    u = (np.arange(2000) + 0.5) / 2000
    rate = special.gammaincinv(2.0, u)[:, None] / 100.0
    dropout = special.betaincinv(2.0, 6.0, u)[None, :]
    weight = np.exp(-rate * dropout * 300.0)
    assert_mean(people.rate, float((rate * weight).sum() / weight.sum()))
    assert_mean(people.dropout, float((dropout * weight).sum() / weight.sum()))


def test_population__a_customer_does_not_depend_on_how_many_there_are() -> None:
    """The first hundred of fifty thousand are the hundred drawn alone."""
    many = draw_population(spec(), KEY, 3, None)
    few = draw_population(spec()._replace(customers=100), KEY, 3, None)
    for column_many, column_few in zip(many[1:], few[1:], strict=True):
        np.testing.assert_array_equal(column_many[:100], column_few)


def test_population__prospects_come_after_customers_and_over_the_horizon() -> None:
    """Two a day for a year: 730 prospects with arrivals uniform over it."""
    people = draw_population(spec()._replace(customers=5, prospects=2.0), KEY, 0, None)
    assert (people.n_customers, len(people.arrival)) == (5, 735)
    assert not people.arrival[:5].any()
    assert stats.kstest(people.arrival[5:] / 365.0, "uniform").pvalue > FALSE_ALARM


def test_population__none_is_a_population() -> None:
    """Zero customers and no prospects is empty, not an error."""
    people = draw_population(spec()._replace(customers=0), KEY, 0, None)
    assert len(people.arrival) == 0


def test_population_digest__tells_replications_apart() -> None:
    """The same address gives the same digest, another replication another one."""
    small = spec()._replace(customers=50)
    first, again, other = (
        population_digest(draw_population(small, KEY, r, None)) for r in (0, 0, 1)
    )
    assert first == again != other


def test_rounded__keeps_forty_bits() -> None:
    """A last-bit difference disappears; values of 40 bits stay as they are."""
    value = np.array([0.1, 1.0 + 2.0**-39, 0.0, 3e-300])
    kept = rounded(value)
    assert kept[1] == value[1]
    np.testing.assert_allclose(kept, value, rtol=2.0**-40)
    np.testing.assert_array_equal(kept, rounded(value * (1.0 + 2.0**-52)))


@pytest.mark.parametrize("kind", list(TraitKind))
def test_trait__is_monotone(kind: TraitKind) -> None:
    """Every trait grows with its uniform, so that births are coupled."""
    law = TraitLaw(kind, 3.0, 4.0, 1e6)
    values = trait(law, (np.arange(1000) + 0.5) / 1000)
    assert (np.diff(values) >= 0.0).all()


def test_prospects__per_thousand_grow_with_the_customers() -> None:
    """Half a day for each 1000: of 4,000 two a day, as if it were said so."""
    grown = spec()._replace(customers=4000, prospects=PerThousand(0.5))
    plain = grown._replace(prospects=2.0)
    assert n_prospects(grown, 4000) == n_prospects(plain, 4000) == 730
    assert n_prospects(grown, 0) == 0
    people = (draw_population(each, KEY, 0, None) for each in (grown, plain))
    assert len({population_digest(each) for each in people}) == 1
