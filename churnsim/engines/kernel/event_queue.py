"""The event queue of the kernel: at most one pending moment for each customer.

Total order: (time, customer). Moments are thrown into buckets of equal width by time;
only the current bucket is kept in order, as a binary heap. Adding a far moment costs
O(1), a near one O(log k) with k moments in the current bucket: all of them in the worst
case, when everything happens at one instant.

The width only decides the speed: a moment's bucket is a monotone function of its time,
so buckets never reorder moments.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.jit import mechanism
from churnsim.prefetch import prefetch, prefetch_cell
from churnsim.records import Floats

NOWHERE = -1  # no customer
CURRENT = 0  # of `meta`: the bucket kept as a heap
SIZE = 1  # of `meta`: moments in the heap
SEEN = 2  # of `meta`: the last bucket whose rows are being asked for
SCOUT = 3  # of `meta`: the next customer there whose row is asked for, or NOWHERE
N_META = 4
BUCKETS_MIN = 0.5  # for each customer
BUCKETS_MAX = 2.0  # for each customer
BUCKETS_IN_ALL = 1 << 18  # a cache holds their heads: 1 MiB
MOMENTS_PER_BUCKET = 2.0
CLEARED = 1 << 16  # customers at a time, between which Ctrl-C is heard
AHEAD_MIN, AHEAD_MAX = 2, 6  # buckets: how early rows are asked for
ROWS_AHEAD = 12.0  # what is wanted of it


class Queue(NamedTuple):
    """Pending moments of n customers in B buckets."""

    at: Floats  # (n,) each customer's pending moment [days]; a column of their rows
    following: NDArray[np.int32]  # (n,) the next customer in the same bucket
    heads: NDArray[np.int32]  # (B,) first customer of a bucket
    heap_at: Floats  # (n,) moments of the current bucket [days]
    heap: NDArray[np.int32]  # (n,) whose they are
    meta: NDArray[np.int64]  # (N_META,)
    per_day: float  # buckets per day
    ahead: int  # buckets


def make_queue(at: Floats, horizon: float, n_moments: float) -> Queue:
    """Return an empty queue for moments before `horizon` [days].

    Args:
        at: Where moments are kept, shape (n,).
        horizon: Where the buckets end.
        n_moments: About how many there will be, over the whole time.
    """
    n = len(at)
    wanted = n_moments / MOMENTS_PER_BUCKET
    wanted = min(max(wanted, BUCKETS_MIN * n, 64), BUCKETS_MAX * n + 64)
    n_buckets = int(min(wanted, BUCKETS_IN_ALL))
    for first in range(0, n, CLEARED):  # takes the memory of the rows
        at[first : first + CLEARED] = np.inf
    rows = n_moments / n_buckets  # of a bucket
    ahead = math.ceil(ROWS_AHEAD / rows) if rows > 0.0 else AHEAD_MAX
    meta = np.zeros(N_META, np.int64)
    meta[SCOUT] = NOWHERE
    return Queue(
        at,
        np.zeros(n, np.int32),
        np.full(n_buckets, NOWHERE, np.int32),
        np.zeros(n),
        np.zeros(n, np.int32),
        meta,
        n_buckets / horizon if horizon > 0.0 else 0.0,
        min(max(ahead, AHEAD_MIN), AHEAD_MAX),
    )


@mechanism
def bucket_of(queue: Queue, at: float) -> int:
    """Return the bucket of a moment before the horizon."""
    bucket = int(math.floor(at * queue.per_day))
    last = queue.heads.shape[0] - 1
    return bucket if bucket < last else last


@mechanism
def push(queue: Queue, customer: int, at: float) -> None:
    """Put a customer's moment into the heap of the current bucket."""
    heap_at, heap = queue.heap_at, queue.heap
    place = queue.meta[SIZE]
    queue.meta[SIZE] = place + 1
    while place > 0:
        parent = (place - 1) >> 1
        before = heap_at[parent]
        if before < at or (before == at and heap[parent] < customer):
            break
        heap_at[place], heap[place] = before, heap[parent]
        place = parent
    heap_at[place], heap[place] = at, customer


@mechanism
def add(queue: Queue, customer: int, at: float) -> None:
    """Give a customer who has none a pending moment before the horizon."""
    queue.at[customer] = at
    bucket = bucket_of(queue, at)
    if bucket <= queue.meta[CURRENT]:
        push(queue, customer, at)
        return
    queue.following[customer] = queue.heads[bucket]
    queue.heads[bucket] = customer


@mechanism
def look_ahead(queue: Queue) -> None:
    """Ask for the row of a customer or two of the buckets that come soon.

    The link to the next one is asked for as well, and followed at the next call.
    """
    customer, bucket = queue.meta[SCOUT], queue.meta[SEEN]
    last = min(queue.meta[CURRENT] + queue.ahead, queue.heads.shape[0] - 1)
    for _ in range(2):  # so as to get ahead
        while customer == NOWHERE and bucket < last:
            bucket += 1
            customer = queue.heads[bucket]
        if customer == NOWHERE:
            break
        prefetch(queue.at, customer)
        customer = queue.following[customer]
        if customer != NOWHERE:
            prefetch_cell(queue.following, customer)
            break
    queue.meta[SCOUT], queue.meta[SEEN] = customer, bucket


@mechanism
def open_bucket(queue: Queue, bucket: int) -> None:
    """Make a heap of the customers of a bucket, whose time has come."""
    queue.meta[CURRENT] = bucket
    if queue.meta[SEEN] <= bucket:  # asking for rows has to begin further on
        queue.meta[SEEN] = bucket + queue.ahead // 2 - 1
        queue.meta[SCOUT] = NOWHERE
    customer = queue.heads[bucket]
    queue.heads[bucket] = NOWHERE
    while customer != NOWHERE:
        push(queue, customer, queue.at[customer])
        customer = queue.following[customer]


@mechanism
def pop(queue: Queue) -> int:
    """Remove and return the customer whose moment comes first, or NOWHERE."""
    while queue.meta[SIZE] == 0:
        bucket = queue.meta[CURRENT] + 1
        if bucket >= queue.heads.shape[0]:
            return NOWHERE
        open_bucket(queue, bucket)
    look_ahead(queue)
    heap_at, heap = queue.heap_at, queue.heap
    first = int(heap[0])
    size = queue.meta[SIZE] - 1
    queue.meta[SIZE] = size
    at, customer = heap_at[size], heap[size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size:
            other, one = heap_at[child + 1], heap_at[child]
            if other < one or (other == one and heap[child + 1] < heap[child]):
                child += 1
        after = heap_at[child]
        if at < after or (at == after and customer < heap[child]):
            break
        heap_at[place], heap[place] = after, heap[child]
        place = child
    heap_at[place], heap[place] = at, customer
    return first
