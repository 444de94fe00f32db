"""The event queue and the desks of the kernel, against Python's own heap and lists."""

import heapq
import random

import numpy as np
import pytest

from churnsim.engines.kernel import desks, event_queue
from churnsim.engines.kernel.event_queue import NOWHERE


def queue_for(n: int, horizon: float) -> event_queue.Queue:
    """Return an empty queue of `n` customers."""
    at, links = np.zeros(n), np.zeros((n, 2), np.int32)
    return event_queue.make_queue(at, links, np.zeros(n, np.int32), horizon)


def pop_all(queue: event_queue.Queue) -> list[tuple[float, int]]:
    """Return all moments in the order in which they are popped."""
    out = []
    while (customer := event_queue.pop(queue)) != NOWHERE:
        out.append((float(queue.at[customer]), customer))
    return out


@pytest.mark.parametrize("grid", [0.0, 1.0, 10.0])
def test_queue__hold_model_equals_heapq(grid: float) -> None:
    """Adding, removing and popping at random gives the order of a binary heap."""
    rng = random.Random(5)
    n, horizon = 200, 100.0
    queue = queue_for(n, horizon)
    pending: dict[int, float] = {}
    now, popped = 0.0, 0
    for _ in range(20_000):
        customer = rng.randrange(n)
        if customer in pending and rng.random() < 0.5:
            event_queue.remove(queue, customer)
            del pending[customer]
        elif customer not in pending:
            at = now + rng.expovariate(0.5)
            at = at - at % grid + grid if grid else at
            if at < horizon:
                event_queue.add(queue, customer, at)
                pending[customer] = at
        if rng.random() < 0.2 and pending:
            expected = min((at, who) for who, at in pending.items())
            first = event_queue.pop(queue)
            assert (queue.at[first], first) == expected
            now = expected[0]
            del pending[first]
            popped += 1
    rest = [(at, who) for who, at in pending.items()]
    heapq.heapify(rest)
    assert pop_all(queue) == [heapq.heappop(rest) for _ in range(len(rest))]
    assert popped > 50


def test_queue__equal_times_go_to_the_lower_customer() -> None:
    """A thousand moments at one instant come out by number, whatever the order in."""
    queue = queue_for(1000, 10.0)
    order = list(range(1000))
    random.Random(1).shuffle(order)
    for customer in order:
        event_queue.add(queue, customer, 7.5)
    assert [who for _, who in pop_all(queue)] == list(range(1000))


def test_queue__removing_what_is_not_there_does_nothing() -> None:
    """A customer without a moment can be removed; an empty queue pops nobody."""
    queue = queue_for(3, 1.0)
    event_queue.remove(queue, 1)
    assert event_queue.pop(queue) == NOWHERE


def test_queue__moments_next_to_the_horizon_are_kept() -> None:
    """The last double before the horizon falls into the last bucket."""
    queue = queue_for(2, 3.0)
    event_queue.add(queue, 1, float(np.nextafter(3.0, 0.0)))
    event_queue.add(queue, 0, 0.0)
    assert [who for _, who in pop_all(queue)] == [0, 1]


def test_desk__line_equals_a_list() -> None:
    """Joining, leaving anywhere and serving at random keep the order of arrival."""
    rng = random.Random(2)
    desk = desks.make_desk(np.zeros((50, 2), np.int32), 0)
    line: list[int] = []
    for _ in range(5000):
        customer = rng.randrange(50)
        if customer in line:
            desks.leave_line(desk, customer)
            line.remove(customer)
        else:
            desks.join_line(desk, customer)
            line.append(customer)
        if rng.random() < 0.3 and line:
            assert desks.next_in_line(desk) == line.pop(0)
    while line:
        assert desks.next_in_line(desk) == line.pop(0)
    assert desks.next_in_line(desk) == desks.NOBODY


def test_desk__servers_are_counted() -> None:
    """Two servers serve two; one comes free when nobody waits."""
    desk = desks.make_desk(np.zeros((5, 2), np.int32), 2)
    assert [desks.take_server(desk) for _ in range(3)] == [True, True, False]
    assert desks.next_in_line(desk) == desks.NOBODY
    assert desks.take_server(desk)
