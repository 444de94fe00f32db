"""The event queue of the kernel: at most one pending moment for each customer.

Total order: (time, customer). Moments are thrown into buckets of equal width by time;
only the current bucket is kept in order, as an indexed binary heap. Adding or removing
a far moment costs O(1), a near one O(log k) with k moments in the current bucket: all
of them in the worst case, when everything happens at one instant.

The width only decides the speed: a moment's bucket is a monotone function of its time,
so buckets never reorder moments.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from churnsim.jit import mechanism
from churnsim.prefetch import prefetch
from churnsim.records import Floats

NOWHERE = -1  # no customer, no place
FAR = -2  # place of a customer whose moment lies in a later bucket
CURRENT = 0  # of `meta`: the bucket kept as a heap
SIZE = 1  # of `meta`: moments in the heap
BUCKETS_PER_CUSTOMER = 4
BUCKETS_MAX = 1 << 20
AHEAD = 24  # buckets: how early rows are asked for


class Queue(NamedTuple):
    """Pending moments of n customers in B buckets.

    What is kept for each customer may be columns of a larger table.
    """

    at: Floats  # (n,) each customer's pending moment [days]
    links: NDArray[np.int32]  # (n, 2) next and previous in the bucket
    place: NDArray[np.int32]  # (n,) place in the heap, FAR or NOWHERE
    heads: NDArray[np.int32]  # (B,) first customer of a bucket
    heap: NDArray[np.int32]  # (n,) customers of the current bucket
    meta: NDArray[np.int64]  # (2,)
    per_day: float  # buckets per day


def make_queue(
    at: Floats, links: NDArray[np.int32], place: NDArray[np.int32], horizon: float
) -> Queue:
    """Return an empty queue for moments before `horizon` [days].

    Args:
        at: Where moments are kept, shape (n,).
        links: Where neighbours in a bucket are kept, shape (n, 2).
        place: Where places are kept, shape (n,).
        horizon: Where the buckets end.
    """
    n = len(at)
    n_buckets = int(min(BUCKETS_MAX, max(64, BUCKETS_PER_CUSTOMER * n)))
    at[:] = np.inf
    place[:] = NOWHERE
    return Queue(
        at,
        links,
        place,
        np.full(n_buckets, NOWHERE, np.int32),
        np.zeros(n, np.int32),
        np.zeros(2, np.int64),
        n_buckets / horizon if horizon > 0.0 else 0.0,
    )


@mechanism
def is_before(queue: Queue, a: int, b: int) -> bool:
    """Return whether customer `a`'s moment comes before `b`'s: (time, customer)."""
    at_a, at_b = queue.at[a], queue.at[b]
    return at_a < at_b or (at_a == at_b and a < b)


@mechanism
def bucket_of(queue: Queue, at: float) -> int:
    """Return the bucket of a moment before the horizon."""
    bucket = int(math.floor(at * queue.per_day))
    last = queue.heads.shape[0] - 1
    return bucket if bucket < last else last


@mechanism
def sift_up(queue: Queue, place: int) -> None:
    """Move the customer at a place of the heap up to where the order holds."""
    heap = queue.heap
    customer = heap[place]
    while place > 0:
        parent = (place - 1) >> 1
        other = heap[parent]
        if not is_before(queue, customer, other):
            break
        heap[place] = other
        queue.place[other] = place
        place = parent
    heap[place] = customer
    queue.place[customer] = place


@mechanism
def sift_down(queue: Queue, place: int) -> None:
    """Move the customer at a place of the heap down to where the order holds."""
    heap = queue.heap
    size = queue.meta[SIZE]
    customer = heap[place]
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and is_before(queue, heap[child + 1], heap[child]):
            child += 1
        other = heap[child]
        if not is_before(queue, other, customer):
            break
        heap[place] = other
        queue.place[other] = place
        place = child
    heap[place] = customer
    queue.place[customer] = place


@mechanism
def push(queue: Queue, customer: int) -> None:
    """Put a customer into the heap of the current bucket."""
    size = queue.meta[SIZE]
    queue.heap[size] = customer
    queue.meta[SIZE] = size + 1
    sift_up(queue, size)


@mechanism
def add(queue: Queue, customer: int, at: float) -> None:
    """Give a customer who has none a pending moment before the horizon."""
    queue.at[customer] = at
    bucket = bucket_of(queue, at)
    if bucket <= queue.meta[CURRENT]:
        push(queue, customer)
        return
    head = queue.heads[bucket]
    queue.links[customer, 0] = head
    queue.links[customer, 1] = NOWHERE
    if head != NOWHERE:
        queue.links[head, 1] = customer
    queue.heads[bucket] = customer
    queue.place[customer] = FAR


@mechanism
def remove(queue: Queue, customer: int) -> None:
    """Take back a customer's pending moment, if there is one."""
    place = queue.place[customer]
    if place == NOWHERE:
        return
    if place == FAR:
        following, preceding = queue.links[customer, 0], queue.links[customer, 1]
        if following != NOWHERE:
            queue.links[following, 1] = preceding
        if preceding != NOWHERE:
            queue.links[preceding, 0] = following
        else:
            queue.heads[bucket_of(queue, queue.at[customer])] = following
    else:
        drop_from_heap(queue, place)
    queue.place[customer] = NOWHERE


@mechanism
def drop_from_heap(queue: Queue, place: int) -> None:
    """Remove the customer at a place of the heap and mend the order."""
    size = queue.meta[SIZE] - 1
    queue.meta[SIZE] = size
    if place == size:
        return
    moved = queue.heap[size]
    queue.heap[place] = moved
    queue.place[moved] = place
    sift_up(queue, place)
    sift_down(queue, queue.place[moved])


@mechanism
def look_ahead(queue: Queue, bucket: int) -> None:
    """Ask for the row of the first customer of a bucket that comes soon."""
    if bucket < queue.heads.shape[0]:
        customer = queue.heads[bucket]
        if customer != NOWHERE:
            prefetch(queue.at, customer)


@mechanism
def pop(queue: Queue) -> int:
    """Remove and return the customer whose moment comes first, or NOWHERE."""
    meta = queue.meta
    while meta[SIZE] == 0:
        bucket = meta[CURRENT] + 1
        if bucket >= queue.heads.shape[0]:
            return NOWHERE
        meta[CURRENT] = bucket
        look_ahead(queue, bucket + AHEAD)
        customer = queue.heads[bucket]
        queue.heads[bucket] = NOWHERE
        while customer != NOWHERE:
            following = queue.links[customer, 0]
            push(queue, customer)
            customer = following
    first = int(queue.heap[0])
    drop_from_heap(queue, 0)
    queue.place[first] = NOWHERE
    return first
