"""The desks of the kernel: identical servers before one FIFO line.

Whoever joins a FIFO line meets a settled future: everybody who comes first has joined
already, so it is known when which server will be free (Kiefer & Wolfowitz 1955, with
patience). A desk is therefore no more than the moments at which its servers end what
they have, and joining is the only meeting that a contact needs.

Of moments at one instant, the lower customer's comes first. A contact that begins as
another ends takes time (`mechanisms.clocks.served_until`), so at no instant does one
customer's moment lead to another's, and that order is the whole order.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.jit import mechanism
from churnsim.records import Floats

NOBODY = -1


class Desk(NamedTuple):
    """One desk: a heap of (moment, customer), of each server the end of its last work.

    The first is the one that is free next, or has been so for longest.
    """

    free_at: Floats  # (s,) [days]; -inf: nobody served yet, inf: never free
    served: NDArray[np.int32]  # (s,) whose contact ends then, or NOBODY


def make_desk(n_servers: int, n_customers: int) -> Desk:
    """Return an idle desk; one without servers has a single one who is never free.

    A customer has one contact at a time, so more servers than customers never work.
    """
    size = max(1, min(n_servers, n_customers))
    free_at = np.full(size, -math.inf if n_servers else math.inf)
    return Desk(free_at, np.full(len(free_at), NOBODY, np.int32))


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
    size = free_at.shape[0]
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
