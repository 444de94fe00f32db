"""What a log tells about a firm: figures with standard errors, or why there is none.

A customer-year counts from when a customer entered, or the window's start, to when it
was lost, or the window's end. Customers are independent of each other, a customer's own
cases and years are not; so the error of a ratio R = Σa/Σb over customers is that of
clusters,

    s.e.² = n/(n − 1) Σ (a_i − R b_i)² / (Σb)²,

and a share of customers has the binomial one, which follows from how many there were.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.data.records import (
    DAY,
    NEVER,
    OUTCOMES,
    YEAR_DAYS,
    EventLog,
    Figure,
    LeftOut,
    Observed,
)

YEAR: Final = YEAR_DAYS * DAY  # seconds
AMOUNTLESS_MAX: Final = 0.1  # share of purchases; with more, spend is another figure
RULE_OF_THREE: Final = 3.0  # −ln .05: none in n is compatible with up to 3/n, at 95 %
ALL_LOST: Final = "all customers of the log are lost: nobody is left who could stay"

Told = Figure | LeftOut


class _Exposure(NamedTuple):
    """Time under observation, shape (customers,) each."""

    since: NDArray[np.int64]  # [s since 1970]
    until: NDArray[np.int64]  # [s since 1970]
    years: NDArray[np.float64]
    lost: NDArray[np.bool_]  # within the window


def observed(log: EventLog) -> Observed:
    """Return each figure that the log tells, and why it does not tell the others."""
    exposure = _exposure(log)
    told: list[Told] = [
        _churn(log, exposure),
        _churn_after_complaint(log, exposure),
        _complaint_rate(log, exposure),
        _first_contact_resolution(log),
        _repeat_contacts(log),
        *(_repurchase(log, outcome) for outcome in OUTCOMES),
        _spend_ratio(log, exposure),
        LeftOut("wait", "no column of a log of events holds it: add it by hand"),
        LeftOut("abandonment", "no column of a log of events holds it: add it by hand"),
    ]
    return Observed(
        tuple(item for item in told if isinstance(item, Figure)),
        tuple(item for item in told if isinstance(item, LeftOut)),
    )


def ratio(
    above: NDArray[np.float64], below: NDArray[np.float64]
) -> tuple[float, float | None]:
    """Return Σa/Σb over customers, and its standard error; None of fewer than two.

    Args:
        above: By customer, shape (customers,).
        below: By customer, at least 0; customers where it is 0, as `above`, add
            nothing.

    Source:
        The variance of a ratio of means over independent clusters: Cochran, Sampling
        Techniques (1977), 6.4, without the correction for a finite population.
    """
    total = float(below.sum())
    value = float(above.sum()) / total
    n = int(np.count_nonzero((below > 0) | (above != 0)))
    if n < 2:
        return value, None
    left = above - value * below
    return value, float(np.sqrt(n / (n - 1) * (left @ left))) / total


def _exposure(log: EventLog) -> _Exposure:
    customers = log.customers
    since = np.maximum(customers.entered, log.start)
    is_lost = (customers.lost != NEVER) & (customers.lost <= log.end)
    until = np.where(is_lost, customers.lost, log.end)
    return _Exposure(
        since=since,
        until=until,
        years=np.maximum(until - since, 0) / YEAR,
        lost=is_lost & (customers.lost >= since),
    )


def _churn(log: EventLog, exposure: _Exposure) -> Told:
    """Return customers lost per customer-year within the window."""
    n, years = int(exposure.lost.sum()), float(exposure.years.sum())
    told = f"{n:,} lost in {years:,.1f} customer-years"
    if not n:
        hint = (
            "; give --lost-after to count silence" if not log.windows.lost_after else ""
        )
        most = RULE_OF_THREE / years
        reason = f"{told}: all that can be told is at most {most:.2%} a year{hint}"
        return LeftOut("churn", reason)
    if bool((log.customers.lost != NEVER).all()):
        return LeftOut("churn", ALL_LOST)
    return _rate("churn", exposure.lost.astype(np.float64), exposure.years, told)


def _churn_after_complaint(log: EventLog, exposure: _Exposure) -> Told:
    """Return, of the customers lost within the window, who had complained before.

    A complaint is a contact of a case, at any time in the log until the loss.
    """
    customers = log.customers
    n = int(exposure.lost.sum())
    if not n:
        return LeftOut("churn_after_complaint", "no customer was lost in the window")
    had = exposure.lost & (customers.complained != NEVER)
    had &= customers.complained <= customers.lost
    told = f"{int(had.sum()):,} of {n:,} customers lost"
    share = int(had.sum()) / n
    return Figure("churn_after_complaint", None, share, False, None, n, told)


def _complaint_rate(log: EventLog, exposure: _Exposure) -> Told:
    """Return first contacts of cases per customer-year, within the window."""
    cases = log.cases
    if bool((log.customers.lost != NEVER).all()):
        return LeftOut("complaint_rate", ALL_LOST)
    if not int((cases.contacted != NEVER).sum()):
        return LeftOut("complaint_rate", "the log has no contact")
    inside = cases.contacted >= exposure.since[cases.customer]
    inside &= cases.contacted <= exposure.until[cases.customer]
    count = _by_customer(cases.customer[inside], len(exposure.years))
    years = float(exposure.years.sum())
    told = f"{int(inside.sum()):,} cases in {years:,.1f} customer-years"
    return _rate("complaint_rate", count, exposure.years, told)


def _first_contact_resolution(log: EventLog) -> Told:
    """Return the share of cases settled within `first_contact` of their first contact.

    There was no second contact before. Cases count that began in the window, and that
    long before its end.
    """
    cases, wait = log.cases, int(log.windows.first_contact * DAY)
    counted = _began(log, cases.contacted, wait)
    if not counted.any():
        return LeftOut("first_contact_resolution", _none_followed(log, wait))
    if not (cases.settled != NEVER).any():
        reason = "the log settles no case: it has no resolution and no resolved_at"
        return LeftOut("first_contact_resolution", reason)
    is_once = (cases.second == NEVER) | (cases.second > cases.settled)
    is_settled = (cases.settled != NEVER) & (cases.settled - cases.contacted <= wait)
    return _share(log, "first_contact_resolution", None, counted, is_once & is_settled)


def _repeat_contacts(log: EventLog) -> Told:
    """Return the mean contacts of a case that was told.

    Cases count whose first contact was in the window, and `case_gap` before its end,
    so that the next contact would have been seen.
    """
    cases, wait = log.cases, int(log.windows.case_gap * DAY)
    counted = _began(log, cases.contacted, wait)
    if not counted.any():
        return LeftOut("repeat_contacts", _none_followed(log, wait))
    n = len(log.customers.entered)
    contacts = _by_customer(cases.customer[counted], n, cases.n_contacts[counted])
    of = _by_customer(cases.customer[counted], n)
    value, error = ratio(contacts, of)
    told = f"{int(contacts.sum()):,} contacts of {int(of.sum()):,} cases"
    if not error:
        return LeftOut("repeat_contacts", f"{told}, {_spreadless(error)}")
    return Figure("repeat_contacts", None, value, False, error, None, told)


def _repurchase(log: EventLog, outcome: str) -> Told:
    """Return the share of cases after which the customer bought or renewed.

    It counts from the last event of the case, for `follow_up`; only cases of the window
    that ended that long before its end are counted, whether or not the customer left,
    since those seen for a shorter time would be seen to buy less. A case is "silent"
    where nobody made contact and nothing was settled, "quick" where it was settled
    within `quick` of its opening, "resolved" where later, else "unresolved".
    """
    cases, windows = log.cases, log.windows
    name = f"repurchase {outcome}"
    if bool((log.customers.lost != NEVER).all()):
        return LeftOut(name, ALL_LOST)
    n_bought = log.counts.get("purchase", 0) + log.counts.get("renewal", 0)
    if n_bought <= len(log.customers.entered):
        return LeftOut(name, "no customer of the log buys or renews a second time")
    settled = cases.settled != NEVER
    quick = settled & (cases.settled - cases.opened <= int(windows.quick * DAY))
    silent = ~settled & (cases.contacted == NEVER)
    ended_so = {
        "silent": silent,
        "unresolved": ~settled & ~silent,
        "resolved": settled & ~quick,
        "quick": quick,
    }[outcome]
    wait = int(windows.follow_up * DAY)
    followed = (cases.ended >= log.start) & (cases.ended + wait <= log.end)
    counted = ended_so & followed
    if not counted.any():
        if not ended_so.any():
            return LeftOut(name, "no case ended so")
        days = windows.follow_up
        reason = (
            f"no case that ended so was followed for {days:g} days: --follow-up sets it"
        )
        return LeftOut(name, reason)
    bought = (cases.bought != NEVER) & (cases.bought - cases.ended <= wait)
    return _share(log, "repurchase", outcome, counted, bought)


def _spend_ratio(log: EventLog, exposure: _Exposure) -> Told:
    """Return spend per customer-year after the first case over that before it.

    Over customers who had a case: before, from their entry, whose own purchase is not
    counted, to the case's opening; after, from there to the loss or the end. A purchase
    at that moment, such as the one that went wrong, is before. The start of the window
    plays no part.
    """
    customers = log.customers
    name = "spend_ratio"
    n_bought = log.counts["purchase"] + log.counts["renewal"]
    if bool((customers.lost != NEVER).all()):
        return LeftOut(name, ALL_LOST)
    if log.n_without_amount > AMOUNTLESS_MAX * n_bought:
        share = log.n_without_amount / n_bought
        return LeftOut(name, f"{share:.0%} of purchases and renewals have no amount")
    has = customers.case_from != NEVER
    if not has.any():
        return LeftOut(name, "no customer had a case")
    before = np.where(has, customers.case_from - customers.entered, 0) / YEAR
    after = np.where(has, exposure.until - customers.case_from, 0)
    after = np.maximum(after, 0) / YEAR
    spent = customers.spent_before, customers.spent_after
    if not min(before.sum(), after.sum(), spent[0].sum(), spent[1].sum()) > 0:
        return LeftOut(name, "there is no spend before the first cases, or none after")
    earlier, later = spent[0].sum() / before.sum(), spent[1].sum() / after.sum()
    influence = (spent[1] - later * after) / spent[1].sum()
    influence -= (spent[0] - earlier * before) / spent[0].sum()
    n, value = int(has.sum()), float(later / earlier)
    if n < 2:
        return LeftOut(name, "only one customer had a case")
    error = value * float(np.sqrt(n / (n - 1) * (influence @ influence)))
    if not error:
        return LeftOut(name, f"customers with a case, {_spreadless(error)}")
    told = f"{later:,.2f} over {earlier:,.2f} a year, {n:,} customers with a case"
    return Figure(name, None, value, False, error, None, told)


def _rate(
    name: str, count: NDArray[np.float64], years: NDArray[np.float64], told: str
) -> Told:
    """Return a count per customer-year; without any, why it cannot be a target."""
    total = float(years.sum())
    if total <= 0:
        return LeftOut(name, "no customer was seen for any time within the window")
    if not count.sum():
        most = RULE_OF_THREE / total
        return LeftOut(name, f"{told}: all that can be told is at most {most:.3g}/year")
    value, error = ratio(count, years)
    if not error:
        return LeftOut(name, f"{told}, {_spreadless(error)}")
    return Figure(name, None, value, True, error, None, told)


def _share(
    log: EventLog,
    name: str,
    outcome: str | None,
    counted: NDArray[np.bool_],
    which: NDArray[np.bool_],
) -> Told:
    """Return the share of cases that are so; the error is that of clusters.

    Where all are so, or none, clusters show no error: then it follows from how many
    customers there are.
    """
    cases, n = log.cases, len(log.customers.entered)
    of = _by_customer(cases.customer[counted], n)
    so = _by_customer(cases.customer[counted & which], n)
    value, error = ratio(so, of)
    n_customers = int(np.count_nonzero(of))
    told = f"{int(so.sum()):,} of {int(of.sum()):,} cases of {n_customers:,} customers"
    if n_customers < 2:
        whole = f"{name} {outcome}" if outcome else name
        return LeftOut(whole, "only one customer had a case that counts")
    if not error:
        return Figure(name, outcome, value, False, None, n_customers, told)
    return Figure(name, outcome, value, False, error, None, told)


def _spreadless(error: float | None) -> str:
    """Return why there is no error: it cannot be 0, since nothing is seen exactly."""
    return "all of one customer" if error is None else "all alike: no error can be told"


def _began(log: EventLog, moments: NDArray[np.int64], wait: int) -> NDArray[np.bool_]:
    """Return which moments lie in the window, and `wait` seconds before its end."""
    is_followed = (moments >= log.start) & (moments + wait <= log.end)
    return np.asarray(is_followed & (moments != NEVER))


def _none_followed(log: EventLog, wait: int) -> str:
    if not (log.cases.contacted != NEVER).any():
        return "the log has no contact"
    return f"no case was seen for {wait / DAY:g} days after its first contact"


def _by_customer(
    of: NDArray[np.int64], n: int, weights: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    return np.bincount(of, weights, minlength=n).astype(np.float64)
