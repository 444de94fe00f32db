"""The block of TOML, and the traits of a log's customers."""

import datetime as dt
import tomllib

import numpy as np
import pytest
from scipy import integrate, stats

from churnsim.fit import (
    BgNbd,
    BgNbdFit,
    GammaGamma,
    GammaGammaFit,
    PosteriorTraits,
    TransactionLog,
    expected_spend,
    fit_log,
    market_block,
    population_from_log,
)
from churnsim.fit.bgnbd import conditional_alive

BGNBD = BgNbd(0.2426, 4.4136, 0.793, 2.426)
GAMMA_GAMMA = GammaGamma(6.25, 3.74, 15.44)


def a_log(x: list[int], t_x: list[float], age: list[float]) -> TransactionLog:
    """Return a log of these histories with a repeat spend of 30 per occasion."""
    counts = np.array(x)
    return TransactionLog(
        name="log.csv",
        sha256="0" * 64,
        layout="csv",
        customers=tuple(f"c{i:05}" for i in range(len(x))),
        x=counts,
        t_x_days=np.array(t_x),
        age_days=np.array(age),
        first_purchase=np.full(len(x), "2020-01-01", dtype="datetime64[D]"),
        mean_repeat_spend=np.where(counts > 0, 30.0, 0.0),
        n_spend=counts,
        x_held_out=np.zeros(len(x), dtype=np.int64),
        first=dt.date(2020, 1, 1),
        last=dt.date(2020, 12, 31),
        end=dt.date(2020, 12, 31),
        n_rows=int(counts.sum()) + len(x),
        n_duplicates=0,
        n_held_out=0,
        n_later_customers=0,
        warnings=(),
    )


def fits(bgnbd: BgNbd, gamma_gamma: GammaGamma) -> tuple[BgNbdFit, GammaGammaFit]:
    """Return fits with these parameters."""
    return (
        BgNbdFit(
            bgnbd, BgNbd(0.013, 0.38, 0.19, 0.71), np.eye(4), -9582.43, 2357, True
        ),
        GammaGammaFit(
            gamma_gamma,
            GammaGamma(1.2, 0.29, 4.2),
            np.eye(3),
            -4055.92,
            946,
            True,
            0.11,
        ),
    )


def test_market_block__is_toml_with_the_fitted_laws() -> None:
    """What is read back is what was fitted, α with its unit and v with its currency."""
    log = a_log([1, 0], [70.0, 0.0], [272.0, 272.0])
    text = market_block(*fits(BGNBD, GAMMA_GAMMA), log)
    assert tomllib.loads(text) == {
        "market": {
            "relationship": "purchase",
            "rate": {"law": "gamma", "shape": 0.2426, "scale": "4.4136 weeks"},
            "dropout": {"law": "beta", "a": 0.793, "b": 2.426},
            "value": {"law": "gamma_gamma", "p": 6.25, "q": 3.74, "v": "$15.44"},
        }
    }


def test_market_block__says_where_it_comes_from() -> None:
    """Comments hold the file, its digest, customers, period, likelihoods and errors."""
    log = a_log([1, 0], [70.0, 0.0], [272.0, 272.0])
    text = market_block(*fits(BGNBD, GAMMA_GAMMA), log)
    for part in (
        '"log.csv", sha256 ' + "0" * 64,
        "2357 customers, 1 repeat purchases, 2020-01-01 to 2020-12-31",
        "log-likelihood -9582.43",
        "# s.e. 0.013, 0.38\n",
        "# s.e. 1.2, 0.29, 4.2\n",
    ):
        assert part in text


@pytest.mark.parametrize(
    "name", ['a"b\\c.csv', "a\nmarket = 1 #.csv", "\udcff\x00.csv"]
)
@pytest.mark.parametrize("currency", ["€", '"\n', "\\"])
def test_market_block__cannot_be_broken_by_names(name: str, currency: str) -> None:
    """Quotes, line ends and controls in a file name or currency stay inside."""
    log = a_log([0], [0.0], [10.0])._replace(name=name)
    text = market_block(*fits(BGNBD, GAMMA_GAMMA), log, currency)
    read = tomllib.loads(text.encode("utf-8").decode("utf-8"))
    assert read["market"]["value"]["v"] == f"{currency}15.44"
    assert list(read) == ["market"]


@pytest.mark.parametrize("size", [1e-7, 1.0, 123456789.0])
def test_market_block__writes_numbers_without_exponents(size: float) -> None:
    """Amounts in tiny or huge units are read back to six digits."""
    log = a_log([0], [0.0], [10.0])
    text = market_block(*fits(BGNBD, GAMMA_GAMMA._replace(v=size)), log)
    written = tomllib.loads(text)["market"]["value"]["v"]
    assert "e" not in written
    assert float(written.removeprefix("$")) == pytest.approx(size, rel=1e-5)


