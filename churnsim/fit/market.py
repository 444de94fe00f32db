"""What a log says about a market: a block of TOML, and each customer's own traits."""

import json
from typing import Final, NamedTuple

import numpy as np

from churnsim.errors import shown
from churnsim.fit import pareto_nbd
from churnsim.fit.bgnbd import (
    BgNbd,
    BgNbdFit,
    Posterior,
    coming_purchases,
    fit_bgnbd,
    posterior,
)
from churnsim.fit.gamma_gamma import (
    GammaGamma,
    GammaGammaFit,
    fit_gamma_gamma,
    value_posterior,
)
from churnsim.fit.likelihood import FloatArray
from churnsim.fit.pareto_nbd import ParetoNbd
from churnsim.fit.transactions import DAYS_PER_WEEK, TransactionLog

WEEKS_PER_YEAR: Final = 365.25 / DAYS_PER_WEEK


class Outlook(NamedTuple):
    """What a Pareto/NBD model expects: of the customers of a log, and of a new one."""

    alive: float  # customers still there at the end of the window
    coming: float  # purchases of all of them in the year after
    held_out: float  # and from the end of the window to the log's last day
    new_alive: float  # share of new customers still there after a year [-]
    new_coming: float  # repeat purchases of a new customer in a year
    new_discounted: float  # and in all, discounted


class PosteriorTraits(NamedTuple):
    """From what each customer's traits are drawn, arrays of shape (customers,).

    The customer is alive with `alive_probability`; then the rate is
    Gamma(rate_shape, 1/rate_scale_days) a day and the dropout after a purchase
    Beta(dropout_a, dropout_b). The mean value is value_p/ν, with
    ν ~ Gamma(value_shape, 1/value_rate). All four are independent. The clock starts at
    the end of the log's window.
    """

    label: tuple[str, ...]  # as in the log, sorted
    age_days: FloatArray  # T, from the first purchase to the end of the window
    alive_probability: FloatArray  # [-], in (0, 1]
    rate_shape: FloatArray  # r + x [-]
    rate_scale_days: FloatArray  # α + T [days]
    dropout_a: FloatArray  # a [-]
    dropout_b: FloatArray  # b + x [-]
    value_shape: FloatArray  # q + p·n [-]
    value_rate: FloatArray  # v + n·mean [currency]
    value_p: float  # p [-], of all customers


def fit_log(log: TransactionLog) -> tuple[BgNbdFit, GammaGammaFit]:
    """Return both fits of a log, with α in weeks and v in the log's currency.

    Raises:
        FitError: When the log does not determine the parameters.
    """
    return (
        fit_bgnbd(log.x, log.t_x_weeks, log.age_weeks),
        fit_gamma_gamma(log.mean_repeat_spend, log.n_spend),
    )


def outlook(params: ParetoNbd, log: TransactionLog, discount: float) -> Outlook:
    """Return what a Pareto/NBD model expects.

    Args:
        params: Parameters in weeks.
        log: The log they were fitted to.
        discount: What a year takes off [-], above 0.
    """
    history = (log.x, log.t_x_weeks, log.age_weeks)
    later = (log.last - log.end).days / DAYS_PER_WEEK
    week = float(np.log1p(discount)) / WEEKS_PER_YEAR
    coming = [
        float(pareto_nbd.conditional_expected_purchases(params, t, *history).sum())
        for t in (WEEKS_PER_YEAR, max(later, 0.0))
    ]
    return Outlook(
        alive=float(pareto_nbd.conditional_alive(params, *history).sum()),
        coming=coming[0],
        held_out=coming[1],
        new_alive=float(pareto_nbd.probability_alive(params, WEEKS_PER_YEAR)),
        new_coming=float(pareto_nbd.expected_purchases(params, WEEKS_PER_YEAR)),
        new_discounted=float(pareto_nbd.discounted_purchases(params, week)[0]),
    )


