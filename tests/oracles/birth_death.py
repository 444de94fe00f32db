"""A desk whose staffing changes over the week, solved as a birth and death process.

Customers of a finite number call at a rate while away, wait for an exponential time at
most, and take an exponential time to handle. The state is how many agents are busy and
how many customers wait; at a cut those who are busy go on, so more may be busy than are
on duty. Kolmogorov's forward equations are linear and constant between changes of
staffing, so they are solved by the exponential of their matrix.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import linalg

from churnsim.records import Floats


class Callers(NamedTuple):
    """A desk and who calls it; rates per hour."""

    n_customers: int
    call_rate: float  # of one customer who is away
    service_rate: float
    patience_rate: float
    n_seats: int  # most agents ever
    line_max: int  # longest line that is reckoned with


class Stage(NamedTuple):
    """A time without a change."""

    begin: float  # [hours since the start]
    end: float
    n_agents: int
    weight: float  # of the call rate [-]


class Path(NamedTuple):
    """Means over a time without a change of staffing, one value a step."""

    hours: Floats  # since the start
    busy: Floats  # mean number of agents in a contact
    waiting: Floats  # mean length of the line


def generator(callers: Callers, n_agents: int) -> Floats:
    """Return the rates between states while so many agents are on duty [1/hour].

    The state (busy, waiting) has number busy·(line_max + 1) + waiting.
    """
    width = callers.line_max + 1
    size = (callers.n_seats + 1) * width
    rates = np.zeros((size, size))
    for busy in range(callers.n_seats + 1):
        for waiting in range(width):
            here = busy * width + waiting
            away = callers.n_customers - busy - waiting
            steps = [
                (busy * callers.service_rate, after_service(busy, waiting, n_agents)),
                (waiting * callers.patience_rate, (busy, waiting - 1)),
            ]
            if busy < n_agents:
                steps.append((away * callers.call_rate, (busy + 1, waiting)))
            elif waiting < callers.line_max:
                steps.append((away * callers.call_rate, (busy, waiting + 1)))
            for rate, (to_busy, to_waiting) in steps:
                if rate > 0.0:
                    rates[here, to_busy * width + to_waiting] += rate
                    rates[here, here] -= rate
    return rates


def after_service(busy: int, waiting: int, n_agents: int) -> tuple[int, int]:
    """Return the state after a contact has ended: the next in line, if one may."""
    if waiting and busy <= n_agents:
        return busy, waiting - 1
    return busy - 1, waiting


def at_change(callers: Callers, chances: Floats, n_agents: int) -> Floats:
    """Return the chances just after a change of staffing: new agents take the next."""
    width = callers.line_max + 1
    table = chances.reshape(callers.n_seats + 1, width)
    after = np.zeros_like(table)
    for (busy, waiting), chance in np.ndenumerate(table):
        taken = max(0, min(waiting, n_agents - busy))
        after[busy + taken, waiting - taken] += chance
    return after.ravel()


def paths(callers: Callers, stages: list[Stage], step: float) -> Iterator[Path]:
    """Yield the means over each time without a change, from an empty desk on.

    Args:
        callers: Who calls.
        stages: One after another.
        step: About how far means are apart [hours].
    """
    width = callers.line_max + 1
    busy, waiting = np.divmod(np.arange((callers.n_seats + 1) * width), width)
    chances = np.zeros(len(busy))
    chances[0] = 1.0
    for begin, end, n_agents, weight in stages:
        n_steps = max(1, round((end - begin) / step))
        calling = callers._replace(call_rate=callers.call_rate * weight)
        moves = linalg.expm(generator(calling, n_agents) * ((end - begin) / n_steps))
        rows = [at_change(callers, chances, n_agents)]
        for _ in range(n_steps):
            rows.append(rows[-1] @ moves)
        chances = rows[-1]
        table = np.array(rows)
        hours = np.linspace(begin, end, n_steps + 1)
        yield Path(hours, table @ busy, table @ waiting)