def test_population_from_log__gives_each_customers_own_traits() -> None:
    """By hand for one who bought twice in 272 days and one who did not."""
    log = a_log([2, 0], [213.0, 0.0], [272.0, 189.0])
    traits = population_from_log(log, BGNBD, GAMMA_GAMMA)
    alive = conditional_alive(BGNBD, 2, 213 / 7, 272 / 7)
    assert traits.label == ("c00000", "c00001")
    assert traits.alive_probability.tolist() == [alive[0], 1.0]
    assert traits.rate_shape.tolist() == [2.2426, 0.2426]
    assert traits.rate_scale_days == pytest.approx([7 * 4.4136 + 272, 7 * 4.4136 + 189])
    assert traits.dropout_a.tolist() == [0.793, 0.793]
    assert traits.dropout_b.tolist() == [4.426, 2.426]
    assert traits.value_shape.tolist() == [3.74 + 2 * 6.25, 3.74]
    assert traits.value_rate.tolist() == [15.44 + 2 * 30, 15.44]
    assert traits.value_p == 6.25


def test_fit_log__gives_rates_per_week() -> None:
    """Customers of a mean rate of 1/60 a day, all of one year, have 7/60 a week."""
    rng = np.random.default_rng(31)
    x, t_x, spend = [], [], []
    for _ in range(1000):
        rate, dropout, t = rng.gamma(0.8, 1 / 48), rng.beta(1, 3), [0.0]
        while (then := t[-1] + rng.exponential(1 / rate)) <= 365:
            t.append(then)
            if rng.random() < dropout:
                break
        x.append(len(t) - 1)
        t_x.append(t[-1])
        spend.append(rng.gamma(6 * len(t)) / len(t) / rng.gamma(4, 1 / 15))
    log = a_log(x, t_x, [365.0] * 1000)
    bgnbd, gamma_gamma = fit_log(log._replace(mean_repeat_spend=np.array(spend)))
    params, errors = bgnbd.params, bgnbd.standard_errors
    assert abs(params.r - 0.8) < 4 * errors.r
    assert abs(params.alpha - 48 / 7) < 4 * errors.alpha
    assert errors.alpha < 48 / 7 / 4
    assert gamma_gamma.n == sum(count > 0 for count in x)


def spent(traits: PosteriorTraits, i: int, days: float) -> float:
    """Return what a customer is expected to spend, by integrals over all traits.

    Alive with λ and p, one buys (1 − exp(−λ·p·t))/p times by t.
    """
    rate = stats.gamma(traits.rate_shape[i], scale=1.0 / traits.rate_scale_days[i])
    dropout = stats.beta(traits.dropout_a[i], traits.dropout_b[i])

    def bought(p: float) -> float:
        def of(rate_now: float) -> float:
            return float(rate.pdf(rate_now) * -np.expm1(-rate_now * p * days) / p)

        return float(integrate.quad(of, 0.0, rate.ppf(1.0 - 1e-14), limit=200)[0])

    n, _ = integrate.quad(lambda u: bought(dropout.ppf(u)), 0.0, 1.0, limit=200)
    frailty = stats.gamma(traits.value_shape[i], scale=1.0 / traits.value_rate[i])
    value, _ = integrate.quad(lambda x: frailty.pdf(x) / x, 0.0, np.inf)
    return float(traits.alive_probability[i] * n * traits.value_p * value)


def test_expected_spend__is_the_integral_over_each_customers_traits() -> None:
    """Of one who bought once, one who bought often, and one long silent."""
    log = a_log([0, 9, 3], [0.0, 250.0, 40.0], [90.0, 260.0, 270.0])
    traits = population_from_log(log, BGNBD, GAMMA_GAMMA)
    for i, days in ((0, 730.0), (1, 30.0), (2, 730.0)):
        found = expected_spend(traits, days)
        assert found[i] == pytest.approx(spent(traits, i, days), rel=1e-5)
    assert expected_spend(traits, 0.0).tolist() == [0.0, 0.0, 0.0]


def test_expected_spend__is_endless_where_a_value_has_no_mean() -> None:
    """With q of 0.9 nothing is known of what one spends who bought once."""
    log = a_log([0, 9], [0.0, 250.0], [90.0, 260.0])
    traits = population_from_log(log, BGNBD, GammaGamma(6.25, 0.9, 15.44))
    first, second = expected_spend(traits, 365.0)
    assert first == np.inf
    assert 0.0 < second < np.inf