def market_block(
    bgnbd: BgNbdFit,
    gamma_gamma: GammaGammaFit,
    log: TransactionLog,
    currency: str = "$",
) -> str:
    """Return a `[market]` table with the fitted laws, and their origin as comments.

    Args:
        bgnbd: Fit with α in weeks, as `fit_log` gives it.
        gamma_gamma: Fit in the log's currency.
        log: The log both were fitted to.
        currency: Symbol to put before amounts; a log does not name its own.
    """
    r, alpha, a, b = (_number(value) for value in bgnbd.params)
    r_se, alpha_se, a_se, b_se = (f"{value:.2g}" for value in bgnbd.standard_errors)
    p, q, v = (_number(value) for value in gamma_gamma.params)
    p_se, q_se, v_se = (f"{value:.2g}" for value in gamma_gamma.standard_errors)
    scale, rate = _text(f"{alpha} weeks"), _text(f"{currency}{v}")
    return f"""\
# Fitted to {shown(log.name)}, sha256 {log.sha256}
# {bgnbd.n} customers, {int(log.x.sum())} repeat purchases, {log.first} to {log.end}
# BG/NBD: log-likelihood {bgnbd.log_likelihood:.2f}; the mean rate is shape/scale
# gamma-gamma: {gamma_gamma.n} customers with repeat spend, \
log-likelihood {gamma_gamma.log_likelihood:.2f},
#   correlation of purchases and spend {gamma_gamma.correlation:.2f} (law: 0)
# s.e. is the standard error
[market]
relationship = "purchase"
rate = {{ law = "gamma", shape = {r}, scale = {scale} }}  # s.e. {r_se}, {alpha_se}
dropout = {{ law = "beta", a = {a}, b = {b} }}  # s.e. {a_se}, {b_se}
value = {{ law = "gamma_gamma", p = {p}, q = {q}, v = {rate} }}  \
# s.e. {p_se}, {q_se}, {v_se}
"""


def population_from_log(
    log: TransactionLog, bgnbd: BgNbd, gamma_gamma: GammaGamma
) -> PosteriorTraits:
    """Return from what each customer's traits are drawn, given that customer's history.

    Args:
        log: The histories.
        bgnbd: Parameters with α in weeks.
        gamma_gamma: Parameters in the log's currency.
    """
    traits = posterior(bgnbd, log.x, log.t_x_weeks, log.age_weeks)
    value = value_posterior(gamma_gamma, log.mean_repeat_spend, log.n_spend)
    return PosteriorTraits(
        label=log.customers,
        age_days=log.age_weeks * DAYS_PER_WEEK,
        alive_probability=traits.alive_probability,
        rate_shape=traits.rate_shape,
        rate_scale_days=traits.rate_scale * DAYS_PER_WEEK,
        dropout_a=traits.dropout_a,
        dropout_b=traits.dropout_b,
        value_shape=value.shape,
        value_rate=value.rate,
        value_p=gamma_gamma.p,
    )


def expected_spend(traits: PosteriorTraits, days: float) -> FloatArray:
    """Return what each customer is expected to spend, nothing going wrong [currency].

    Expected purchases (Fader, Hardie & Lee 2005, equation 10) times the expected mean
    value p·rate/(shape − 1), since they are independent; inf where a value has no mean.

    Args:
        traits: What the log says of each customer, shape (customers,).
        days: How long after the end of the log's window [days].
    """
    now = Posterior(
        traits.alive_probability,
        traits.rate_shape,
        traits.rate_scale_days,
        traits.dropout_a,
        traits.dropout_b,
    )
    with np.errstate(divide="ignore"):
        value = (
            traits.value_p * traits.value_rate / np.maximum(traits.value_shape - 1, 0.0)
        )
    return coming_purchases(now, days) * value if days else np.zeros(len(value))


def _number(value: float) -> str:
    """Return six digits without an exponent, as TOML and amounts are written."""
    return np.format_float_positional(value, precision=6, fractional=False, trim="0")


def _text(value: str) -> str:
    """Return a TOML string; JSON's escapes are among TOML's."""
    return json.dumps(value)
