"""Closed forms for what mistakes and recovery do: shares, lies, contacts, news."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple, TypeVar

import numpy as np

from tests.oracles.queues import FloatArray

_Share = TypeVar("_Share", float, Fraction)


class Tarp(NamedTuple):
    """Shares who buy again after a problem, by what became of it."""

    silent: float  # said nothing [-]
    unresolved: float  # spoke up, nothing was done [-]
    resolved: float  # spoke up, put right [-]
    quick: float  # spoke up, put right quickly [-]


class Credits(NamedTuple):
    """What takes grievance away, in log-odds of staying."""

    heard: float
    settled: float
    quick: float


class Recovery(NamedTuple):
    """What becomes of a mistake."""

    voiced: float  # c, share who speak up [-]
    settled: float  # s, share of those put right [-]
    quick: float  # f, share of those put right quickly [-]


class MarketDamage(NamedTuple):
    """Customers lost by a batch of problems."""

    cells: tuple[int, int, int, int]  # silent, unresolved, resolved, quick
    customers: int
    money: int


class LieEffects(NamedTuple):
    """What a lie does to a customer, in log-odds of staying."""

    sting: float  # of the mistake
    heard: float  # taken off at the first contact
    placated: float  # taken off by a lie until it is found out
    lie_sting: float  # added by each lie found out
    betrayal: float  # taken off trust by each lie found out
    contact_sting: float  # added by each contact after the first


class Lies(NamedTuple):
    """What comes of an episode in which staff always lie."""

    contacts: FloatArray  # P(exactly k contacts), k = 1, 2, … [-]
    found_out_mean: float  # lies found out, per episode [-]
    betrayed: FloatArray  # P(leaves at the n-th lie found out), n = 1, 2, … [-]
    placated: FloatArray  # P(leaves at a close after n found out), n = 0, 1, … [-]
    exhausted: float  # P(leaves when attempts have run out) [-]
    stays: float  # [-]


class News(NamedTuple):
    """How word of mouth travels."""

    decay: float  # [1/time]
    period: float  # [time]
    population: int  # at the start [customers]


TARP = {
    "minor": Tarp(0.37, 0.46, 0.70, 0.95),
    "major": Tarp(0.09, 0.19, 0.54, 0.82),
}


def leave_probability(
    grievance: float, *, kappa: float = 1.0, lock_in: float = 0.0, trust: float = 0.0
) -> float:
    """Return the probability of leaving: κ·(1 − 1/(1 + exp(−(lock_in + τ − γ)))).

    Source:
        The exit equation, a logistic curve in log-odds.
    """
    return kappa / (1 + math.exp(lock_in + trust - grievance))


def tarp_sting(kind: str) -> float:
    """Return the sting that makes the silent stay as published: −logit(R_silent).

    Args:
        kind: "minor" (loss under $5) or "major" (over $100).

    Source:
        TARP repurchase table, as printed by Goodman.
    """
    return -_logit(TARP[kind].silent)


def tarp_credits(kind: str) -> Credits:
    """Return what being heard, settled and settled quickly take off grievance.

    Differences of logits along the row: silent, unresolved, resolved, quick.

    Args:
        kind: "minor" or "major".

    Source:
        TARP repurchase table, as printed by Goodman.
    """
    silent, unresolved, resolved, quick = (_logit(share) for share in TARP[kind])
    return Credits(unresolved - silent, resolved - unresolved, quick - resolved)


def leave_per_mistake(row: Tarp, recovery: Recovery) -> float:
    """Return the probability of leaving at one mistake, over all it may come to.

    (1−c)(1−R₁) + c·[(1−s)(1−R₂) + s·((1−f)(1−R₃) + f·(1−R₄))].

    Source:
        Total probability over TARP's cells.
    """
    shares = _cell_shares(*recovery)
    return sum(share * (1 - stay) for share, stay in zip(shares, row, strict=True))


def market_damage(
    n_problems: int, row: Tarp, recovery: Recovery, value: int
) -> MarketDamage:
    """Return customers and money lost, cell by cell, in exact integers.

    n·share of the cell·(1 − R of the cell); money is customers·value.

    Args:
        n_problems: Customers with a problem. The published cells are those of
            20,000 problems, half voiced, half of those settled, half of those quickly.
        row: Shares who stay.
        recovery: What becomes of a problem.
        value: Money per customer lost.

    Source:
        TARP market damage model (Goodman).
    """
    exact = [Fraction(str(share)) for share in recovery]
    shares = _cell_shares(*exact)
    cells = [
        n_problems * share * (1 - Fraction(str(stay)))
        for share, stay in zip(shares, row, strict=True)
    ]
    if any(cell.denominator != 1 for cell in cells):
        raise ValueError(f"cells must be whole customers; got {list(map(str, cells))}")
    silent, unresolved, resolved, quick = (int(cell) for cell in cells)
    customers = silent + unresolved + resolved + quick
    return MarketDamage(
        (silent, unresolved, resolved, quick), customers, customers * value
    )


def contact_probabilities(again: float, n_max: int) -> FloatArray:
    """Return P(exactly k contacts), k = 1 … n_max, when each leads to another.

    again^{k−1}·(1 − again), and again^{n_max−1} at n_max, where attempts run out.

    Args:
        again: Chance of one more contact: 1 − FCR, or the discovery probability.
        n_max: Most contacts possible.

    Source:
        Geometric law.
    """
    reached = again ** np.arange(n_max, dtype=np.float64)
    return np.asarray(reached - np.append(reached[1:], 0.0), dtype=np.float64)


def contact_mean(first_contact_resolution: float) -> float:
    """Return mean contacts to settle a case: 1/FCR.

    Source:
        Geometric law.
    """
    return 1 / first_contact_resolution


def betrayal_probabilities(
    effects: LieEffects, n: int, *, kappa: float = 1.0, lock_in: float = 0.0
) -> FloatArray:
    """Return P(leave) at the first … n-th lie found out: p_1 ≤ p_2 ≤ ….

    γ_n = sting − heard + n·lie_sting + (n − 1)·contact_sting, τ_n = −n·betrayal,
    where hoops and apologies weigh nothing and trust was 0.

    Source:
        The exit equation after n lies, each placation having been taken back.
    """
    grievances = [
        effects.sting
        - effects.heard
        + k * effects.lie_sting
        + (k - 1) * effects.contact_sting
        for k in range(1, n + 1)
    ]
    return np.array(
        [
            leave_probability(
                grievance, kappa=kappa, lock_in=lock_in, trust=-k * effects.betrayal
            )
            for k, grievance in enumerate(grievances, start=1)
        ]
    )


def placated_probabilities(
    effects: LieEffects, n: int, *, kappa: float = 1.0, lock_in: float = 0.0
) -> FloatArray:
    """Return P(leave) at a close by a believed lie, after 0 … n − 1 found out.

    γ = sting − heard + k·(lie_sting + contact_sting) − placated, τ = −k·betrayal.

    Source:
        The exit equation; see `betrayal_probabilities`.
    """
    base = effects.sting - effects.heard - effects.placated
    step = effects.lie_sting + effects.contact_sting
    return np.array(
        [
            leave_probability(
                base + k * step,
                kappa=kappa,
                lock_in=lock_in,
                trust=-k * effects.betrayal,
            )
            for k in range(n)
        ]
    )


def lies_only(
    discovery: float,
    found_out: Sequence[float] | FloatArray,
    closed: Sequence[float] | FloatArray,
    exhausted: float = 0.0,
) -> Lies:
    """Return what comes of an episode in which staff lie each time.

    One uniform tolerance u is compared with all decisions. With P_n the largest of
    p_1 … p_n: leaves at the n-th lie found out d^n·(P_n − P_{n−1}); is believed and
    leaves at that close d^n·(1−d)·(c_n − P_n)⁺; k contacts or more
    d^{k−1}·(1 − P_{k−1}). After the last of the given lies one more contact closes the
    case as exhausted: with a limit of M attempts, M − 1 lies can be found out.

    Args:
        discovery: d, the chance that a lie is found out.
        found_out: p_n, n = 1 … M − 1, the chance of leaving then.
        closed: c_n, n = 0 … M − 2, the chance of leaving when believed after n lies.
        exhausted: The same when attempts have run out.

    Source:
        Geometric law, and the one tolerance of an episode: leaving at the first n
        with p_n > u has probability P_n − P_{n−1}.
    """
    if len(found_out) != len(closed):
        raise ValueError("found_out and closed must be of one length")
    worst = np.array([0.0, *accumulate(found_out, max)])
    reached = discovery ** np.arange(len(worst), dtype=np.float64)
    at_contact = reached * (1 - worst)
    betrayed = reached[1:] * np.diff(worst)
    margins = np.maximum(np.asarray(closed) - worst[:-1], 0.0)
    placated = reached[:-1] * (1 - discovery) * margins
    last = float(reached[-1] * max(exhausted - worst[-1], 0.0))
    contacts = at_contact - np.append(at_contact[1:], 0.0)
    left = float(betrayed.sum() + placated.sum()) + last
    return Lies(
        contacts=contacts,
        found_out_mean=float(discovery * at_contact[:-1].sum()),
        betrayed=betrayed,
        placated=placated,
        exhausted=last,
        stays=1 - left,
    )


def reputation(bad: Sequence[int], good: Sequence[int], news: News) -> FloatArray:
    """Return how bad the firm's name is in each period: R_0 … R_K.

    R_0 = 0, R_{k+1} = R_k·exp(−decay·period) + (bad_k − good_k)/population.

    Args:
        bad: Tellings in each period, in thousandths.
        good: The same.
        news: How it travels.

    Source:
        A stock with exponential forgetting, fed once a period.
    """
    keep = math.exp(-news.decay * news.period)
    levels = [0.0]
    for worse, better in zip(bad, good, strict=True):
        told = (worse - better) / 1000
        levels.append(levels[-1] * keep + told / news.population)
    return np.array(levels)


def win_probability(conversion: float, influence: float, level: float) -> float:
    """Return the chance of winning a prospect: min(1, conversion·exp(−influence·R)).

    Source:
        Exponential response to reputation.
    """
    return min(1.0, conversion * math.exp(-influence * level))


def _logit(share: float) -> float:
    """Return ln(x/(1 − x))."""
    return math.log(share / (1 - share))


def _cell_shares(
    voiced: _Share, settled: _Share, quick: _Share
) -> tuple[_Share, _Share, _Share, _Share]:
    """Return the shares of problems in TARP's four cells."""
    resolved = voiced * settled
    return (
        1 - voiced,
        voiced * (1 - settled),
        resolved * (1 - quick),
        resolved * quick,
    )
