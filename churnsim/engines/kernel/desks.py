"""The desks of the kernel: identical servers before one FIFO line.

Whoever joins a FIFO line meets a settled future: everybody who comes first has joined
already, so it is known when which server will be free (Kiefer & Wolfowitz 1955, with
patience). A desk is therefore no more than the moments at which its servers end what
they have, and joining is the only meeting that a contact needs.

Where staffing changes, that holds from one change to the next. At a cut, servers in a
contact finish it first, so the first contact after it begins when no more are busy than
stay on: the servers who end first are those who go. They are set aside, since a rise
may call them back before they end. Changes are made when they can no longer be
overtaken: before the moment of whoever joins, or before the first server is free.

Of moments at one instant, a change of staffing comes first, then the lower customer's.
A contact that begins as another ends takes time (`mechanisms.clocks.served_until`), so
at no instant does one customer's moment lead to another's, and that order is the whole
order.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.jit import mechanism
from churnsim.mechanisms.hours import (
    Hours,
    change_moment,
    next_change,
    staffed_from,
)
from churnsim.mechanisms.leaving import FOREVER
from churnsim.records import Floats

NOBODY = -1
ON_DUTY = 0  # of `meta`: servers in the heap
N_ASIDE = 1  # of `meta`: servers set aside
NEXT_CHANGE = 2  # of `meta`: its number


class Desk(NamedTuple):
    """One desk: a heap of (moment, customer), of each server the end of its last work.

    The first is the one that is free next, or has been so for longest.
    """

    free_at: Floats  # (s,) [days]; -inf: nobody served yet, inf: never free
    served: NDArray[np.int32]  # (s,) whose contact ends then, or NOBODY
    aside_at: Floats  # (s,) ends of those whose shift is over, the last on top [days]
    aside: NDArray[np.int32]  # (s,) whose contact that is, or NOBODY
    meta: NDArray[np.int64]  # (3,)
    change_at: Floats  # (1,) the next change of staffing [days]; inf: none
    roster: Floats  # (n_changes, N_ROSTER_COLUMNS)
    into_week: float  # of time 0 [days]


def make_desk(hours: Hours, n_customers: int) -> Desk:
    """Return an idle desk; one without servers has a single one who is never free.

    A customer has one contact at a time, so more servers than customers never work.
    """
    _, roster, into_week = hours
    n_seats = hours.n_seats
    n = max(1, min(n_seats, n_customers))
    on_duty, number, change_at = n, 0, math.inf
    if len(roster) and n_seats:
        number = next_change(roster, into_week, 0.0)
        change_at = change_moment(roster, into_week, number)
        on_duty = min(staffed_from(roster, number - 1), n)
    free_at = np.full(n, math.inf)
    free_at[:on_duty] = -math.inf if n_seats else math.inf
    return Desk(
        free_at,
        np.full(n, NOBODY, np.int32),
        np.zeros(n),
        np.full(n, NOBODY, np.int32),
        np.array([on_duty, 0, number], np.int64),
        np.array([change_at]),
        roster,
        into_week,
    )


@mechanism
def is_free(desk: Desk, customer: int, moment: float) -> bool:
    """Return whether a server is free for a customer who is next, at a moment [days].

    For one who joins, or for the last in line as patience ends.
    """
    at = desk.free_at[0]
    if at == moment:
        return bool(desk.served[0] <= customer)
    return bool(at < moment)


@mechanism
def occupy(desk: Desk, customer: int, until: float) -> None:
    """Give the server that is free next to a customer, whose contact ends `until`."""
    free_at, served = desk.free_at, desk.served
    size = desk.meta[ON_DUTY]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        at = free_at[child]
        if child + 1 < size:
            other = free_at[child + 1]
            if other < at or (other == at and served[child + 1] < served[child]):
                child += 1
                at = other
        if until < at or (until == at and customer < served[child]):
            break
        free_at[place], served[place] = at, served[child]
        place = child
    free_at[place], served[place] = until, customer


@mechanism
def restaff(desk: Desk, now: float) -> None:
    """Make the changes of staffing up to `now`, or up to the first server free."""
    at = desk.change_at[0]
    while at <= now or at <= desk.free_at[0]:
        if at == FOREVER:
            return
        number = desk.meta[NEXT_CHANGE]
        wanted = staffed_from(desk.roster, number)
        wanted = wanted if wanted < desk.aside.shape[0] else desk.aside.shape[0]
        while desk.meta[ON_DUTY] > wanted:
            go_off_duty(desk, at)
        while desk.meta[ON_DUTY] < wanted:
            come_on_duty(desk, at)
        desk.meta[NEXT_CHANGE] = number + 1
        at = change_moment(desk.roster, desk.into_week, number + 1)
        desk.change_at[0] = at


@mechanism
def go_off_duty(desk: Desk, now: float) -> None:
    """Let the server who is free first go; set aside one who has to finish."""
    free_at, served = desk.free_at, desk.served
    at, customer = free_at[0], served[0]
    if at >= now:
        place = desk.meta[N_ASIDE]
        desk.aside_at[place], desk.aside[place] = at, customer
        desk.meta[N_ASIDE] = place + 1
    last = desk.meta[ON_DUTY] - 1
    desk.meta[ON_DUTY] = last
    at, customer = free_at[last], served[last]
    free_at[last], served[last] = FOREVER, NOBODY
    if last > 0:
        occupy(desk, customer, at)


@mechanism
def come_on_duty(desk: Desk, now: float) -> None:
    """Let a server come: first of all one who is still in a contact."""
    at, customer = now, NOBODY
    top = desk.meta[N_ASIDE] - 1
    if top >= 0 and desk.aside_at[top] >= now:
        at, customer = desk.aside_at[top], desk.aside[top]
        desk.meta[N_ASIDE] = top
    else:
        desk.meta[N_ASIDE] = 0
    free_at, served = desk.free_at, desk.served
    place = desk.meta[ON_DUTY]
    desk.meta[ON_DUTY] = place + 1
    while place > 0:
        parent = (place - 1) >> 1
        before = free_at[parent]
        if before < at or (before == at and served[parent] <= customer):
            break
        free_at[place], served[place] = before, served[parent]
        place = parent
    free_at[place], served[place] = at, customer
