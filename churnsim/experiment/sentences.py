"""A result in one sentence that a person can repeat and that claims no more than is so.

"Slow recovery costs this firm $1,234 a year per 1,000 customers (95 % CI $1,100 to
$1,370) against empowered recovery, most of it through customers who left without a
word."
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from churnsim.experiment.intervals import Estimate
from churnsim.experiment.losses import Loss, MainCause
from churnsim.records import MICRO
from churnsim.units import format_money

PER = "a year per 1,000 customers"
MOST = 0.5
CENTS_BELOW = 100
PAIRING_FROM = 5  # replications; fewer do not tell what pairing is worth
HELPS_FROM = 1.1  # variance factor

_SUBJECTS = {
    "empowered": "empowered recovery",
    "slow": "slow recovery",
    "dishonest": "dishonest recovery",
    "slow_and_dishonest": "slow and dishonest recovery",
    "by_the_book": "recovery by the book",
    "blame_game": "blaming the customer",
    "no_recovery": "having nobody to talk to",
    "flawless": "a flawless firm",
}
_LEAVERS = {
    "natural": "customers who drifted away",
    "silent": "customers who left without a word",
    "gave_up": "customers who gave up before they reached anyone",
    "abandoned": "customers who gave up waiting in line",
    "refused": "customers whose claim was refused",
    "slow": "customers who would wait no longer for the repair",
    "betrayed": "customers who found out a lie",
    "placated": "customers who were put off with a lie",
    "settled": "customers who left although their case was settled",
    "exhausted": "customers who had asked too often",
}


class Amount(Protocol):
    """An amount of money: per run, and a year per 1,000 customers."""

    @property
    def total(self) -> Estimate:
        """Return it per run."""

    @property
    def yearly(self) -> Estimate:
        """Return it a year and 1,000 starting customers."""


class Extent(NamedTuple):
    """How much of what was asked for stands behind a sentence."""

    n_asked: int
    n_finished: int
    n_failed: int
    currency: str
    # Over which amounts are told in all, where 1,000 customers at the start are no
    # measure: there are none, or more are won later. None: a year per 1,000 of them.
    years: float | None = None

    @property
    def per(self) -> str:
        """Return what an amount a year is of."""
        return PER if self.years is None else "a year"

    def a_year(self, amount: Amount) -> Estimate:
        """Return an amount a year: per 1,000 customers, or in all."""
        if self.years is None:
            return amount.yearly
        if not self.years:
            return amount.yearly._replace(mean=None, low=None, high=None)
        of = amount.total
        mean, low, high = (None if x is None else x / self.years for x in of[:3])
        return Estimate(mean, low, high, of.n)


def sentence_of(loss: Loss, extent: Extent) -> str:
    """Return what a policy costs the firm, in revenue or in contribution."""
    value = extent.a_year(loss)
    if value.mean is None:
        why = "no time passes" if extent.years == 0.0 else "nobody was simulated"
        text = f"There is no data on {subject(loss.policy)}: {why}."
    elif loss.is_zero:
        text = _no_difference(loss, extent)
    elif value.covers_zero:
        text = _undecided(loss, extent)
    elif value.mean > 0.0:
        text = _cost(loss, extent)
    else:
        text = _gain(loss, extent)
    return f"{text[0].upper()}{text[1:]}{left_out(extent)}"


def subject(policy: str) -> str:
    """Return a policy as the subject of a sentence."""
    return _SUBJECTS.get(policy, f'the policy "{policy}"')


def leavers(cause: str) -> str:
    """Return the customers lost by a cause, in words."""
    return _LEAVERS[cause]


def cause_clause(cause: MainCause | None) -> str:
    """Return by whom the money is lost, as the end of a sentence."""
    if cause is None:
        return ", though it loses no more customers: they spend less, or fewer are won"
    who = leavers(cause.cause)
    if cause.share is None:
        return f", with more {who}, though fewer are lost in all"
    if cause.share >= MOST:
        return f", most of it through {who}"
    return f", the largest part of it ({cause.share:.0%}) through {who}"


def interval_text(value: Estimate, extent: Extent) -> str:
    """Return how sure an amount is, for parentheses."""
    if value.low is None or value.high is None:
        alone = "one replication" if value.n == 1 else "one draw of what is not known"
        return f"{alone}, so no interval"
    rough = f"rough, {replications_text(value.n)}: " if value.is_rough else ""
    return f"{rough}{bounds_text(value, extent)}"


def bounds_text(value: Estimate, extent: Extent) -> str:
    """Return an amount's interval, where the sentence tells already how sure it is."""
    if value.low is None or value.high is None:
        return "no interval"
    low, high = money_text(value.low, extent), money_text(value.high, extent)
    return f"95 % CI {low} to {high}"


