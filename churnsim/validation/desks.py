"""Front desks against the published figures of Erlang's formulas.

Ordinary contacts of many customers who call again differ from Poisson calls by a small
part of the tolerances that are printed beside the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from churnsim.engines.books import MICROSECONDS, Tally
from churnsim.records import Floats
from churnsim.validation.checks import Check, Figure, Seen, mean
from churnsim.validation.watching import Watch, controlled, ratio_values, tallies
from churnsim.validation.worlds import MINUTE, NEVER, SECOND, World, calling
from churnsim.variates import exponential

GROUP = "erlang"
ERLANG_A = "Erlang A: 48 calls a minute, 50 agents, patience 2 min"
ERLANG_C = "Erlang C, mean wait in handle times"


class Desk(NamedTuple):
    """A desk whose figures are known; rates per minute, times in minutes."""

    name: str
    n_customers: int
    calls: float  # [1/minute]
    agents: int
    patience: float | None  # mean; None: endless
    busy: float  # agents at a customer, on average
    wait: float  # mean of all who join
    watch: Watch  # times in minutes
    allowed: float = 0.03  # of the mean wait [-]

    def world(self) -> World:
        """Return customers away for so long that the desk is called at that rate."""
        rate = self.calls / (self.n_customers - self.wait * self.calls - self.busy)
        patience = exponential(self.patience * MINUTE) if self.patience else NEVER
        handle = exponential(MINUTE)
        return calling(self.n_customers, rate / MINUTE, self.agents, handle, patience)


IMPATIENT = Desk(
    "M/M/50+M",
    50_000,
    48.0,
    50,
    2.0,
    50 * 0.930324,
    3.70947 / 60.0,
    Watch(100, 30.0, 1_700.0),
)
# So busy that waits of one hour are much alike: fewer replications, but long ones.
BUSY = Desk(
    "M/M/50",
    100_000,
    48.0,
    50,
    None,
    48.0,
    20.83367 / 60.0,
    Watch(24, 500.0, 6_700.0),
    1.5 / 20.83367,
)
PATIENT = tuple(
    Desk(
        f"M/M/{n}",
        n_customers,
        0.8 * n,
        n,
        None,
        0.8 * n,
        wait,
        Watch(60, 500.0, window),
    )
    for n, n_customers, wait, window in (
        (1, 10_000, 4.0, 64_000.0),
        (2, 10_000, 1.77778, 37_000.0),
        (10, 20_000, 0.204590, 18_000.0),
    )
)


def checks() -> tuple[Check, ...]:
    """Return the checks of this group."""
    impatient = (
        Figure("M/M/50+M, share who give up", 0.030912, 0.0016, 5),
        Figure("M/M/50+M, mean wait", 3.70947, 0.2, 3, " s"),
        Figure("M/M/50+M, share who wait", 0.467774, 0.016, 4),
        Figure("M/M/50+M, in line on average", 2.96758, 0.15, 3),
        Figure("M/M/50+M, agents busy", 0.930324, 0.003, 4),
        Figure("M/M/50+M, give-ups less wait/patience", 0.0, 0.0016, 5),
    )
    return (
        Check(GROUP, ERLANG_A, impatient, impatient_desk, 5.0),
        *(
            Check(
                GROUP,
                ERLANG_C,
                (
                    Figure(
                        f"{desk.name}, mean wait", desk.wait, desk.allowed * desk.wait
                    ),
                    Figure(f"{desk.name}, agents busy", desk.busy / desk.agents, 0.008),
                ),
                partial(patient_desk, desk),
                3.0,
            )
            for desk in (*PATIENT, BUSY)
        ),
    )


class _Counts(NamedTuple):
    """What a desk did in the window, one value a replication; times in days."""

    joined: Floats
    waited: Floats
    abandoned: Floats
    over: Floats  # visits that ended
    wait_sum: Floats
    busy: Floats
    load: Floats  # what luck brought beyond the expected calls and work, (n, 2)


def impatient_desk() -> Sequence[Seen]:
    """Return abandonment, waits, line and use of a desk that callers leave."""
    desk = IMPATIENT
    seen = _watched(desk)
    expected = desk.calls * desk.watch.window
    wait = desk.wait * MINUTE

    def known(sums: Floats, counts: Floats, ratio: float) -> Seen:
        return mean(controlled(ratio_values(sums, counts, ratio, expected), seen.load))

    waits = known(seen.wait_sum, seen.over, wait)
    window = desk.watch.window * MINUTE
    # Whoever waits gives up at the rate of patience, so these agree but for chance.
    patience = 2.0 * MINUTE
    balance = (seen.abandoned - seen.wait_sum / patience) / expected
    return (
        known(seen.abandoned, seen.over, 0.030912),
        Seen(waits.value / SECOND, waits.error / SECOND, waits.n),
        known(seen.waited, seen.joined, 0.467774),
        mean(controlled(seen.wait_sum / window, seen.load)),
        mean(seen.busy / window / desk.agents),
        mean(balance),
    )


def patient_desk(desk: Desk) -> Sequence[Seen]:
    """Return mean wait [handle times] and use of a desk where nobody gives up."""
    seen = _watched(desk)
    expected = desk.calls * desk.watch.window
    wait = desk.wait * MINUTE
    values = ratio_values(seen.wait_sum, seen.over, wait, expected)
    waits = mean(controlled(values, seen.load))
    return (
        Seen(waits.value / MINUTE, waits.error / MINUTE, waits.n),
        mean(seen.busy / (desk.watch.window * MINUTE) / desk.agents),
    )


def _watched(desk: Desk) -> _Counts:
    replications, warm_up, window = desk.watch
    watch = Watch(replications, warm_up * MINUTE, window * MINUTE)
    counts = tallies(desk.world(), watch)

    def column(tally: Tally) -> Floats:
        return np.ascontiguousarray(counts[:, tally])

    joined, abandoned = column(Tally.FRONT_JOINED), column(Tally.FRONT_ABANDONED)
    busy = column(Tally.FRONT_BUSY) / MICROSECONDS
    calls = joined - desk.calls * window
    work = busy - desk.busy * window * MINUTE
    return _Counts(
        joined,
        column(Tally.FRONT_WAITED),
        abandoned,
        column(Tally.FRONT_HANDLED) + abandoned,
        column(Tally.FRONT_WAIT_SUM) / MICROSECONDS,
        busy,
        np.stack([calls, work], axis=1),
    )
