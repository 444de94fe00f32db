"""What a comparison tells by hour of the week: contacts, staffing, waits.

Of each policy under which a desk has opening hours. All but staffing is of those who
joined the front desk in that hour, on average over the times that it was lived through:
in a year one weekday comes once more often than the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from churnsim.engines.books import MICROSECONDS, Weekly
from churnsim.engines.sums import ratio
from churnsim.engines.week import times_lived
from churnsim.experiment.intervals import FROM_ZERO, SHARE, Estimate, Range
from churnsim.experiment.summary import Summary, Value
from churnsim.mechanisms.hours import (
    HOURS_IN_DAY,
    back_hours,
    front_hours,
    staffed_hours,
)

if TYPE_CHECKING:
    from churnsim.experiment.comparison import Comparison
    from churnsim.experiment.documents import Hours
    from churnsim.records import Integers, Plan

DESKS = {"front": front_hours, "back": back_hours}
NEEDED = "needed"  # the figure that follows from the load
ROUNDING = 1e-9  # agents; a load of 4 that came out above it still takes 6

Figures = dict[str, list[Estimate]]  # by name, one for each hour of the week


class HourFigure(NamedTuple):
    """One thing that is told of each hour of the week."""

    title: str
    unit: str  # "count", "days" or "share"
    within: Range
    of: Callable[[Integers, list[float]], list[Value]]  # tallies and times lived


def needed_agents(load: float) -> float:
    """Return how many agents an offered load takes, by the square-root rule: ⌈a + √a⌉.

    With so many a fifth to a quarter of the customers find no agent free, at any size:
    in Halfin and Whitt's limit 1/(1 + β Φ(β)/φ(β)) = 0.22 of them, where β is 1.

    Args:
        load: Agents who would be busy on average if nobody gave up.

    Source:
        Halfin, S. & Whitt, W. (1981): Heavy-traffic limits for queues with many
        exponential servers. Operations Research 29, 567-588.
    """
    return float(math.ceil(load + math.sqrt(load) - ROUNDING))


def policies_with_hours(comparison: Comparison) -> dict[str, Sequence[Summary]]:
    """Return the rows of each policy under which a desk has opening hours."""
    found = {
        name: comparison.replications.of(name)
        for name in comparison.replications.policies
    }
    return {name: rows for name, rows in found.items() if len(rows[0].weekly)}


def figures_by_hour(comparison: Comparison, policy: str) -> Figures:
    """Return what is told of the front desk by hour of the week, under a policy.

    `needed` follows from the mean load, its interval from that of the load: the rule
    rises with it.
    """
    rows = comparison.replications.of(policy)
    plan, sites = _plan(comparison, policy), comparison.scenario.sites
    lived = times_lived(plan.into_week, plan.horizon)
    found: Figures = {}
    for name, figure in HOUR_FIGURES.items():
        told = (figure.of(row.weekly, lived) for row in rows)
        hours = zip(*told, strict=True)
        estimated = comparison.replications.estimate
        found[name] = [estimated(values, figure.within) for values in hours]
    found[NEEDED] = [_needed(load, sites) for load in found["load"]]
    return found


def staffed_by_hour(comparison: Comparison, policy: str, desk: str) -> list[float]:
    """Return the mean number of people on duty at a desk by hour of the week."""
    staffed = staffed_hours(DESKS[desk](_plan(comparison, policy)))
    return [comparison.scenario.sites * n for n in staffed]


def hours_of(comparison: Comparison) -> Hours | None:
    """Return both desks by hour of the week, for JSON; None where none has hours.

    Of the back desk staffing alone is known.
    """
    names = policies_with_hours(comparison)
    if not names:
        return None
    found: Hours = {"policies": {}}
    for name in names:
        figures = figures_by_hour(comparison, name)
        found["policies"][name] = {
            desk: {
                "staffed": staffed_by_hour(comparison, name, desk),
                "figures": {
                    figure: {
                        "mean": [value.mean for value in values],
                        "low": [value.low for value in values],
                        "high": [value.high for value in values],
                    }
                    for figure, values in figures.items()
                    if desk == "front"
                },
            }
            for desk in DESKS
        }
    return found


def _each_time(column: Weekly) -> Callable[[Integers, list[float]], list[Value]]:
    """Return what counts something for each time that an hour is lived through."""

    def of(weekly: Integers, lived: list[float]) -> list[Value]:
        counts = weekly[:, column].tolist()
        return [_per(n, times) for n, times in zip(counts, lived, strict=True)]

    return of


def _busy(weekly: Integers, lived: list[float]) -> list[Value]:
    work = (weekly[:, Weekly.WORK] / MICROSECONDS * HOURS_IN_DAY).tolist()
    return [_per(hours, times) for hours, times in zip(work, lived, strict=True)]


def _load(weekly: Integers, lived: list[float]) -> list[Value]:
    """Return the contacts of each hour times the mean handle time of the run."""
    handle = ratio(
        int(weekly[:, Weekly.WORK].sum()), int(weekly[:, Weekly.HANDLED].sum())
    )
    contacts = _each_time(Weekly.JOINED)(weekly, lived)
    if handle is None:
        return [n if n == 0.0 else None for n in contacts]
    hours = handle / MICROSECONDS * HOURS_IN_DAY
    return [None if n is None else n * hours for n in contacts]


def _mean_wait(weekly: Integers, _: list[float]) -> list[Value]:
    over = weekly[:, Weekly.HANDLED] + weekly[:, Weekly.ABANDONED]
    pairs = zip(weekly[:, Weekly.WAIT].tolist(), over.tolist(), strict=True)
    return [
        None if mean is None else mean / MICROSECONDS
        for mean in (ratio(wait, n) for wait, n in pairs)
    ]


def _gave_up(weekly: Integers, _: list[float]) -> list[Value]:
    columns = (weekly[:, c].tolist() for c in (Weekly.ABANDONED, Weekly.JOINED))
    return [ratio(part, whole) for part, whole in zip(*columns, strict=True)]


HOUR_FIGURES: dict[str, HourFigure] = {
    "contacts": HourFigure("Contacts", "count", FROM_ZERO, _each_time(Weekly.JOINED)),
    "turned_away": HourFigure(
        "Turned away", "count", FROM_ZERO, _each_time(Weekly.TURNED_AWAY)
    ),
    "busy": HourFigure("Agents busy", "count", FROM_ZERO, _busy),
    "load": HourFigure("Offered load", "count", FROM_ZERO, _load),
    "mean_wait": HourFigure("Mean wait", "days", FROM_ZERO, _mean_wait),
    "gave_up": HourFigure("Gave up in line", "share", SHARE, _gave_up),
}


def _per(amount: float, times: float) -> Value:
    return amount / times if times else None


def _plan(comparison: Comparison, policy: str) -> Plan:
    """Return what each site is run with under a policy."""
    scenario = comparison.scenario
    n_customers = comparison.replications.of(policy)[0].n_customers
    return scenario.plan(policy, n_customers // scenario.sites)


def _needed(load: Estimate, sites: int) -> Estimate:
    """Return the agents of all sites, each of which needs them for itself."""
    mean, low, high = (
        None if x is None else sites * needed_agents(x / sites) for x in load[:3]
    )
    return Estimate(mean, low, high, load.n)