def left_out(extent: Extent) -> str:
    """Return what is missing from the result, as a sentence of its own."""
    n_missing = extent.n_asked - extent.n_finished - extent.n_failed
    if n_missing > 0:
        done = f"{extent.n_finished} of {replications_text(extent.n_asked)}"
        return f" Stopped early: {done} finished."
    if extent.n_failed:
        return f" {extent.n_failed} of {replications_text(extent.n_asked)} failed."
    return ""


def replications_text(n: int) -> str:
    """Return a number of replications in words."""
    return f"{n:,} replication{'' if n == 1 else 's'}"


def money_text(amount: float | None, extent: Extent) -> str:
    """Return an amount for people, without cents where they would only distract."""
    units = amount or 0.0
    rounded = round(units) if abs(units) >= CENTS_BELOW else units
    return format_money(round(rounded * MICRO), extent.currency)


def measure_text(measure: str) -> str:
    """Return what is lost, in words."""
    return measure.replace("_discounted", ", discounted,")


def negative(value: Estimate) -> Estimate:
    """Return the estimate of a gain as a loss's, and the other way round."""
    mean, low, high = (None if x is None else -x for x in value[:3])
    return Estimate(mean, high, low, value.n)


def _cost(loss: Loss, extent: Extent) -> str:
    value = extent.a_year(loss)
    what = "" if loss.measure == "revenue" else f" of {measure_text(loss.measure)}"
    return (
        f"{subject(loss.policy)} costs this firm {money_text(value.mean, extent)}{what}"
        f" {extent.per} ({interval_text(value, extent)}) against {subject(loss.other)}"
        f"{cause_clause(loss.cause)}."
    )


def _gain(loss: Loss, extent: Extent) -> str:
    gain = negative(extent.a_year(loss))
    what = f"{measure_text(loss.measure)} {extent.per}"
    return (
        f"{subject(loss.policy)} brings this firm {money_text(gain.mean, extent)} more "
        f"{what} ({interval_text(gain, extent)}) than {subject(loss.other)}."
    )


def _undecided(loss: Loss, extent: Extent) -> str:
    value = extent.a_year(loss)
    return (
        f"what {subject(loss.policy)} costs this firm against {subject(loss.other)} "
        f"cannot be told from zero with {replications_text(value.n)}: "
        f"{money_text(value.mean, extent)} of {measure_text(loss.measure)} "
        f"{extent.per} ({interval_text(value, extent)})."
    )


def _no_difference(loss: Loss, extent: Extent) -> str:
    n = extent.n_finished
    each = "in the one replication" if n == 1 else f"in each of {replications_text(n)}"
    what = measure_text(loss.measure)
    return (
        f"{subject(loss.policy)} makes no difference to this firm's {what} "
        f"against {subject(loss.other)}: it was the same {each}."
    )


def pairing_of(loss: Loss) -> str | None:
    """Return what common luck is worth, or None where nothing can be said of it.

    The variance factor says how many times as many replications it would take for the
    same interval if the two policies did not meet the same customers and the same luck.
    """
    factor, correlation = loss.variance_factor, loss.correlation
    if factor is None or correlation is None or loss.total.n < PAIRING_FROM:
        return None
    if factor < HELPS_FROM:
        return (
            "Meeting the same customers and luck does not help here (correlation "
            f"{correlation:.2f}): separate runs would tell as much."
        )
    return (
        "Both met the same customers and luck (correlation "
        f"{correlation:.2f}): separate runs would need {times_text(factor)} times as "
        "many replications."
    )


def control_text(
    expected: float, factors: Sequence[float], currency: str
) -> str | None:
    """Return what the control variate is worth, or None where it is not used.

    Args:
        expected: Revenue of a firm without mistakes per run [units of currency].
        factors: Variance without the control over that with it, by policy.
        currency: Of the amount.
    """
    if not factors:
        return None
    money = format_money(round(expected) * MICRO, currency)
    known = f"Without mistakes {money} can be expected, by a closed form."
    if max(factors) < HELPS_FROM:
        return f"{known} As control variate of revenue it does not help here."
    ends = dict.fromkeys((times_text(min(factors)), times_text(max(factors))))
    return (
        f"{known} With that as control variate, revenue is as sure as from"
        f" {' to '.join(ends)} times as many replications. Losses do without it: they"
        " are paired."
    )


def times_text(factor: float) -> str:
    """Return a factor in two digits, or whole above ten."""
    return f"{factor:,.0f}" if factor >= 10.0 else f"{factor:.1f}"
