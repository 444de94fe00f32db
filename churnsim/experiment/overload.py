"""What policies cannot go on doing: desks with too much work, wages above revenue.

A desk is overloaded for good where more work comes to it over the whole run than its
people can do in that time: the line grows without end, or people leave it who would
have been handled. A rush hour alone does not count, since the desk catches up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from churnsim.engines.books import MICROSECONDS, Monthly
from churnsim.experiment.by_hour import DESKS
from churnsim.experiment.replications import Replications
from churnsim.experiment.summary import Summary
from churnsim.mechanisms.hours import Hours, message_hours, staffed_time
from churnsim.records import FRONT_DESK
from churnsim.scenario import Scenario
from churnsim.units import format_duration, format_money

FREE_MIN = 0.05  # of customers' time: a line that takes all of it tells no more
CHANCE = 2.0  # standard deviations of a count that may be chance
STAFF = {
    "front": ("agent", "agents"),
    "back": ("supervisor", "supervisors"),
    "message": ("agent", "agents"),
}


class Load(NamedTuple):
    """The work that came to a desk, and what its people can do."""

    offered: float  # people who would be busy on average if nobody had to wait
    staffed: float  # people on duty on average, vacant seats left out
    joined: int  # customers, in all replications

    @property
    def times(self) -> float:
        """Return how many times the work comes that can be done."""
        return self.offered / self.staffed

    @property
    def is_too_much(self) -> bool:
        """Return whether it is more than can be done, and not by chance alone."""
        return self.times * (1.0 - CHANCE / math.sqrt(self.joined)) > 1.0


def sustainability_warnings(scenario: Scenario, results: Replications) -> list[str]:
    """Return what policies cannot go on doing.

    Args:
        scenario: What was simulated.
        results: At least one replication.
    """
    told = []
    for desk in STAFF:
        found = list(_overloaded(scenario, results, desk))
        if found:
            told.append(
                f"the {desk} desk is overloaded for good: over"
                f" {format_duration(scenario.horizon)} more work comes than its"
                f" {STAFF[desk][1]} can do; {'; '.join(found)}"
            )
    unearned = list(_unearned(scenario, results))
    if unearned:
        told.append(f"wages exceed revenue: {'; '.join(unearned)}")
    return told


def load_of(
    lines: Sequence[str],
    hours: Hours,
    horizon: float,
    rows: Sequence[Summary],
    n_sites: int = 1,
) -> Load | None:
    """Return the work at a desk; None where nobody came, or nobody is ever there.

    offered = joined / (1 − w) · mean time of those handled / horizon, summed over who
    comes to it, where w is the share of customers' time spent in its line: whoever
    stands there does not come again meanwhile, and would if the line were short.

    Args:
        lines: Who comes to it: "front", "messages", or both to one desk; or "back".
        hours: When it is staffed, at each site.
        horizon: Of each run [days].
        rows: One policy's, at least one replication.
        n_sites: Whose desks are taken together.
    """
    n_joined, waited, work = 0, 0, 0.0
    for line in lines:
        joined, handled, busy, wait_sum = (
            sum(row.tally[f"{line}_{what}"] for row in rows)
            for what in ("joined", "handled", "busy", "wait_sum")
        )
        n_joined, waited = n_joined + joined, waited + wait_sum
        work += busy / MICROSECONDS * joined / handled if handled else 0.0
    if not work:
        return None
    vacancies = [row.figures["vacant_share"] or 0.0 for row in rows]
    present = 1.0 - (math.fsum(vacancies) / len(rows) if "front" in lines else 0.0)
    staffed = n_sites * staffed_time(hours, horizon) / horizon * present
    if not staffed:
        return None
    time = horizon * len(rows)
    in_line = waited / MICROSECONDS / (_mean_customers(rows) * time)
    free = max(FREE_MIN, 1.0 - in_line)
    return Load(work / time / free, staffed, n_joined)


def _mean_customers(rows: Sequence[Summary]) -> float:
    """Return the mean number of customers over the months of all replications."""
    levels = [
        np.concatenate(([row.n_customers], row.monthly[:, Monthly.ACTIVE]))
        for row in rows
    ]
    return float(np.mean([0.5 * (level[:-1] + level[1:]) for level in levels]))


def _overloaded(scenario: Scenario, results: Replications, desk: str) -> Iterator[str]:
    """Yield each policy's overload of a desk, and the staffing that would hold it."""
    one, many = STAFF[desk]
    for policy in results.policies:
        rows = results.of(policy)
        plan = scenario.plan(policy, rows[0].n_customers // scenario.sites)
        hours = message_hours(plan) if desk == "message" else DESKS[desk](plan)
        is_pooled = plan.policy.message_agents == FRONT_DESK
        lines = {
            "front": ("front", "messages") if is_pooled else ("front",),
            "back": ("back",),
            "message": ("messages",),
        }
        load = load_of(lines[desk], hours, scenario.horizon, rows, scenario.sites)
        if load is None or not load.is_too_much:
            continue
        work = f"under {policy} {load.times:.3g} times the work"
        if len(hours.roster):
            yield f"{work} of those on duty ({load.times:.3g} times as many hold it)"
            continue
        n = hours.n_servers
        seats = math.floor(load.offered * n / load.staffed) + 1
        where = " at each site" if scenario.sites > 1 else ""
        people = f"{n:,} {one if n == 1 else many}{where}"
        yield f"{work} of {people} ({seats:,} would hold it)"


def _unearned(scenario: Scenario, results: Replications) -> Iterator[str]:
    """Yield each policy that pays its staff more than customers bring."""
    for policy in results.policies:
        rows = results.of(policy)
        wages = sum(row.totals.wages for row in rows) // len(rows)
        revenue = sum(row.totals.revenue for row in rows) // len(rows)
        if wages > revenue > 0:
            paid = format_money(wages, scenario.currency)
            earned = format_money(revenue, scenario.currency)
            yield f"under {policy} {paid} against {earned}"
