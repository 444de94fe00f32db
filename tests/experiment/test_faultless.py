"""The revenue expected without mistakes: closed forms from outside, and the engine."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate

from churnsim.experiment.faultless import expected_revenue
from churnsim.records import MICRO
from churnsim.scenario import Scenario, load_scenario
from churnsim.scenario.model import FLAWLESS
from churnsim.simulation import simulate
from tests.experiment.known import KINDS, known_revenue, known_scenario
from tests.logs import shop_of_a_log
from tests.oracles import closed_forms as forms
from tests.oracles.gates import mean_gate
from tests.scenario.examples import PURCHASE

RATE, DROPOUT = forms.Gamma(0.243, 4.414 * 7), forms.Beta(0.793, 2.426)
YEAR = 365.25
FEE = 30.0  # a month
CANCEL = forms.Beta(0.7, 9.0)
STATIONARY = 'population.starting_tenure="stationary"'
HISTORY = 'population.history="{} years"'


def shop(folder: Path, *overrides: str) -> Scenario:
    """Return the corner shop: 100 customers, two years, $35 a purchase."""
    path = folder / "shop.toml"
    path.write_text(PURCHASE, encoding="utf-8")
    return load_scenario(path, overrides=overrides)


def subscribers(folder: Path, *overrides: str) -> Scenario:
    """Return monthly subscribers for 2.5 years."""
    return shop(
        folder,
        'market.relationship="subscription"',
        'market.period="1 month"',
        'market.rate="1/year"',
        f'market.value="${FEE:.0f}"',
        f'market.dropout={{law="beta",a={CANCEL.a},b={CANCEL.b}}}',
        'horizon="912 days"',
        *overrides,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_expected__is_the_revenue_of_new_purchasers(kind: str, tmp_path: Path) -> None:
    """With traits that are constant or spread, against an integral over dropout."""
    found = expected_revenue(known_scenario(kind, tmp_path))
    assert found == pytest.approx(known_revenue(kind, FLAWLESS), rel=1e-9)


def bought(age: float) -> float:
    """Return P(there at an age) times purchases of the next two years."""
    ends = (forms.bgnbd_expected(RATE, DROPOUT, age + t) for t in (0.0, 2 * YEAR))
    early, late = ends
    return late - early


def test_expected__of_purchasers_of_an_age(tmp_path: Path) -> None:
    """Those who have survived a year, by the hypergeometric forms of the BG/NBD."""
    one = bought(YEAR) / forms.bgnbd_alive(RATE, DROPOUT, YEAR)
    found = expected_revenue(shop(tmp_path, 'population.starting_tenure="1 year"'))
    assert found == pytest.approx(100 * 35 * one, rel=1e-8)


def test_expected__of_purchasers_won_at_a_constant_rate(tmp_path: Path) -> None:
    """Over three years of history, each age as often as it is survived."""
    end = 3 * YEAR
    above, _ = integrate.quad(bought, 0.0, end, epsrel=1e-10)
    below, _ = integrate.quad(lambda t: forms.bgnbd_alive(RATE, DROPOUT, t), 0.0, end)
    stationary = (
        'population.starting_tenure="stationary"',
        'population.history="3 years"',
    )
    found = expected_revenue(shop(tmp_path, *stationary))
    assert found == pytest.approx(100 * 35 * above / below, rel=1e-7)


@pytest.mark.parametrize("survived", [0, 5])
def test_expected__of_subscribers(survived: int, tmp_path: Path) -> None:
    """New, or having survived renewals, against Gauss-Legendre within each period."""
    tenure = f"population.starting_tenure={survived}" if survived else "seed=1"
    law = forms.Beta(CANCEL.a, CANCEL.b + survived)
    periods = 912 / (YEAR / 12)
    one = forms.subscription_revenue(law, FEE, forms.Span(periods))
    found = expected_revenue(subscribers(tmp_path, tenure))
    assert found == pytest.approx(100 * one, rel=1e-9)


def test_expected__of_subscribers_won_at_a_constant_rate(tmp_path: Path) -> None:
    """Over a year of history: each number of renewals as often as it is survived."""
    span = forms.Span(912 / (YEAR / 12))
    shares = [forms.renewal_survival(CANCEL, n) for n in range(13)]
    worth = [
        forms.subscription_revenue(forms.Beta(CANCEL.a, CANCEL.b + n), FEE, span)
        for n in range(13)
    ]
    stationary = (
        'population.starting_tenure="stationary"',
        'population.history="1 year"',
    )
    found = expected_revenue(subscribers(tmp_path, *stationary))
    one = np.average(worth, weights=shares)
    assert found == pytest.approx(100 * one, rel=1e-9)


@pytest.mark.compiled
@pytest.mark.parametrize("of", [shop, subscribers])
def test_expected__of_prospects_is_that_of_the_engine(
    of: Callable[..., Scenario], tmp_path: Path
) -> None:
    """Half of those who come at any time are won, and customers are stationary."""
    scenario = of(
        tmp_path,
        'population.prospects="400/year"',
        "market.word_of_mouth.conversion=0.5",
        STATIONARY,
        HISTORY.format(2),
        'market.ordinary_contacts="1/year"',
    )
    expected = expected_revenue(scenario)
    assert expected is not None
    revenues = [
        simulate(scenario, FLAWLESS, replication=i).totals.revenue / MICRO
        for i in range(120)
    ]
    result = mean_gate(revenues, expected)
    assert result.passes, result
    assert result.visible_error < 0.1


@pytest.mark.compiled
def test_expected__of_customers_of_a_log_is_that_of_the_engine(tmp_path: Path) -> None:
    """Each by their own history; prospects come beside them, and half are won."""
    settings = (
        'population.prospects="400/year"',
        "market.word_of_mouth.conversion=0.5",
    )
    file = shop_of_a_log(tmp_path, 300)
    scenario = load_scenario(file, overrides=settings)
    expected = expected_revenue(scenario)
    assert expected is not None
    alone = expected_revenue(load_scenario(file))
    assert alone is not None
    assert 0.1 < alone / expected < 0.9
    revenues = [
        simulate(scenario, FLAWLESS, replication=i).totals.revenue / MICRO
        for i in range(400)
    ]
    result = mean_gate(revenues, expected)
    assert result.passes, result
    assert result.visible_error < 0.1


def test_expected__of_nobody_is_nothing(tmp_path: Path) -> None:
    """Without customers or without time there is no revenue."""
    assert expected_revenue(shop(tmp_path, "population.customers=0")) == 0.0
    assert expected_revenue(shop(tmp_path, 'horizon="0 days"')) == 0.0
    assert expected_revenue(subscribers(tmp_path, 'horizon="0 days"')) == 0.0
