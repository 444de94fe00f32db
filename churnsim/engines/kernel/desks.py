"""The desks of the kernel: identical servers before one FIFO line.

The line is a linked list, so that one who gives up leaves it in O(1). A customer waits
at one desk at the most, and both desks share the links.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.jit import mechanism

NOBODY = -1
FREE = 0  # of `meta`: servers free
HEAD = 1  # of `meta`: first in line
TAIL = 2  # of `meta`: last in line


class Desk(NamedTuple):
    """One desk and its line."""

    links: NDArray[np.int32]  # (n, 2) next and previous in line
    meta: NDArray[np.int64]  # (3,)


def make_desk(links: NDArray[np.int32], n_servers: int) -> Desk:
    """Return an empty desk over shared links."""
    return Desk(links, np.array([n_servers, NOBODY, NOBODY], np.int64))


@mechanism
def take_server(desk: Desk) -> bool:
    """Return whether a server was free, and is now taken."""
    if desk.meta[FREE] <= 0:
        return False
    desk.meta[FREE] -= 1
    return True


@mechanism
def join_line(desk: Desk, customer: int) -> None:
    """Put a customer at the end of the line."""
    tail = desk.meta[TAIL]
    desk.links[customer, 0] = NOBODY
    desk.links[customer, 1] = tail
    if tail == NOBODY:
        desk.meta[HEAD] = customer
    else:
        desk.links[tail, 0] = customer
    desk.meta[TAIL] = customer


@mechanism
def leave_line(desk: Desk, customer: int) -> None:
    """Take a customer out of the line, wherever in it."""
    following, preceding = desk.links[customer, 0], desk.links[customer, 1]
    if preceding == NOBODY:
        desk.meta[HEAD] = following
    else:
        desk.links[preceding, 0] = following
    if following == NOBODY:
        desk.meta[TAIL] = preceding
    else:
        desk.links[following, 1] = preceding


@mechanism
def next_in_line(desk: Desk) -> int:
    """Return who gets the server that became free, or NOBODY: then it stays free."""
    head = desk.meta[HEAD]
    if head == NOBODY:
        desk.meta[FREE] += 1
        return NOBODY
    leave_line(desk, head)
    return int(head)
