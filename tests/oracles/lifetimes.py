"""Closed forms for lifetimes, purchases and revenue, with and without mistakes.

Rates are per unit of time and times are in that unit; any unit will do. X counts
purchases after the first one, which is at time 0. A trait is a constant or a law.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import integrate, special


class Gamma(NamedTuple):
    """A Gamma law."""

    shape: float  # r [-]
    rate: float  # α [time], mean is r/α


class Beta(NamedTuple):
    """A Beta law."""

    a: float  # [-]
    b: float  # [-], mean is a/(a + b)


class Mistakes(NamedTuple):
    """What mistakes do when desks are instant and nothing is remembered."""

    share: float = 0.0  # q, share of occasions that fail [-]
    leave: float = 0.0  # π, probability of leaving at one mistake [-]


class Span(NamedTuple):
    """The time over which revenue is counted."""

    horizon: float = math.inf  # T [time]
    discount: float = 0.0  # δ, continuous [1/time]


class Habit(NamedTuple):
    """How one purchases and drops out."""

    rate: float | Gamma  # λ [1/time]
    dropout: float | Beta  # p, after each ordinary purchase [-]
    mistakes: Mistakes = Mistakes()


WHOLE_LIFE = Span()


def survival(hazard: float, time: float) -> float:
    """Return the share alive at t under a constant hazard: exp(−h·t).

    With h = μ + φ·π: baseline μ, mistakes at rate φ, each of which makes one leave
    with probability π; a Poisson stream thinned is Poisson.

    Source:
        Kingman 1993, Poisson Processes, 5.1 (colouring theorem).
    """
    return math.exp(-hazard * time)


def thinned_hazard(baseline: float, mistake_rate: float, leave: float) -> float:
    """Return the hazard of leaving: μ + φ·π, the rate of an exponential lifetime.

    Source:
        Kingman 1993, 5.1.
    """
    return baseline + mistake_rate * leave


def lifetime_value(
    revenue_rate: float, hazard: float, span: Span = WHOLE_LIFE
) -> float:
    """Return expected revenue up to T: m·(1 − exp(−(h + δ)·T)) / (h + δ).

    The discounted lifetime value m/(h + δ) where T is infinite; m·T where h + δ = 0.

    Args:
        revenue_rate: m [money/time] while alive.
        hazard: h [1/time].
        span: T and δ.

    Source:
        Gupta & Lehmann 2003 for T infinite; the integral of m·exp(−(h + δ)·t).
    """
    total = hazard + span.discount
    if total == 0:
        return revenue_rate * span.horizon
    return -revenue_rate * math.expm1(-total * span.horizon) / total


def purchase_alive(habit: Habit, time: float) -> float:
    """Return the share of customers alive at t.

    E[exp(−λ·g·t)] with g = p + q·π·(1 − p); over a Gamma rate (1 + g·t/α)^{−r}.

    Source:
        Fader, Hardie & Lee 2005; the integral over p is numerical.
    """

    def given(gone: float) -> float:
        if isinstance(habit.rate, Gamma):
            return math.pow(1 + gone * time / habit.rate.rate, -habit.rate.shape)
        return math.exp(-habit.rate * gone * time)

    return _mean_over_dropout(habit, given)


def purchase_flow(habit: Habit, time: float) -> float:
    """Return purchases expected per unit of time at t: E[λ·exp(−λ·g·t)].

    Over a Gamma rate (r/α)·(1 + g·t/α)^{−(r+1)}; g as in `purchase_alive`.

    Source:
        Derivative of `purchase_count`.
    """

    def given(gone: float) -> float:
        if isinstance(habit.rate, Gamma):
            shape, rate = habit.rate
            return shape / rate * math.pow(1 + gone * time / rate, -shape - 1)
        return habit.rate * math.exp(-habit.rate * gone * time)

    return _mean_over_dropout(habit, given)


def purchase_count(habit: Habit, time: float) -> float:
    """Return purchases expected up to t: E[(1 − exp(−λ·g·t))/g].

    The purchase that goes wrong and the last one count; g as in `purchase_alive`.

    Source:
        Fader, Hardie & Lee 2005, eq. 9, before its integral over p.
    """

    def given(gone: float) -> float:
        if isinstance(habit.rate, Gamma):
            shape, rate = habit.rate
            if gone == 0:
                return shape / rate * time
            return -math.expm1(-shape * math.log1p(gone * time / rate)) / gone
        return lifetime_value(habit.rate, habit.rate * gone, Span(time))

    return _mean_over_dropout(habit, given)


def purchase_revenue(habit: Habit, value: float, span: Span) -> float:
    """Return expected revenue of purchases after the first, up to T, discounted.

    m·∫ exp(−δ·t)·E[λ·exp(−λ·g·t)] dt over [0, T].

    Args:
        habit: λ, p and mistakes.
        value: m [money] per purchase.
        span: T, finite where a trait is a law, and δ.

    Source:
        As `purchase_count`.
    """
    if span.discount == 0:
        return value * purchase_count(habit, span.horizon)
    flow, _ = integrate.quad(
        lambda t: math.exp(-span.discount * t) * purchase_flow(habit, t),
        0,
        span.horizon,
        epsabs=0.0,
        epsrel=1e-9,
        limit=200,
    )
    return value * float(flow)


def bgnbd_expected(rate: Gamma, dropout: Beta, time: float) -> float:
    """Return E[X(t)] of the BG/NBD.

    (a+b−1)/(a−1)·[1 − (α/(α+t))^r·₂F₁(r, b; a+b−1; t/(α+t))], a other than 1.

    Source:
        Fader, Hardie & Lee 2005, "Counting your customers the easy way", eq. 9.
    """
    r, alpha = rate
    a, b = dropout
    series = special.hyp2f1(r, b, a + b - 1, time / (alpha + time))
    return float((a + b - 1) / (a - 1) * (1 - (alpha / (alpha + time)) ** r * series))


def bgnbd_alive(rate: Gamma, dropout: Beta, time: float) -> float:
    """Return the share alive at t under the BG/NBD: ₂F₁(r, a; a+b; −t/α).

    Source:
        E[(1 + p·t/α)^{−r}] over p ~ Beta(a, b), Euler's integral.
    """
    total = dropout.a + dropout.b
    return float(special.hyp2f1(rate.shape, dropout.a, total, -time / rate.rate))


def bgnbd_probability(rate: Gamma, dropout: Beta, time: float, count: int) -> float:
    """Return P(X(t) = x) of the BG/NBD.

    B(a, b+x)/B(a, b)·NB(x) + [x>0]·B(a+1, b+x−1)/B(a, b)·(1 − Σ_{j<x} NB(j)), with
    NB(j) = Γ(r+j)/(Γ(r)·j!)·(α/(α+t))^r·(t/(α+t))^j.

    Source:
        Fader, Hardie & Lee 2005, eq. 8.
    """
    r, alpha = rate
    a, b = dropout
    j = np.arange(count + 1)
    logs = special.gammaln(r + j) - special.gammaln(r) - special.gammaln(j + 1)
    logs += r * math.log(alpha / (alpha + time)) + j * math.log(time / (alpha + time))
    counts = np.exp(logs)
    whole = special.betaln(a, b)
    staying = math.exp(special.betaln(a, b + count) - whole) * counts[-1]
    if count == 0:
        return float(staying)
    last = math.exp(special.betaln(a + 1, b + count - 1) - whole)
    return float(staying + last * (1 - counts[:-1].sum()))


def bgnbd_conditional(
    rate: Gamma, dropout: Beta, history: tuple[int, float, float], time: float
) -> float:
    """Return the purchases expected in the next t, given x purchases, last at t_x.

    (a+b+x−1)/(a−1)·[1 − ((α+T)/(α+T+t))^{r+x}·₂F₁(r+x, b+x; a+b+x−1; t/(α+T+t))]
    / (1 + [x>0]·a/(b+x−1)·((α+T)/(α+t_x))^{r+x}).

    Args:
        rate: (r, α).
        dropout: (a, b).
        history: (x, t_x, T).
        time: t.

    Source:
        Fader, Hardie & Lee 2005, eq. 10.
    """
    r, alpha = rate
    a, b = dropout
    count, last_at, seen = history
    whole = alpha + seen
    series = special.hyp2f1(
        r + count, b + count, a + b + count - 1, time / (whole + time)
    )
    top = 1 - (whole / (whole + time)) ** (r + count) * series
    gone = a / (b + count - 1) * (whole / (alpha + last_at)) ** (r + count)
    return float((a + b + count - 1) / (a - 1) * top / (1 + (count > 0) * gone))


def bgnbd_log_likelihood(
    rate: Gamma, dropout: Beta, history: tuple[int, float, float]
) -> float:
    """Return the log-likelihood of x purchases, the last at t_x, watched until T.

    L = Γ(r+x)·α^r/Γ(r)·[B(a, b+x)/B(a, b)·(α+T)^{−r−x}
    + [x>0]·B(a+1, b+x−1)/B(a, b)·(α+t_x)^{−r−x}].

    Args:
        rate: (r, α).
        dropout: (a, b).
        history: (x, t_x, T).

    Source:
        Fader, Hardie & Lee 2005, eq. 6.
    """
    r, alpha = rate
    a, b = dropout
    count, last_at, seen = history
    alive = special.betaln(a, b + count) - (r + count) * math.log(alpha + seen)
    gone = -math.inf
    if count > 0:
        gone = special.betaln(a + 1, b + count - 1)
        gone -= (r + count) * math.log(alpha + last_at)
    shared = special.gammaln(r + count) - special.gammaln(r) - special.betaln(a, b)
    return float(shared + r * math.log(alpha) + np.logaddexp(alive, gone))


def renewal_survival(cancel: float | Beta, n_renewals: int) -> float:
    """Return the share left after n renewals: B(a, b+n)/B(a, b), or (1 − θ)^n.

    Source:
        Fader & Hardie 2007, "How to project customer retention", eq. 6 (sBG).
    """
    if isinstance(cancel, Beta):
        a, b = cancel
        return math.exp(special.betaln(a, b + n_renewals) - special.betaln(a, b))
    return math.pow(1 - cancel, n_renewals)


def sbg_retention(cancel: Beta, n_renewals: int) -> float:
    """Return the share of those up for the n-th renewal who renew: (b+n−1)/(a+b+n−1).

    Source:
        Fader & Hardie 2007, eq. 8.
    """
    return (cancel.b + n_renewals - 1) / (cancel.a + cancel.b + n_renewals - 1)


def sbg_lifetime(cancel: Beta, discount: float) -> float:
    """Return the discounted lifetime of a new customer (DEL), the first fee included.

    Σ_{n≥0} S(n)/(1+d)^n = ₂F₁(1, b; a+b; 1/(1+d)), d per period.

    Source:
        Fader & Hardie 2010, "Customer-base valuation in a contractual setting".
    """
    total = cancel.a + cancel.b
    return float(special.hyp2f1(1, cancel.b, total, 1 / (1 + discount)))


def sbg_residual(cancel: Beta, discount: float, n_renewals: int) -> float:
    """Return the discounted residual lifetime (DERL) just before the n-th renewal.

    (b+n−1)/(a+b+n−1)·₂F₁(1, b+n; a+b+n; 1/(1+d)), d per period.

    Source:
        Fader & Hardie 2010.
    """
    later = Beta(cancel.a, cancel.b + n_renewals)
    return sbg_retention(cancel, n_renewals) * sbg_lifetime(later, discount)


def subscription_alive(
    cancel: float | Beta, n_periods: float, hazard: float = 0.0
) -> float:
    """Return the share alive after any number of periods, renewal phases uniform.

    exp(−h·t)·[(1 − f)·S(n) + f·S(n + 1)], t = n + f.

    Args:
        cancel: θ.
        n_periods: t [periods] since a moment at which all were alive.
        hazard: h [1/period], of leaving at once after a mistake.

    Source:
        A renewal at a uniform phase falls into a stretch f of a period with chance f.
    """
    whole = math.floor(n_periods)
    rest = n_periods - whole
    here, later = (renewal_survival(cancel, whole + i) for i in (0, 1))
    return math.exp(-hazard * n_periods) * ((1 - rest) * here + rest * later)


def subscription_revenue(
    cancel: float | Beta, fee: float, span: Span, hazard: float = 0.0
) -> float:
    """Return expected revenue up to T periods of a fee that accrues continuously.

    fee·∫ exp(−δ·t)·alive(t) dt over [0, T], by Gauss-Legendre within each period.

    Args:
        cancel: θ.
        fee: [money/period].
        span: T [periods], finite, and δ [1/period].
        hazard: h [1/period], as in `subscription_alive`.

    Source:
        Integral of `subscription_alive`.
    """
    nodes, weights = np.polynomial.legendre.leggauss(24)
    total = 0.0
    for start in range(math.ceil(span.horizon)):
        half = (min(start + 1, span.horizon) - start) / 2
        for node, weight in zip(nodes, weights, strict=True):
            t = start + half * (node + 1)
            alive = subscription_alive(cancel, t, hazard)
            total += weight * half * math.exp(-span.discount * t) * alive
    return fee * float(total)


def _mean_over_dropout(habit: Habit, given: Callable[[float], float]) -> float:
    """Return E[given(g)] over the dropout p, with g = p + q·π·(1 − p)."""
    share, leave = habit.mistakes
    if not isinstance(habit.dropout, Beta):
        return given(habit.dropout + share * leave * (1 - habit.dropout))
    a, b = habit.dropout
    whole, _ = integrate.quad(
        lambda p: given(p + share * leave * (1 - p)),
        0,
        1,
        weight="alg",
        wvar=(a - 1, b - 1),
        epsabs=0.0,
        epsrel=1e-11,
    )
    return float(whole) / float(special.beta(a, b))
