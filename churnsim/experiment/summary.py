"""What is kept of one run: counts, money and figures, without the customers.

A run of a million customers shrinks to some kilobytes, so that thousands of
replications fit in memory and every comparison of policies is made from integers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from churnsim.engines.books import (
    BINS_PER_DOUBLING,
    MICROSECONDS,
    SATISFACTION_SCALE,
    Messages,
    Monthly,
    Tally,
)
from churnsim.engines.outcome import Outcome
from churnsim.engines.sums import DeskFigures, Sums, Totals, bin_edge, ratio
from churnsim.experiment.intervals import ANYWHERE, FROM_ZERO, SHARE, Range
from churnsim.firm import Firm
from churnsim.population import population_digest
from churnsim.records import MICRO, Cause, Integers, Population

Value = float | None  # None: nothing to divide by, so no data

# What is counted of a run: `Tally`, and `Messages` after the name of their line.
TALLIES = (
    *(name.name.lower() for name in Tally),
    *(f"messages_{name.name.lower()}" for name in Messages),
)


class News(NamedTuple):
    """How the sites of a firm came to know what the others tell."""

    passes: int  # how often news went round, the first one without any
    site_runs: int  # in all passes


class Summary(NamedTuple):
    """One policy in one replication: a row of every table of results."""

    policy: str  # its name in the comparison
    replication: int
    n_customers: int  # at the start
    n_people: int  # customers and prospects
    population: str  # SHA-256 of the population
    digest: str  # SHA-256 of every number in the run's books
    totals: Totals  # [micro-units]
    tally: dict[str, int]  # by the names of TALLIES
    lost: dict[str, int]  # customers lost, by cause
    closed: dict[str, int]  # episodes closed, by how
    figures: dict[str, Value]  # by the names of FIGURES
    news: News | None  # of a firm of several sites
    front_waits: Integers  # histogram of waits, (N_BINS,)
    back_waits: Integers
    monthly: Integers  # (n_months, N_MONTHLY); customers and backlog at a month's end
    survivors: Integers  # (n_months,) starting customers still there at a month's end
    weekly: Integers  # (HOURS_IN_WEEK, N_WEEKLY) front desk; (0, …) without a roster

    def is_same(self, other: Summary) -> bool:
        """Return whether two rows agree to the last bit."""
        arrays = zip(self[-5:], other[-5:], strict=True)
        is_plain_same = repr(self[:-5]) == repr(other[:-5])
        return is_plain_same and all(np.array_equal(a, b) for a, b in arrays)


class Digests(NamedTuple):
    """What a row is recognised by, SHA-256 as 64 hex digits."""

    population: str
    books: str  # every number in them


class Figure(NamedTuple):
    """One thing that is told of a run."""

    title: str
    unit: str  # "money" [units of currency], "count", "share" or "days"
    of: Callable[[Sums], Value]


def range_of(name: str) -> Range:
    """Return where a figure can lie: shares up to 1, nothing but what is left below 0.

    Args:
        name: One of FIGURES.
    """
    if name in SIGNED:
        return ANYWHERE
    return SHARE if FIGURES[name].unit == "share" else FROM_ZERO


def wait_bin(edge: float) -> Range:
    """Return between which times a wait lies that is told as its bin's edge [days].

    Args:
        edge: What `wait_quantile` returned: the upper edge, or 0 up to a second.
    """
    if edge == 0.0:
        return Range(0.0, bin_edge(0))
    return Range(edge / 2.0 ** (1.0 / BINS_PER_DOUBLING), edge)


def summarise(outcome: Outcome, policy: str, population: str) -> Summary:
    """Return the row that is kept of a run.

    Args:
        outcome: The run.
        policy: What the comparison calls the policy.
        population: Digest of the run's population.
    """
    return summary_of(
        outcome.sums, policy, outcome.replication, Digests(population, outcome.digest())
    )


def summary_of(sums: Sums, policy: str, replication: int, digests: Digests) -> Summary:
    """Return the row that is kept of a run, or of the runs of all sites of a firm.

    Args:
        sums: What was counted.
        policy: What the comparison calls the policy.
        replication: Its number.
        digests: Of the population and of the books, of all sites.
    """
    books = sums.books
    series = books.monthly.copy()
    for level in (Monthly.ACTIVE, Monthly.BACKLOG):
        series[:, level] = np.cumsum(series[:, level])
    return Summary(
        policy=policy,
        replication=replication,
        n_customers=sums.n_customers,
        n_people=sums.n_people,
        population=digests.population,
        digest=digests.books,
        totals=sums.totals,
        tally=_tally(sums),
        lost=sums.lost,
        closed=sums.closed,
        figures={name: figure.of(sums) for name, figure in FIGURES.items()},
        news=None,
        front_waits=books.front_waits.copy(),
        back_waits=books.back_waits.copy(),
        monthly=series,
        survivors=sums.survivors,
        weekly=books.weekly.copy(),
    )


def firm_summary(policy: str, replication: int, firm: Firm) -> Summary:
    """Return the row that is kept of all sites of a firm.

    Args:
        policy: What the comparison calls it.
        replication: Its number.
        firm: What the sites come to.
    """
    digests = Digests(firm.population, firm.digest)
    row = summary_of(firm.sums, policy, replication, digests)
    return row._replace(news=News(firm.passes, firm.n_runs))


def _tally(sums: Sums) -> dict[str, int]:
    """Return what was counted, of messages too: none where nobody writes."""
    messages = sums.books.messages.tolist() or [0] * len(Messages)
    counts = [sums.tally(name) for name in Tally] + messages
    return dict(zip(TALLIES, counts, strict=True))


def summaries(people: Population) -> Callable[[str, Outcome], Summary]:
    """Return what makes the rows of one replication, given its population."""
    digest = population_digest(people)
    return lambda name, outcome: summarise(outcome, name, digest)


def _money(name: str) -> Callable[[Sums], Value]:
    return lambda sums: getattr(sums.totals, name) / MICRO


def _count(tally: Tally) -> Callable[[Sums], Value]:
    return lambda sums: float(sums.tally(tally))


def _ratio(part: Tally, whole: Tally, scale: float = 1.0) -> Callable[[Sums], Value]:
    def of(sums: Sums) -> Value:
        share = ratio(sums.tally(part), sums.tally(whole))
        return None if share is None else share / scale

    return of


def _per_mistake(part: Tally, scale: float = 1.0) -> Callable[[Sums], Value]:
    def of(sums: Sums) -> Value:
        share = ratio(sums.tally(part), sums.n_mistakes_closed)
        return None if share is None else share / scale

    return of


def _lost(cause: Cause) -> Callable[[Sums], Value]:
    return lambda sums: float(sums.lost[cause.name.lower()])


def _desk(
    name: str, of: Callable[[DeskFigures], float | None]
) -> Callable[[Sums], Value]:
    def told(sums: Sums) -> Value:
        desk: DeskFigures | None = getattr(sums, name)
        return of(desk) if desk else None

    return told


def _abandonment(desk: DeskFigures) -> Value:
    return ratio(desk.abandoned, desk.joined)


def _n_lost(sums: Sums) -> int:
    return sum(sums.lost.values())


def _mistake_lost_share(sums: Sums) -> Value:
    lost = _n_lost(sums)
    return ratio(lost - sums.lost["natural"], lost)


def _lost_share(sums: Sums) -> Value:
    return ratio(_n_lost(sums), sums.n_customers + sums.n_won)


def _lost_over_mistakes(sums: Sums) -> Value:
    return float(_n_lost(sums) - sums.lost["natural"])


def _service_level_of_all(sums: Sums) -> Value:
    return ratio(sums.tally(Tally.WITHIN_TARGET), sums.n_at_the_door)


def _view(name: str) -> Callable[[Sums], Value]:
    def of(sums: Sums) -> Value:
        seen: float | None = getattr(sums.firm_view(), name)
        return None if seen is None else float(seen)

    return of


def _people(name: str, scale: float = 1.0) -> Callable[[Sums], Value]:
    def of(sums: Sums) -> Value:
        people = sums.people()
        told: float | None = getattr(people, name) if people else None
        return None if told is None else told / scale

    return of


_MONEY = {
    "revenue": "Revenue",
    "make_good": "Make-good paid",
    "cost": "Acquisition, follow-up and hiring",
    "wages": "Wages",
    "training": "Training",
    "prevention": "Prevention",
    "contribution": "Contribution",
    "revenue_discounted": "Revenue, discounted",
    "contribution_discounted": "Contribution, discounted",
    "residual": "Worth of those kept, at the horizon",
}
# What is left of revenue when all is paid may be less than nothing.
SIGNED = frozenset({"contribution", "contribution_discounted"})
# Read off a histogram: a value is the upper edge of its bin.
BINNED = frozenset({"front_wait_90", "back_wait_90", "messages_wait_90"})
_COUNTS = {
    Tally.WON: "Prospects won",
    Tally.LOST_TO_REPUTATION: "Prospects lost to reputation",
    Tally.MISTAKES: "Mistakes",
    Tally.UNANSWERED: "Contacts nobody answered",
    Tally.DOUBLE_DEVIATIONS: "Double deviations",
    Tally.VOICED: "Mistakes spoken up about",
    Tally.SETTLED: "Episodes settled",
    Tally.LIES: "Lies told",
    Tally.LIES_FOUND_OUT: "Lies found out",
}
_SHARES = {
    "share_voiced": ("Share that spoke up", Tally.VOICED, Tally.MISTAKES),
    "share_noticed": ("Share the firm noticed first", Tally.NOTICED, Tally.MISTAKES),
    "discovery_share": ("Lies found out", Tally.LIES_FOUND_OUT, Tally.LIES),
}


def _desk_figures(name: str, title: str) -> dict[str, Figure]:
    """Return what is told of one desk."""
    told: dict[str, tuple[str, str, Callable[[DeskFigures], Value]]] = {
        "mean_wait": ("mean wait", "days", lambda desk: desk.mean_wait),
        "wait_90": ("wait of 90 %", "days", lambda desk: desk.wait_90),
        "abandonment": ("abandonment", "share", _abandonment),
        "utilisation": ("utilisation", "share", lambda desk: desk.utilisation),
    }
    return {
        f"{name}_{key}": Figure(f"{title}, {what}", unit, _desk(name, of))
        for key, (what, unit, of) in told.items()
    }


FIGURES: dict[str, Figure] = {
    **{name: Figure(title, "money", _money(name)) for name, title in _MONEY.items()},
    "kept": Figure("Customers at the horizon", "count", lambda o: float(o.kept)),
    "lost": Figure("Customers lost", "count", lambda o: float(_n_lost(o))),
    **{
        f"lost_{c.name.lower()}": Figure(
            f"Lost: {c.name.lower().replace('_', ' ')}", "count", _lost(c)
        )
        for c in Cause
        if c
    },
    "lost_share": Figure("Share of customers lost", "share", _lost_share),
    "mistake_share_of_lost": Figure(
        "Share of the lost who left after a mistake", "share", _mistake_lost_share
    ),
    **{
        tally.name.lower(): Figure(title, "count", _count(tally))
        for tally, title in _COUNTS.items()
    },
    **{
        name: Figure(title, "share", _ratio(a, b))
        for name, (title, a, b) in _SHARES.items()
    },
    "share_settled": Figure(
        "Share of mistakes settled", "share", _per_mistake(Tally.SETTLED)
    ),
    "attempts_per_mistake": Figure(
        "Attempts per mistake", "count", _per_mistake(Tally.ATTEMPTS)
    ),
    "first_contact_resolution": Figure(
        "First-contact resolution", "share", lambda o: o.first_contact_resolution
    ),
    "satisfaction": Figure(
        "Satisfaction after a mistake",
        "share",
        _per_mistake(Tally.CLOSED_SUM, SATISFACTION_SCALE),
    ),
    "resolution_time": Figure(
        "Mistake to settled",
        "days",
        _ratio(Tally.RESOLUTION_SUM, Tally.SETTLED, MICROSECONDS),
    ),
    **_desk_figures("front", "Front desk"),
    "front_service_level": Figure(
        "Front desk, handled within 20 s", "share", _view("service_level")
    ),
    "service_level_of_all": Figure(
        "Handled within 20 s, of all who came to the door",
        "share",
        _service_level_of_all,
    ),
    **_desk_figures("messages", "Messages"),
    "messages_joined": Figure(
        "Messages written",
        "count",
        _desk("messages", lambda desk: float(desk.joined)),
    ),
    **_desk_figures("back", "Back desk"),
    "quits": Figure("Agents who quit", "count", _people("quits")),
    "turnover": Figure(
        "Agents who quit, per seat and year", "count", _people("turnover")
    ),
    "vacant_share": Figure("Seats vacant", "share", _people("vacant")),
    "newcomer_share": Figure("Contacts by newcomers", "share", _people("newcomers")),
    "wrath": Figure(
        "Wrath taken per seat and year, log-odds", "count", _people("wrath")
    ),
    "hiring_cost": Figure("Hiring", "money", _people("hiring_cost", MICRO)),
    "mistakes_made": Figure(
        "Mistakes and contacts nobody answered", "count", _view("mistakes_made")
    ),
    "resolution_recorded": Figure(
        "Cases recorded as settled, lies among them",
        "share",
        _view("resolution_recorded"),
    ),
    "satisfaction_surveyed": Figure(
        "Satisfaction of those surveyed", "share", _view("satisfaction_surveyed")
    ),
    "lost_after_complaint": Figure(
        "Lost after they complained", "count", _view("lost_after_complaint")
    ),
    "lost_in_silence": Figure(
        "Lost before anyone heard of it", "count", _view("lost_in_silence")
    ),
    "lost_over_mistakes": Figure("Lost over mistakes", "count", _lost_over_mistakes),
}
